"""Champion and challenger: two models on the very same items that people looked at by design, each at its own cuts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import orjson
from django.db import connection
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.learning import frozen, parquet, registry
from decisions.measure import estimates, paired, staff, thresholds, window
from decisions.measure.columns import BoolArray
from decisions.measure.paired import BRINGS, Figure, Pairs
from decisions.measure.paired import Side as PairSide
from decisions.measure.regions import codes
from decisions.measure.sample import Labelled
from decisions.measure.supposed import recent
from decisions.measure.supposed.terms import HANDLING
from decisions.measure.supposed.worth import Amounts
from decisions.measure.thresholds import Advice
from decisions.measure.window import Filters
from decisions.models import ModelVersion, Policy, Queue, Shadow
from decisions.queues import live as in_force
from decisions.queues.live import Live
from decisions.queues.spec import PayloadField
from decisions.routing import policy
from decisions.routing.policy import Cuts, FloatArray
from decisions.routing.sampling import IntArray

DAYS, LONGEST = 28, 90
SEGMENTS = 20  # told apart, the largest first
BODY = "SELECT item_id, content FROM decisions_body WHERE item_id = ANY(%s) AND content IS NOT NULL"
BACKFILLED = "SELECT count(*) FROM decisions_score WHERE item_id = ANY(%s) AND model_id = %s AND is_backfill"


class Verdict(StrEnum):
    """What the figures say of the new model: nothing yet, better, worse, better at one thing only, not told apart."""

    NOTHING = "nothing"
    BETTER = "better"
    WORSE = "worse"
    MIXED = "mixed"
    OPEN = "open"
    SAME = "same"


@dataclass(frozen=True)
class Contender:
    """One of the two models, and its cuts: those of a policy that pins it, else `policy` is None and they are alike.

    Alike: they put as many items into each band as the champion's.
    """

    model: ModelVersion
    policy: Policy | None
    hard: float | None
    soft: float | None

    def cuts(self) -> Cuts:
        return Cuts(hard=self.hard, soft=self.soft, low=self.model.score_low, high=self.model.score_high)


@dataclass(frozen=True)
class Rests:
    """What a comparison rests on: items asked about, those left out and why, and answers; `per_day` items arrive.

    `learnt` were left out because one of the models learnt from them; of those named in `unknown` nobody knows from
    what they learnt.
    `apart` of the answers are on items that the two treat differently, `backfilled` of the challenger's scores were
    made afterwards, `simulated` answers are by simulated reviewers.
    """

    asked: int
    unscored: int
    learnt: int
    unknown: tuple[str, ...]
    answers: int
    apart: int
    backfilled: int
    simulated: int
    per_day: float


@dataclass(frozen=True)
class Comparison:
    """Both models with their figures; money is a day's. `advice` is the hard cut that labels certify, if any."""

    queue: Queue
    champion: Contender
    challenger: Contender
    start: datetime
    end: datetime
    days: int
    rests: Rests
    figures: tuple[Figure, ...]
    segments: tuple[tuple[str, int, tuple[Figure, ...]], ...]
    advice: Advice | None
    target: float | None
    has_frames: bool

    def figure(self, key: str) -> Figure | None:
        """Return the figure of this name."""
        return next((one for one in self.figures if one.key == key), None)

    @property
    def advised(self) -> dict[str, float]:
        """The cuts with which a policy with the new model may begin, those of them that there are.

        HARD as the labels certify it, else as it was compared; SOFT as compared; suggestions turn half way between, and
        overload may raise SOFT by as much of the way to HARD as under the champion's policy.
        """
        certified = self.advice.threshold if self.advice else None
        hard, soft = self.challenger.hard if certified is None else certified, self.challenger.soft
        if soft is None:
            return {}
        if hard is None:
            return {"soft": soft, "suggest": soft}
        soft = min(soft, hard)
        cuts = {"hard": hard, "soft": soft, "suggest": round((hard + soft) / 2, 6)}
        before = self.champion.policy
        if before and before.overload_soft is not None and before.soft is not None and before.hard is not None:
            way = (before.overload_soft - before.soft) / (before.hard - before.soft) if before.hard > before.soft else 0
            cuts["overload_soft"] = round(soft + way * (hard - soft), 6)
        return cuts

    @property
    def main(self) -> tuple[Figure, ...]:
        """What the verdict rests on: money where the queue has a value formula, else precision and recall."""
        worth = self.figure(BRINGS)
        found = (worth,) if worth else (self.figure("precision"), self.figure("recall"))
        return tuple(one for one in found if one is not None)

    @property
    def verdict(self) -> Verdict:
        told = [one for one in self.main if one.is_enough]
        if not told:
            return Verdict.NOTHING
        if not self.rests.apart:
            return Verdict.SAME
        signs = {one.gap.sign for one in told} - {0}
        if not signs:
            return Verdict.OPEN
        return Verdict.MIXED if len(signs) == 2 else Verdict.BETTER if 1 in signs else Verdict.WORSE

    @property
    def more(self) -> int | None:
        """About how many labels more would tell; None where no number can be said."""
        if self.verdict == Verdict.NOTHING:
            least = min((one.n_eff for one in self.main), default=0.0)
            return int(np.ceil(max(1.0, paired.ENOUGH - least)))
        needed = [one.more for one in self.main if one.is_enough and one.more is not None]
        return max(needed) if needed else None


def compare(
    queue: Queue, *, champion: str = "", challenger: str = "", days: int = DAYS, at: datetime
) -> Comparison | None:
    """Compare two models of a queue by the last days; one that is not named is the live one, and the one in shadow.

    None where there is no second model yet. Refuses names that are not there, one model twice, and windows too long.
    """
    if not 1 <= days <= LONGEST:
        raise Invalid(faults=[Fault("days", "range", _("must be from 1 to %(most)s") % {"most": LONGEST})])
    live = in_force.of(queue.slug)
    one = _named(queue, "champion", champion) if champion else live.model
    other = _named(queue, "challenger", challenger) if challenger else _contender(queue, one)
    if one is None or other is None:
        return None
    if one.pk == other.pk:
        raise Invalid(faults=[Fault("challenger", "same", _("A model is not compared with itself."))])
    return _compare(queue, live, (one, other), days, at)


Both = tuple[ModelVersion, ModelVersion]


def _compare(queue: Queue, live: Live, models: Both, days: int, at: datetime) -> Comparison:
    seen = window.read(queue.pk, at, days=days, filters=Filters())
    sampled, counts = seen.in_measured()
    sample = Sampled.of(sampled.all, models, live.spec.fields)
    champion, challenger = _contenders(live, models, sample)
    pairs = _pairs(live, (champion, challenger), sample, at)
    span = sum(((end - start) for start, end in seen.measured), timedelta()) / timedelta(days=1)
    per_day = counts.count(is_model=True) / span if span else 0.0
    told = ~np.isnan(sample.used.y)
    return Comparison(
        queue=queue,
        champion=champion,
        challenger=challenger,
        start=seen.start,
        end=seen.end,
        days=days,
        rests=_rests(sample, pairs, models, per_day),
        figures=tuple(_daily(one, per_day) for one in paired.figures(pairs)),
        segments=_segments(pairs, sample.used.segment[told], per_day),
        advice=_advice(live, pairs, sample.scores[1][told], models[1]),
        target=live.policy.precision_target,
        has_frames=bool(seen.measured),
    )


@dataclass(frozen=True)
class Sampled:
    """Sampled items: all of them, and those `used`, with both models' `scores` of these."""

    asked: int
    unscored: int
    learnt: int
    used: Labelled
    scores: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, rows: Labelled, models: Both, fields: Sequence[PayloadField]) -> "Sampled":
        one, other = (_scores(rows, model) for model in models)
        both = ~np.isnan(one) & ~np.isnan(other)
        kept = both & ~_learnt(rows, models, fields)
        left = int((~both).sum()), int((both & ~kept).sum())
        return cls(len(rows), *left, rows.where(kept), (one[kept], other[kept]))


def _contenders(live: Live, models: Both, sample: Sampled) -> tuple[Contender, Contender]:
    champion = _pinned(live, models[0]) or Contender(models[0], None, live.policy.hard, live.policy.soft)
    return champion, _pinned(live, models[1]) or _alike(models[1], champion, sample)


def _pairs(live: Live, contenders: tuple[Contender, Contender], sample: Sampled, at: datetime) -> Pairs:
    one, other = (
        PairSide(codes(policy.bands(scores, contender.cuts())), live.policy.control_share)
        for scores, contender in zip(sample.scores, contenders, strict=True)
    )
    return Pairs.answered(
        y=sample.used.y,
        pi=sample.used.pi,
        stratum=_strata(sample.used),
        live=one,
        new=other,
        amounts=_amounts(live, sample.used),
        look=live.spec.value.review_minute * (staff.handling(live.queue_id, at) or HANDLING) / 60,
    )


def _rests(sample: Sampled, pairs: Pairs, models: Both, per_day: float) -> Rests:
    told = ~np.isnan(sample.used.y)
    return Rests(
        asked=sample.asked,
        unscored=sample.unscored,
        learnt=sample.learnt,
        unknown=tuple(model.name for model in models if registry.learnt(model) is None),
        answers=len(pairs),
        apart=int(pairs.apart.sum()),
        backfilled=_backfilled(sample.used, models[1]),
        simulated=int(sample.used.is_simulated[told].sum()),
        per_day=per_day,
    )


def _named(queue: Queue, field: str, name: str) -> ModelVersion:
    found = None if "\0" in name else ModelVersion.objects.filter(queue=queue, name=name).first()
    if found is None:
        raise Invalid(faults=[Fault(field, "reference", _("There is no such model in this queue."))])
    return found


def _contender(queue: Queue, champion: ModelVersion | None) -> ModelVersion | None:
    """Return the model in shadow that was started last, else the newest one that has a file."""
    running = Shadow.objects.running().filter(queue=queue).select_related("model").order_by("-pk").first()
    if running is not None:
        return running.model
    others = ModelVersion.objects.filter(queue=queue, kind=ModelVersion.Kind.PIPELINE)
    return (others.exclude(pk=champion.pk) if champion else others).order_by("-pk").first()


def _scores(rows: Labelled, model: ModelVersion) -> FloatArray:
    """Return what a model said of each item, NaN where it said nothing: as it routed it, or beside the one that did."""
    beside = recent.mapped(rows.item, recent.scores(rows.item, model.pk))
    return np.where(rows.model == model.pk, rows.score, beside)


def _pinned(live: Live, model: ModelVersion) -> Contender | None:
    """Return a model with the cuts of the policy that pins it: the live one or the canary, else the newest."""
    found = live.pinned.get(model.pk)
    found = found or Policy.objects.filter(queue=live.queue_id, model=model).order_by("-no").first()
    if found is None:
        return None
    return Contender(model, found, found.hard, found.soft)


def _alike(model: ModelVersion, champion: Contender, sample: Sampled) -> Contender:
    """Return a model with cuts that ask as much of people and of the machine as the champion's on these items."""
    if not len(sample.used) or champion.soft is None:
        return Contender(model, None, champion.hard, champion.soft)
    weights = 1.0 / sample.used.pi
    bands = policy.bands(sample.scores[0], champion.cuts())
    shares = paired.share_of(weights, bands == "hard"), paired.share_of(weights, bands == "soft")
    hard, soft = paired.alike(sample.scores[1], weights, shares)
    low, high = model.score_low, model.score_high
    cut = None if champion.hard is None else _within(hard, low, high)
    return Contender(model, None, cut, _within(soft, low, high))


def _within(cut: float, low: float, high: float) -> float:
    return float(min(high, max(low, round(cut, 6))))


def _learnt(rows: Labelled, models: Both, fields: Sequence[PayloadField]) -> BoolArray:
    """Tell which items one of the models learnt from, by what was known of them, whatever their answer was then."""
    known = frozenset[bytes]().union(*(registry.learnt(model) or () for model in models))
    if not known:
        return np.zeros(len(rows), dtype=np.bool_)
    with connection.cursor() as cursor:
        cursor.execute(BODY, [rows.item[~np.isnan(rows.y)].tolist()])
        learnt = [item for item, text in cursor.fetchall() if not known.isdisjoint(_prints(text, fields))]
    return np.isin(rows.item, learnt)


def _prints(text: str, fields: Sequence[PayloadField]) -> list[bytes]:
    """Return how a model may know an item: as it was sent, or as a data set has it, each with either answer."""
    sent = orjson.loads(text)["payload"]
    kept = {one.name: parquet.column_value(sent.get(one.name), one) for one in fields}
    return [frozen.fingerprint(one, is_positive=answer) for one in (sent, kept) for answer in (True, False)]


def _strata(rows: Labelled) -> IntArray:
    """Return the design that asked for each item, with its stratum of score."""
    found = np.zeros(len(rows), dtype=np.intp)
    told = ~np.isnan(rows.y)
    for number, purpose in enumerate(np.unique(rows.purpose)):
        own = rows.purpose == purpose
        found[own] = number * (estimates.STRATA + 1) + estimates.strata(rows.floored[own], told[own])
    return found


def _amounts(live: Live, rows: Labelled) -> Amounts | None:
    """Return the money of each item as a true or false positive or negative; None without a value formula."""
    value = live.spec.value
    if not value.currency:
        return None
    names = {money.field for money in (value.tp, value.fp, value.tn, value.fn) if money.field}
    looked_up = {name: recent.field_values(rows.item, name) for name in names - {live.spec.value_field}}
    return Amounts.of(value, {live.spec.value_field: rows.value, **looked_up}, len(rows))


def _backfilled(rows: Labelled, model: ModelVersion) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BACKFILLED, [rows.item.tolist(), model.pk])
        return int(cursor.fetchone()[0])


def _daily(figure: Figure, per_day: float) -> Figure:
    """Return money of an item as money of a day; shares as they are."""
    if figure.key != BRINGS:
        return figure

    def times(one: paired.Estimate) -> paired.Estimate:
        values: Any = (one.value, one.low, one.high)
        return paired.Estimate(*(None if value is None else value * per_day for value in values))

    return replace(figure, live=times(figure.live), new=times(figure.new), gap=times(figure.gap))


def _segments(pairs: Pairs, names: Any, per_day: float) -> tuple[tuple[str, int, tuple[Figure, ...]], ...]:
    """Return the figures of each segment, the one with most answers first; none where there is only one."""
    kinds, counts = np.unique(names.astype(str), return_counts=True)
    if len(kinds) < 2:
        return ()
    weights = 1.0 / pairs.pi
    found = []
    for place in np.argsort(-counts, kind="stable")[:SEGMENTS]:
        own = np.asarray(names == kinds[place])
        part = per_day * float(weights[own].sum() / weights.sum())
        figures = tuple(_daily(one, part) for one in paired.figures(pairs.at(own)))
        found.append((str(kinds[place]), int(counts[place]), figures))
    return tuple(found)


def _advice(live: Live, pairs: Pairs, scores: FloatArray, model: ModelVersion) -> Advice | None:
    """Return the hard cut of the new model that the answers certify under the policy's precision target."""
    target = live.policy.precision_target
    if target is None or not len(pairs):
        return None
    grid = model.score_low + thresholds.GRID * (model.score_high - model.score_low)
    return thresholds.hard(scores, pairs.y, 1.0 / pairs.pi, target=target, candidates=grid)
