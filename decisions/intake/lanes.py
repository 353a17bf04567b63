"""Which policy routes an item: the live one, or the canary on its share of the traffic. A lane is routed as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.intake import challengers, doubts, harm, ladder
from decisions.intake.challengers import Beside
from decisions.intake.ladder import Aside, Climb
from decisions.intake.parse import Row
from decisions.intake.store import Same
from decisions.models import Item
from decisions.queues.live import Live
from decisions.routing import policy, sampling
from decisions.routing.policy import BoolArray, FloatArray, Routing
from decisions.routing.sampling import IntArray

Failures = dict[int, list[str]]


@dataclass(frozen=True)
class Routed:
    """Items with their scores and routes, and the id of the policy that routed each (the Same where it is one).

    `harm` is what a miss of each costs, `other` what other models say of it, NaN where unknown; None: of all of them.
    """

    climb: Climb
    routing: Routing
    policy_ids: Sequence[int] | Same
    harm: FloatArray | None
    other: FloatArray | None


def route(rows: Sequence[Row], failures: Failures, beside: Beside, live: Live) -> Routed:
    """Score and route rows; by place, `failures` are those of the input checks, `beside` other models' scores."""
    if live.canary is None or not (tried := _tried(rows, live)).any():
        return _lane(rows, failures, beside, live)
    if tried.all():
        return _lane(rows, failures, beside, live.trial)
    parts = (np.flatnonzero(~tried), np.flatnonzero(tried))
    return _merged(parts, [_part(rows, failures, beside, *one) for one in zip(parts, (live, live.trial), strict=True)])


def _tried(rows: Sequence[Row], live: Live) -> BoolArray:
    """Tell which rows the canary routes: those whose number is below its share, and whose score it can use.

    The number comes from the external id, so that a retry is routed the same way. A score of another model than the
    canary's cannot be held against its cuts: such an item stays with the live policy.
    """
    assert live.canary is not None
    _number, secret = sampling.newest_secret()
    names = [row.external_id for row in rows]
    tried: BoolArray = sampling.u(secret, live.slug, names, sampling.Purpose.CANARY) < live.canary.canary_share
    pinned = live.canary.model_id
    for i in np.flatnonzero(tried).tolist() if pinned else ():
        if rows[i].score is not None:
            model = ladder.sent_model(rows[i], live)
            tried[i] = model is not None and model.pk == pinned
    return tried


def _part(rows: Sequence[Row], failures: Failures, beside: Beside, places: IntArray, live: Live) -> Routed:
    chosen = places.tolist()
    failed = {k: failures[i] for k, i in enumerate(chosen) if i in failures}
    said = {k: beside[i] for k, i in enumerate(chosen) if i in beside}
    return _lane([rows[i] for i in chosen], failed, said, live)


def _lane(rows: Sequence[Row], failures: Failures, beside: Beside, live: Live) -> Routed:
    """Score and route rows by one policy; the control numbers are drawn for the HARD band only, where they decide."""
    climb = ladder.climb(rows, failures, live)
    doubts.hold(climb, rows, live)
    cuts, control = live.cuts, np.ones(len(rows))
    hard = np.flatnonzero(policy.bands(climb.scores, cuts) == Item.Band.HARD).tolist()
    if hard:
        _number, secret = sampling.newest_secret()
        control[hard] = sampling.u(secret, live.slug, [rows[i].external_id for i in hard], sampling.Purpose.CONTROL)
    lost, other = harm.of(rows, live.spec), challengers.signals(climb, beside, live)
    routing = policy.route(climb.scores, climb.reasons, control, cuts, harm=lost, other=other)
    return Routed(climb, routing, Same(live.policy.pk), lost, other)


def _merged(places: Sequence[IntArray], lanes: Sequence[Routed]) -> Routed:
    """Put lanes back together, each item at its place."""
    order = np.argsort(np.concatenate(places))
    climbs, routings = [lane.climb for lane in lanes], [lane.routing for lane in lanes]
    climb = Climb(
        **{
            name: np.concatenate([getattr(one, name) for one in climbs])[order]
            for name in ("scores", "models", "rungs", "reasons", "doubts", "filters")
        },
        failures={
            int(at[k]): codes for at, one in zip(places, climbs, strict=True) for k, codes in one.failures.items()
        },
        aside=[
            Aside(int(at[a.place]), a.model, a.score) for at, one in zip(places, climbs, strict=True) for a in one.aside
        ],
        kept=sum(one.kept for one in climbs),
    )
    names = ("band", "route", "reason", "propensity", "p", "q", "v", "level")
    routing = Routing(**{name: np.concatenate([getattr(one, name) for one in routings])[order] for name in names})
    ids = [lane.policy_ids.value for lane in lanes if isinstance(lane.policy_ids, Same)]
    owners = np.concatenate([np.full(len(at), pk) for at, pk in zip(places, ids, strict=True)])
    numbers = {name: _joined([getattr(lane, name) for lane in lanes], places, order) for name in ("harm", "other")}
    return Routed(climb, routing, owners[order].tolist(), **numbers)


def _joined(parts: Sequence[FloatArray | None], places: Sequence[IntArray], order: IntArray) -> FloatArray | None:
    if all(part is None for part in parts):
        return None
    full = [np.full(len(at), np.nan) if part is None else part for part, at in zip(parts, places, strict=True)]
    return np.concatenate(full)[order]
