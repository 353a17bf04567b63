"""The operating point: what the model and its policy really do, measured over a window, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from decisions.measure import curves, estimates, gold, misses, regions, reviewers, sla, window
from decisions.measure.columns import BoolArray
from decisions.measure.estimates import Count, Estimate, Share, Why
from decisions.measure.misses import Caught
from decisions.measure.reviewers import Errors
from decisions.measure.sample import Labelled, Purpose, State, floor_hour
from decisions.measure.window import DAY, Filters, Sample, Span, Window
from decisions.models import Item, ModelVersion, Policy, Queue
from decisions.queues.spec import Spec

POINTS = 30  # of a chart over time, at most
POOL = timedelta(days=7)  # that each of them rests on
REASON = Item.RouteReason


@dataclass(frozen=True)
class Asked:
    """How many items of a kind went to people, and what became of the question.

    `kept` is the share of them that the figures were read from.
    """

    items: int
    answered: int
    cant_tell: int
    waiting: int
    expired: int
    kept: float = 1.0


@dataclass(frozen=True)
class Apart:
    """Items that failed a check or fell below the model, never part of its precision; `share` of those answered."""

    reason: str
    items: int
    share: Share


@dataclass(frozen=True)
class OperatingPoint:
    """What was measured in [start, end); None of an estimate: not measured, its `why` says why.

    `hard` of `hard_items`, from the control group; `soft`, a census of what was answered. `recall` and `missed` hold
    for the items of the spans `measured`, whose audits have ended: `passes` passed and `caught` positives that somebody
    or something acted on. `harm` is what the misses cost, None where the queue's value formula does not say.
    `waiting` of these spans are in neither, `expired` count as passed. `errors` is what reviewers' own errors do to the
    misses. `simulated` labels are by simulated reviewers.
    """

    at: datetime
    fresh_at: datetime | None
    start: datetime
    end: datetime
    filters: Filters
    items: int
    hard_items: int
    hard: Share
    control: Asked
    soft: Share
    soft_asked: Asked
    measured: tuple[Span, ...]
    passes: int
    caught: float | None
    missed: Count
    harm: Count | None
    recall: Estimate
    audits: Asked
    errors: Errors
    apart: tuple[Apart, ...]
    simulated: int
    labels: int
    policy: Policy | None

    @property
    def is_partly_measured(self) -> bool:
        """Whether the spans that have recall are less than the window."""
        return sum(((b - a) for a, b in self.measured), timedelta()) < self.end - self.start


@dataclass(frozen=True)
class Moment:
    """One point of the chart: the figures of the days up to `at`, pooled."""

    at: datetime
    hard: Share
    soft: Share
    missed: Count
    recall: Estimate


@dataclass(frozen=True)
class Plane:
    """Precision and recall by threshold for one model, and where the live policy stands on it."""

    model: ModelVersion | None
    points: tuple[curves.Point, ...]
    hard: curves.Point | None = None
    soft: curves.Point | None = None


@dataclass(frozen=True)
class Page:
    """All that the page of an operating point shows, from one reading of the log.

    `calibrators` are the ids of those that made the probabilities of `calibration`; "" for scores as they came.
    """

    point: OperatingPoint
    moments: tuple[Moment, ...]
    plane: Plane
    calibration: tuple[curves.Bin, ...]
    calibrators: tuple[str, ...]


def point(
    queue_id: int,
    at: datetime,
    *,
    days: int = 28,
    model: str | None = None,
    policy: int | None = None,
    segment: str | None = None,
) -> OperatingPoint:
    """Return what was measured in the last days: whole hours, up to the last one that was counted."""
    filters = Filters(model, policy, segment)
    seen = window.read(queue_id, at, days=days, filters=filters)
    return _point(seen, filters, _queue(queue_id), _policy(queue_id, policy))


def between(queue_id: int, start: datetime, end: datetime, *, at: datetime) -> OperatingPoint:
    """Return what was measured of what arrived in [start, end), as it is known at `at`."""
    filters = Filters()
    seen = window.between(queue_id, start, end, at=at, filters=filters)
    return _point(seen, filters, _queue(queue_id), _policy(queue_id, None))


def page(queue_id: int, at: datetime, *, days: int, filters: Filters) -> Page:
    """Return the operating point with its chart over time, its plane and its calibration."""
    seen = window.read(queue_id, at, days=days, filters=filters, before=POOL // DAY)
    now = seen.narrowed(floor_hour(seen.end) - DAY * days, seen.end)
    queue, live = _queue(queue_id), _policy(queue_id, filters.policy)
    return Page(
        _point(now, filters, queue, live),
        over_time(seen, queue.spec, days=days),
        curve(queue_id, now, live, filters),
        calibration(now),
        calibrators(now),
    )


def over_time(seen: Window, spec: Spec, *, days: int) -> tuple[Moment, ...]:
    """Return the figures up to each day (or every few days), each pooled over the week before it, oldest first."""
    step = DAY * max(1, -(-days // POINTS))
    hour = floor_hour(seen.end)
    ends = [seen.end, *(hour - step * k for k in range(1, days // (step // DAY) + 1))]
    return tuple(
        _moment(seen.narrowed(floor_hour(end) - POOL, end), spec) for end in reversed(ends) if end > seen.start
    )


def curve(queue_id: int, seen: Window, live: Policy | None, filters: Filters) -> Plane:
    """Return the plane of the model that was asked for, else of the policy's: scores of two models do not compare.

    Weighted rows of all bands, of the spans that have recall. The policy's two thresholds are points of their own.
    """
    model = live.model if live else None
    if filters.model is not None:
        model = ModelVersion.objects.filter(queue=queue_id, name=filters.model).first()
    if model is None:
        return Plane(None, ())
    inner, counts = seen.in_measured()
    if not len(inner.audits) and counts.count(is_model=True, route="pass"):
        return Plane(model, ())
    rows = inner.all
    rows = rows.where((rows.model == model.pk) & ~np.isnan(rows.score))
    if np.isnan(rows.y).all():
        return Plane(model, ())
    told = curves.Rows(rows.score, rows.y, rows.pi, rows.floored)
    cuts = (live.hard, live.soft) if live and live.model_id == model.pk else (None, None)
    hard, soft = (None if cut is None else curves.above(cut, told) for cut in cuts)
    return Plane(model, tuple(curves.precision_recall(told)), hard, soft)


def calibration(seen: Window) -> tuple[curves.Bin, ...]:
    """Return what recalibrated probabilities foretold and what was found, in weighted bins."""
    rows = seen.in_measured()[0].all
    return tuple(curves.calibration(rows.p, rows.y, rows.pi)) if (~np.isnan(rows.y)).any() else ()


def calibrators(seen: Window) -> tuple[str, ...]:
    """Return which calibrators made these probabilities: those of the policies that routed the items."""
    rows = seen.in_measured()[0].all
    routed_by = np.unique(rows.policy[~np.isnan(rows.y)]).tolist()
    told = Policy.objects.filter(pk__in=routed_by).order_by("no").values_list("calibration", flat=True)
    return tuple(dict.fromkeys(str(one.get("id", "")) for one in told))


def _point(seen: Window, filters: Filters, queue: Queue, policy: Policy | None) -> OperatingPoint:
    control, soft, all_rows = seen.sample.control, seen.sample.soft, seen.sample.all
    inner, counts = seen.in_measured()
    passes = counts.count(is_model=True, route="pass")
    caught = _caught(inner, counts.count(is_model=True, band="hard"), seen.at, queue.spec)
    missed = _missed(inner, passes)
    known = gold.answers(queue.pk, start=seen.start, end=seen.end, at=seen.at)
    return OperatingPoint(
        at=seen.at,
        fresh_at=seen.fresh_at,
        start=seen.start,
        end=seen.end,
        filters=filters,
        items=seen.counts.count(),
        hard_items=seen.counts.count(is_model=True, band="hard"),
        hard=_hard(control, seen.counts.count(is_model=True, band="hard"), seen.at, queue.spec),
        control=_asked(control, seen.counts.count(reason="control")),
        soft=_soft(soft),
        soft_asked=_asked(soft, seen.counts.count(route="soft", reason="score")),
        measured=seen.measured,
        passes=passes,
        caught=caught.value,
        missed=missed,
        harm=_harmed(inner, missed, queue.spec),
        recall=misses.recall(caught, missed),
        audits=_asked(inner.audits, len(inner.audits)),
        errors=reviewers.errors(inner.audits, truths(queue.spec), passes=passes, gold=known),
        apart=_apart(seen),
        simulated=int((all_rows.is_simulated & ~np.isnan(all_rows.y)).sum()),
        labels=int((~np.isnan(all_rows.y)).sum()),
        policy=policy,
    )


def _moment(seen: Window, spec: Spec) -> Moment:
    inner, counts = seen.in_measured()
    missed = _missed(inner, counts.count(is_model=True, route="pass"))
    caught = _caught(inner, counts.count(is_model=True, band="hard"), seen.at, spec)
    soft = seen.sample.soft
    return Moment(
        seen.end,
        _hard(seen.sample.control, seen.counts.count(is_model=True, band="hard"), seen.at, spec),
        _soft(soft),
        missed,
        misses.recall(caught, missed),
    )


def truths(spec: Spec) -> Mapping[str, str]:
    """Return what each outcome says about the question."""
    return {outcome.key: outcome.truth.value for outcome in spec.outcomes}


def _soft(rows: Labelled) -> Share:
    """Return the precision of SOFT: of what was answered, between what it is if the rest is all one or other."""
    return _with(rows, np.isin(rows.state, [State.OPEN.value, State.EXPIRED.value]))


def _hard(control: Labelled, items: int, at: datetime, spec: Spec) -> Share:
    """Return the precision of HARD from its control group, between what it is if those that got stuck are one or other.

    The group goes to the front in the order of arrival, so that those not answered yet are like the others, but for
    what was passed over: one that waits though a later one was answered, or is overdue, and one that expired.
    """
    if items and not len(control):
        return replace(estimates.precision(control.y, control.pi), why=Why.NO_CONTROL)
    asked = np.isin(control.state, [State.ANSWERED.value, State.CANT_TELL.value])
    step = spec.sla_step.total_seconds()
    newest = np.ceil(control.arrived[asked].max(initial=0.0) / step) * step  # within a step another order decides
    span = spec.sla_of(Purpose.CONTROL) // sla.MICROSECOND
    due = sla.after((control.arrived * 1e6).astype(np.int64), np.array(span), spec.calendar, spec.timezone) / 1e6
    stuck = (control.state == State.OPEN.value) & ((control.arrived <= newest) | (due <= at.timestamp()))
    return _with(control, stuck | (control.state == State.EXPIRED.value))


def _with(rows: Labelled, unknown: BoolArray) -> Share:
    answered = float(rows.weight[~np.isnan(rows.y)].sum())
    return estimates.with_unknown(estimates.precision(rows.y, rows.pi), answered, float(rows.weight[unknown].sum()))


def _caught(rows: Sample, hard_items: int, at: datetime, spec: Spec) -> regions.Sum:
    """Return the positives that somebody or something acted on: those that people found, and the precise part of HARD.

    A control item that expired was left alone, so it is not part of HARD here.
    """
    soft, control = rows.soft, rows.control
    told = soft.where(~np.isnan(soft.y))
    found = misses.missed(told.y, told.pi, told.floored) if len(told) else Caught(0.0)
    left = hard_items - int((control.state == State.EXPIRED.value).sum())
    acted = Caught(0.0, max(0, left), _hard(control, hard_items, at, spec))
    return regions.Sum(tuple(regions.Within(known, 1.0, 0.0) for known in (found, acted)))


def _missed(rows: Sample, passes: int) -> Count:
    """Return the positives that nobody acted on: of what was passed by its audits, and of what expired."""
    audits, gone = rows.audits, _gone(rows)
    if not passes and not len(gone.y):
        return Count(0.0, 0.0, 0.0, of=0) if len(rows.soft) + len(rows.control) else Count(why=Why.NO_LABELS)
    if passes and not len(audits):
        return Count(why=Why.NO_LABELS, of=passes)
    expired = round(float((1.0 / gone.pi).sum()))
    return misses.missed(
        np.concatenate([audits.y, gone.y]),
        np.concatenate([audits.pi, gone.pi]),
        np.concatenate([audits.floored, gone.p]),
        of=passes + expired,
    )


def _gone(rows: Sample) -> reviewers.StandIns:
    return reviewers.stand_ins(rows.people if rows.has_expired else rows.soft.part(0, 0))


def _harmed(rows: Sample, missed: Count, spec: Spec) -> Count | None:
    """Return what the misses cost; None where the queue's value formula says nothing of that."""
    value, audits, gone = spec.value, rows.audits, _gone(rows)
    alike = max(0.0, value.tp.base - value.fn.base)
    if not value.is_harm_of_item and not alike:
        return None
    if missed.value is None or not (len(audits) + len(gone.y)):
        return Count(missed.value, missed.low, missed.high, why=missed.why)
    harm = np.concatenate([audits.harm, gone.harm])
    return misses.harmed(
        np.concatenate([audits.y, gone.y]),
        np.concatenate([audits.pi, gone.pi]),
        np.concatenate([audits.floored, gone.p]),
        harm if value.is_harm_of_item else np.full(len(harm), alike),
    )


def _asked(rows: Labelled, items: int) -> Asked:
    weight = rows.weight
    kept = float(1.0 / weight.max(initial=1.0))
    states = (State.ANSWERED, State.CANT_TELL, State.OPEN, State.EXPIRED)
    answered, cant_tell, waiting, expired = (round(float(weight[rows.state == one.value].sum())) for one in states)
    return Asked(items, answered, cant_tell, waiting, expired, kept)


def _apart(seen: Window) -> tuple[Apart, ...]:
    """Return what is not the model's to answer for, by reason."""
    reasons = (REASON.INPUT_CHECK, REASON.OUTPUT_CHECK, REASON.FALLBACK, REASON.FILTER, REASON.IMPORTED)
    kinds = [reason.value for reason in reasons]
    found = []
    for kind in kinds:
        rows = seen.sample.apart.where((seen.sample.apart.reason == kind) & (seen.sample.apart.route == "soft"))
        items = len(rows) if kind == REASON.IMPORTED else seen.counts.count(reason=kind)
        if items or len(rows):
            found.append(Apart(kind, items, estimates.precision(rows.y, rows.pi)))
    return tuple(found)


def _queue(queue_id: int) -> Queue:
    return Queue.objects.select_related("version").get(pk=queue_id)


def _policy(queue_id: int, no: int | None) -> Policy | None:
    """Return the policy that was asked for, else the live one."""
    policies = Policy.objects.filter(queue=queue_id).select_related("model")
    return (policies.filter(no=no) if no is not None else policies.live()).first()
