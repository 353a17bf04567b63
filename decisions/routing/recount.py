"""Computes a closed frame again from what was logged, and compares it bit for bit.

The logged facts are the items (external id, number of the secret, score, policy, segment, harm), other models' scores
that were known, the frames before and the policies with their models and calibrators; p, u, v, q, the draw, tau, every
inclusion probability, mean(p) and the mean square of the harm follow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
from django.conf import settings

from decisions.models import Draw, Event, Frame, Item, Policy, Score
from decisions.record import draws, streams
from decisions.routing import budget, frames, policy, sampling
from decisions.routing.policy import Cuts
from decisions.routing.sampling import BETA, FloatArray, IntArray, Purpose

NAMES = ("pk", "external_id", "u_secret", "u", "score", "p", "p_other", "harm", "v", "q", "segment", "policy_id")
LAST_BITS = 4  # by which exp and log of another machine may differ


@dataclass(frozen=True)
class Passes:
    """The passes of a frame in the order of their ids, as arrays."""

    ids: IntArray
    names: list[str]
    secrets: IntArray
    u: FloatArray
    score: FloatArray
    p: FloatArray
    other: FloatArray
    harm: FloatArray
    v: FloatArray
    q: FloatArray
    segments: list[str]
    policies: IntArray

    @classmethod
    def of(cls, frame: Frame) -> "Passes":
        """Read them."""
        rows = Item.objects.filter(
            queue=frame.queue_id, route=Item.Route.PASS, arrived_at__gte=frame.starts_at, arrived_at__lt=frame.ends_at
        ).exclude(reason=Item.RouteReason.IMPORTED)
        columns: list[Sequence[Any]] = list(zip(*streams.tuples(rows.order_by("pk").values_list(*NAMES)), strict=True))
        ids, names, secrets, u, score, p, other, harm, v, q, segments, policies = columns or [()] * len(NAMES)
        return cls(
            ids=_whole(ids),
            names=list(names),
            secrets=_whole(secrets),
            u=_real(u),
            score=_real(score),
            p=_real(p),
            other=_real(other),
            harm=_real(harm),
            v=_real(v),
            q=_real(q),
            segments=list(segments),
            policies=_whole(policies),
        )

    @property
    def signal(self) -> FloatArray:
        """The probability that each size is made from."""
        return sampling.signal(self.p, self.other)

    def at(self, places: IntArray) -> "Passes":
        """Return some of them."""
        return Passes(
            ids=self.ids[places],
            names=[self.names[i] for i in places.tolist()],
            secrets=self.secrets[places],
            u=self.u[places],
            score=self.score[places],
            p=self.p[places],
            other=self.other[places],
            harm=self.harm[places],
            v=self.v[places],
            q=self.q[places],
            segments=[self.segments[i] for i in places.tolist()],
            policies=self.policies[places],
        )


def _whole(values: Sequence[int]) -> IntArray:
    return np.array(values, np.intp)


def _real(values: Sequence[float]) -> FloatArray:
    return np.array(values, np.float64)


def differences(frame: Frame) -> Iterator[str]:
    """Yield what of a frame is not what follows from the log; nothing where all of it is, to the last bit."""
    passes = Passes.of(frame)
    if len(passes.ids) != frame.passes:
        yield f"{len(passes.ids)} passes arrived in its span, it says {frame.passes}"
        return
    yield from _numbers(frame, passes)
    yield from _probabilities(frame, passes)
    yield from _others(passes)
    yield from _sizes(frame, passes)
    if (mean_p := mean(passes.signal)) != frame.mean_p:
        yield f"mean_p is {mean_p.hex()}, it says {frame.mean_p.hex()}"
    if (square := mean_square(passes.harm)) != frame.harm_square:
        yield f"harm_square is {square}, it says {frame.harm_square}"
    yield from _drawn(frame, passes)


def mean(p: FloatArray) -> float:
    """Return the mean of probabilities exactly as closing a frame makes it: summed in whole parts."""
    return int(np.rint(p * frames.SCALE).astype(np.int64).sum()) / (frames.SCALE * len(p))


def mean_square(harm: FloatArray) -> float | None:
    """Return the mean square of the harm of items exactly as closing a frame makes it: of 15 digits, added up whole."""
    known = harm[~np.isnan(harm)]
    squares = sum((Decimal(f"{square:.15g}") for square in (known * known).tolist()), Decimal(0))
    return frames.mean_square(squares, len(known))


def _numbers(frame: Frame, passes: Passes) -> Iterator[str]:
    """Compare each u with what the secret gives."""
    for number in np.unique(passes.secrets).tolist():
        secret = settings.AUDIT_SECRETS.get(number)
        if secret is None:
            yield f"u cannot be computed again: this server has no audit secret {number}"
            continue
        of_secret = passes.at(np.flatnonzero(passes.secrets == number))
        u = sampling.u(secret, frame.queue.slug, of_secret.names, Purpose.AUDIT)
        yield from (f"item {pk}: u differs" for pk in of_secret.ids[u != of_secret.u].tolist())


def _probabilities(frame: Frame, passes: Passes) -> Iterator[str]:
    """Compare each p with what its score means by the calibrator of the policy that routed it."""
    for one in Policy.objects.select_related("model").filter(pk__in=np.unique(passes.policies).tolist()):
        of_policy = passes.at(np.flatnonzero(passes.policies == one.pk))
        p = policy.recalibrate(of_policy.score, Cuts.of(one, frame.queue.spec))
        far = np.abs(p - of_policy.p) > LAST_BITS * np.spacing(p)
        yield from (f"item {pk}: p does not follow from its score" for pk in of_policy.ids[far].tolist())


def _others(passes: Passes) -> Iterator[str]:
    """Compare what other models said of each item with their scores that were known when it was routed."""
    said: dict[int, list[float]] = {}
    known = Score.objects.filter(item__in=passes.ids.tolist(), was_known=True)
    for item_id, p in known.values_list("item_id", "p"):
        said.setdefault(item_id, []).append(p)
    means = _real([sampling.mean(said[pk]) if pk in said else np.nan for pk in passes.ids.tolist()])
    differ = ~((means == passes.other) | (np.isnan(means) & np.isnan(passes.other)))
    yield from (f"item {pk}: p_other does not follow from other models' scores" for pk in passes.ids[differ].tolist())


def _sizes(frame: Frame, passes: Passes) -> Iterator[str]:
    """Compare each q and v with what follows from p, the harm and a frame closed before, or from a policy's guess.

    An item uses the newest frame that is closed when it is routed, which need not be the one just before its own.
    """
    left = np.arange(len(passes.ids))
    for mean_p, beta, square in _bases(frame):
        part = passes.at(left)
        v = sampling.stakes(part.harm, square or 0.0)
        is_same = (v == part.v) | (np.isnan(v) & np.isnan(part.v))
        left = left[~is_same | (sampling.q(part.signal, mean_p, beta, v) != part.q)]
        if not len(left):
            return
    yield from (f"item {pk}: q follows from no frame before" for pk in passes.ids[left].tolist())


def _bases(frame: Frame) -> Iterator[tuple[float, float, float | None]]:
    earlier = Frame.objects.filter(queue=frame.queue_id, starts_at__lt=frame.starts_at).order_by("-starts_at")
    guesses = Policy.objects.filter(queue=frame.queue_id).order_by("-no").values_list("mean_p", flat=True)
    yield from dict.fromkeys(earlier.values_list("mean_p", "beta", "harm_square"))
    yield from dict.fromkeys((guess, BETA, None) for guess in guesses)


def _drawn(frame: Frame, passes: Passes) -> Iterator[str]:
    """Draw again from each stratum and compare sizes, tau, who was drawn and how likely that was."""
    expected: dict[int, float] = {}
    parts = _strata(frame, passes)
    budgets = budget.split(frame.budget, [len(part.ids) for part in parts])
    for part, n, said in zip(parts, budgets, frame.strata, strict=True):
        places, tau = sampling.draw(part.u / part.q, n)
        expected |= zip(part.ids[places].tolist(), sampling.inclusion(part.q[places], tau).tolist(), strict=True)
        found = {"passes": len(part.ids), "budget": n, "drawn": len(places), "tau": frames.exact(tau)}
        yield from (f"{name} is {value}, it says {said[name]}" for name, value in found.items() if value != said[name])
    stored = dict(Draw.objects.filter(frame=frame).values_list("item_id", "pi"))
    yield from (f"item {pk}: drawn, and should not be" for pk in sorted(stored.keys() - expected.keys()))
    yield from (f"item {pk}: not drawn, and should be" for pk in sorted(expected.keys() - stored.keys()))
    both = sorted(stored.keys() & expected.keys())
    yield from (f"item {pk}: pi differs" for pk in both if stored[pk] != expected[pk])
    if _sealed(frame) != draws.of(expected.items()):
        yield "the record speaks of other draws"


def _strata(frame: Frame, passes: Passes) -> list[Passes]:
    """Return the passes of each stratum: all, or those outside and those in the segments that were not measured."""
    if len(frame.strata) == 1:
        return [passes]
    is_blind = np.isin(np.array(passes.segments, dtype=object), frame.strata[1]["segments"])
    return [passes.at(np.flatnonzero(~is_blind)), passes.at(np.flatnonzero(is_blind))]


def _sealed(frame: Frame) -> str:
    """Return the digest of its draws that the record holds, "" where no entry speaks of the frame."""
    entries = Event.objects.filter(chain=frame.queue_id, kind=Event.Kind.FRAME_CLOSED, at=frame.at)
    for text in entries.values_list("entry", flat=True):
        entry = orjson.loads(text)
        if ["frame", frame.pk] in [row[:2] for row in entry.get("rows", ())]:
            return str(entry["draws"])
    return ""
