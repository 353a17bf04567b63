"""Which thresholds and which control share the numbers of the last days speak for."""

from dataclasses import dataclass

import numpy as np

from decisions.measure import advice, label_counts, thresholds
from decisions.measure.regions import World
from decisions.measure.supposed import prospects
from decisions.measure.supposed.recent import Recent
from decisions.measure.supposed.sides import Side
from decisions.measure.supposed.terms import Terms, score_range
from decisions.measure.supposed.worth import Amounts
from decisions.measure.thresholds import Advice, ControlAdvice, Crew, SoftAdvice, Traffic
from decisions.queues.live import Live
from decisions.routing.policy import FloatArray
from decisions.routing.simulate import Kind, Stream

DAY, WEEK = 86400.0, 7


@dataclass(frozen=True)
class Recommendation:
    """What is advised; None where there is nothing to go by, and `why_hard` says what is missing.

    `hard` is under the policy's precision `target`, `sentence` says it in words; `soft` is a day's, for the people
    named; `control` a week's. Without a value formula `currency` is "" and a review is worth the positives it finds.
    """

    target: float | None
    hard: Advice | None
    sentence: str
    why_hard: str
    soft: SoftAdvice | None
    control: ControlAdvice | None
    control_review: float  # money a week for the time of those who look at the control group
    currency: str


def of(live: Live, terms: Terms, seen: Recent) -> Recommendation:
    """Return what is advised for these people on what came in the window."""
    target, side = live.policy.precision_target, Side(terms, terms.cuts(live), seen)
    candidates = _candidates(live, seen.world)
    found = None
    if target is not None and len(candidates):
        found = _hard(seen.world, target, candidates)
    control = _control(side, target) if target is not None else None
    minute = live.spec.value.review_minute * terms.handling_seconds / 60
    return Recommendation(
        target=target,
        hard=found,
        sentence=advice.sentence(found, target=target) if found and target is not None else "",
        why_hard="" if found else "no_target" if target is None else "no_control",
        soft=_soft(live, side),
        control=control,
        control_review=control.given * minute if control else 0.0,
        currency=live.spec.value.currency,
    )


def _candidates(live: Live, world: World) -> FloatArray:
    """Return the thresholds that labels can speak for: above all items of a band in which nobody labelled any.

    From below they would rest on the labels above them alone. None is below SOFT.
    """
    low, high = score_range(live)
    told = np.unique(world.label_bands[world.told])
    floor = world.stream.score[~np.isin(world.item_bands, told)].max(initial=-np.inf)
    grid = low + thresholds.GRID * (high - low)
    least = -np.inf if live.policy.soft is None else live.policy.soft
    able = grid[(grid > floor) & (grid >= least)]
    is_told = len(able) and (world.labels.score[world.told] >= able.min()).any()
    return np.asarray(able if is_told else able[:0])


def _hard(world: World, target: float, candidates: FloatArray) -> Advice:
    labels = world.labels.part(world.told)
    return thresholds.hard(labels.score, labels.y, 1.0 / labels.pi, target=target, candidates=candidates)


def _soft(live: Live, side: Side) -> SoftAdvice | None:
    """Return the soft threshold that the people can work off, by whole days."""
    stream, terms = side.seen.world.stream, side.terms
    count = max(1, int(side.seen.days))
    back = ((side.seen.end.timestamp() - stream.arrived) // DAY).astype(np.int64)
    whole = stream.part(back < count)
    if not len(whole) or not terms.staff.per_day:
        return None
    traffic = Traffic(
        scores=whole.score,
        p=whole.p,
        harm=_harm(live, whole, side.seen),
        cost=np.full(len(whole), live.spec.value.review_minute * terms.handling_seconds / 60),
        slot=back[back < count],
        slots=count,
        weights=whole.weight,
    )
    a_day = side.volumes
    crew = Crew(
        people=terms.people,
        rate=terms.staff.per_hour,
        hours=terms.hours,
        control=a_day[Kind.CONTROL.value] + a_day[Kind.CHECKS.value],
        audits=a_day["audits"],
        seconds=a_day["seconds"],
    )
    return thresholds.soft(traffic, crew, hard=terms.hard)


def _harm(live: Live, stream: Stream, seen: Recent) -> FloatArray:
    """Return what a positive that people find is worth more than one that is missed; 1 where money was not named."""
    if seen.prices is None:
        return np.ones(len(stream))
    amounts = Amounts.of(live.spec.value, {live.spec.value_field: stream.value}, len(stream))
    if amounts is not None:
        return np.asarray(amounts.tp - amounts.fn)
    known = seen.prices.labels.tp - seen.prices.labels.fn
    return np.full(len(stream), known.mean() if len(known) else 0.0)


def _control(side: Side, target: float) -> ControlAdvice:
    """Return the control share that shows within a week a precision that is two points above its target."""
    a_week = (side.volumes[Kind.HARD.value] + side.volumes[Kind.CONTROL.value]) * WEEK
    seen = target + min(label_counts.ABOVE, (1.0 - target) / 2)
    precision = prospects.precision(side.supposed.hard)
    return thresholds.control_share(
        a_week,
        labels=label_counts.to_certify(seen, target),
        precision=1.0 if precision.value is None else precision.value,
        cost_of_delay=side.delay_cost,
    )
