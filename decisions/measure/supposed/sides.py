"""A policy with its people on what came lately: volumes, what was measured, and the work that it makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np

from decisions.measure import capacity, fan, forecast, intervals, outlook, staff
from decisions.measure.counts import floor_hour
from decisions.measure.fan import Fan, Work
from decisions.measure.forecast import History
from decisions.measure.intervals import Limits
from decisions.measure.regions import Band, Supposed
from decisions.measure.supposed import prospects, reach, staffing
from decisions.measure.supposed.prospects import Figure
from decisions.measure.supposed.recent import Recent
from decisions.measure.supposed.terms import Terms
from decisions.measure.supposed.worth import Plan
from decisions.queues.live import Live
from decisions.queues.spec import Spec
from decisions.routing import simulate
from decisions.routing.policy import Cuts, FloatArray
from decisions.routing.simulate import HOUR, KINDS, PEOPLE, Buckets, Kind, Routed
from decisions.work import quality

NEVER = "never"  # why there is no time at which a backlog is gone


@dataclass(frozen=True)
class Row:
    """One line of the comparison; `unit` is items (a day), share, hours (a day), seconds or money (a day).

    `limits` says what lies between the limits: eight of ten days ("days"), the truth at 95 % ("labels"), nine of ten
    futures ("futures"), or "" where there are none.
    """

    key: str
    unit: str
    limits: str
    live: Figure
    new: Figure
    gap: Figure


@dataclass(frozen=True)
class Now:
    """What there is to begin with: edges of the hours to come, what is overdue, and what waits by when it is due.

    `share` is the part of a day's work that is done in each step: as shifts are planned, evenly where they end sooner.
    """

    edges: Sequence[datetime]
    overdue: float
    owed: FloatArray
    share: FloatArray

    @classmethod
    def of(cls, queue_id: int, backlog: float, at: datetime) -> Self:
        """Return it for a queue; of the backlog that was counted, what has no deadline near is due later."""
        edges = outlook.steps(at, at + outlook.AHEAD)
        overdue, owed = outlook.owed(queue_id, edges)
        owed[-1] += max(0.0, backlog - overdue - owed.sum())
        days = np.array([(b - a) / timedelta(days=1) for a, b in pairwise(edges)])
        spans, source = staff.ahead(queue_id, at)
        if source == staff.SHIFTS and max(span.ends_at for span in spans) >= edges[-1]:
            planned = np.array([capacity.decisions(spans, a, b, rate=1.0) for a, b in pairwise(edges)])
            days = planned * days.sum() / planned.sum()
        return cls(edges, overdue, owed, days)


@dataclass(frozen=True)
class Side:
    """One of the two policies with its people, on what came."""

    terms: Terms
    cuts: Cuts
    seen: Recent

    @cached_property
    def routed(self) -> Routed:
        return simulate.routes(self.seen.stream, self.cuts)

    @cached_property
    def supposed(self) -> Supposed:
        return self._reached(Supposed.of(self.seen.world, self.cuts))

    @cached_property
    def audited(self) -> Supposed:
        """The same on what came while passes were audited: what was missed is known there."""
        return self._reached(Supposed.of(self.seen.audited, self.cuts))

    def _reached(self, sent: Supposed) -> Supposed:
        """Return what becomes of it where people do not reach all that they are sent."""
        return reach.apply(sent, self.late, self.seen.end.timestamp(), self.seen.lateness)

    @cached_property
    def late(self) -> FloatArray:
        """The part of each day's work, oldest first, that is not reached in time; the control group goes first."""
        days, rule = self.by_day, self.seen.lateness
        return reach.shares(days["tasks"], days["control"], self.terms.staff.per_day, rule.days)

    def done(self, of: str) -> float:
        """Return the part of the work of a kind that people get done in time: all of the control group."""
        work = self.by_day[of]
        rest = work - self.by_day["control"] if of == "tasks" else work * (of != "control")
        return 1.0 - float(self.late @ rest / work.sum()) if work.sum() else 1.0

    @cached_property
    def unreached(self) -> FloatArray:
        """Soft items and failed checks of each day that are not reached in time."""
        return self.late * (self.by_day["soft"] + self.by_day["checks"])

    @property
    def plan(self) -> Plan:
        return Plan(self.audited, self.terms.control_share)

    @cached_property
    def volumes(self) -> dict[str, float]:
        """Items a day of each kind, and what follows from them."""
        totals = self.routed.volumes(self.seen.stream.weight)
        a_day = {kind: np.array([total / self.seen.days]) for kind, total in totals.items()}
        return {name: float(volume[0]) for name, volume in self._with_audits(a_day).items()}

    @cached_property
    def by_day(self) -> dict[str, FloatArray]:
        """The same for each whole day, oldest first; where not even one is over, for what there is of it."""
        count = max(1, int(self.seen.days))
        spans = simulate.spans(self.seen.stream, self.routed, self.seen.end.timestamp(), count)
        return self._with_audits({kind: span / min(1.0, self.seen.days) for kind, span in spans.items()})

    def _with_audits(self, volumes: dict[Kind, FloatArray]) -> dict[str, FloatArray]:
        """Add the audits, the second opinions on them, and what all of it is: items to people, tasks, their share."""
        audits = np.minimum(self.terms.audit_budget, volumes[Kind.PASS])
        seconds = audits * (self.seen.found + (1 - self.seen.found) * quality.NEGATIVES)
        people = sum((volumes[kind] for kind in PEOPLE), audits)
        items = sum(volumes.values(), np.zeros(len(audits)))
        share = np.divide(people, items, out=np.zeros_like(people), where=items > 0)
        named = {kind.value: volume for kind, volume in volumes.items()}
        tasks = people + seconds
        return {**named, "audits": audits, "seconds": seconds, "people": people, "tasks": tasks, "queue_rate": share}

    @cached_property
    def delay_cost(self) -> float:
        """What it costs where a right hard action waits for a person, in money, on average over what is right."""
        hard, stream = self.supposed.items == Band.HARD, self.seen.world.stream
        right = np.nan_to_num((stream.weight * stream.p)[hard])
        return self.terms.delay_hours * float(np.average(self.seen.delays[hard], weights=right)) if right.sum() else 0.0

    @property
    def suggested(self) -> float:
        """How many a day of those that people get by their score come with the positive outcome suggested."""
        stream, parts = self.seen.stream, self.routed.parts
        positive = np.nan_to_num(stream.score, nan=-np.inf) >= self.terms.suggest
        return float(((parts[Kind.SOFT] + parts[Kind.CONTROL]) * positive) @ stream.weight) / self.seen.days

    @cached_property
    def hourly(self) -> History:
        """What people would have got in each whole hour that the items cover; audits spread over the day.

        Without what would have run out of time unseen, unless it waits on: nobody works on it. Where no whole hour is
        covered yet, one that has its part of a day.
        """
        seen, end = self.seen.stream.arrived, floor_hour(self.seen.end).timestamp()
        if not len(seen):
            return History(np.empty(0), np.empty(0))
        start = (seen.min() // HOUR + 1) * HOUR
        starts = np.arange(start, end, HOUR)
        if not len(starts):
            return History(np.array([end - HOUR]), np.array([self.volumes["tasks"] / 24]))
        weight = sum((self.routed.parts[kind] for kind in PEOPLE), np.zeros(len(seen))) * self.seen.stream.weight
        ends = self.seen.lateness.becomes != Band.NONE
        if ends:
            gone = self.late[reach.days(seen, self.seen.end.timestamp(), len(self.late))]
            weight = weight * (1.0 - gone * (self.routed.parts[Kind.CONTROL] == 0))
        inside = (seen >= start) & (seen < end)
        count = np.bincount(((seen[inside] - start) // HOUR).astype(np.intp), weight[inside], len(starts))
        even = (self.volumes["audits"] + self.volumes["seconds"]) / 24 * (self.done("audits") if ends else 1.0)
        return History(starts, np.asarray(count, dtype=np.float64) + even)

    def ahead(self, now: Now, spec: Spec) -> Fan:
        """Return where the backlog goes over the next days: the floor's forecast, on what these cuts send to people."""
        hours = now.edges[1].timestamp() - HOUR + np.arange(len(now.edges) - 1) * HOUR
        futures = forecast.futures(self.hourly, np.asarray(hours, dtype=np.float64), spec.zone, paths=outlook.PATHS)
        work = Work(
            now.overdue,
            now.owed,
            outlook.begun(futures, now.edges),
            outlook.due_steps(spec, now.edges),
            now.share * self.terms.staff.per_day,
        )
        return fan.run(work)

    def buckets(self, live: Live, within: tuple[float, float]) -> Buckets:
        """Return the volumes by day and hour of the week on the queue's clock."""
        return simulate.buckets(self.seen.stream, self.routed, live.spec.zone, *within)


def volumes(one: Side, other: Side) -> list[Row]:
    """Return how many items a day go which way, and how many of them to people."""
    names = (*(kind.value for kind in KINDS), "audits", "seconds", "people")
    return [
        *(daily(name, "items", one, other) for name in names),
        plain("suggested", "items", Figure(one.suggested), Figure(other.suggested)),
        daily("queue_rate", "share", one, other),
    ]


def daily(
    key: str, unit: str, one: Side, other: Side, *, of: str = "", factor: Callable[[Side], float] = lambda _: 1.0
) -> Row:
    """Return a line that is counted, not estimated, so that it differs from day to day only: volumes times a factor."""
    was, becomes = (side.volumes[of or key] * factor(side) for side in (one, other))
    days_was, days_becomes = (side.by_day[of or key] * factor(side) for side in (one, other))
    figures = _counted(was, days_was), _counted(becomes, days_becomes), _counted(becomes - was, days_becomes - days_was)
    return Row(key, unit, "days", *figures)


def _counted(value: float, days: FloatArray) -> Figure:
    limits = staffing.usual(days)
    return Figure(value, *limits) if limits else Figure(value)


def measured(one: Side, other: Side) -> list[Row]:
    """Return what labels say of the precision and the recall of both."""
    live, new = one.supposed, other.supposed
    return [
        Row(
            "precision",
            "share",
            "labels",
            prospects.precision(live.hard),
            prospects.precision(new.hard),
            prospects.precision_gap(live, new),
        ),
        Row(
            "soft_precision",
            "share",
            "labels",
            prospects.precision(live.soft),
            prospects.precision(new.soft),
            prospects.soft_gap(live, new),
        ),
        Row(
            "recall",
            "share",
            "labels",
            prospects.recall(one.audited),
            prospects.recall(other.audited),
            prospects.recall_gap(one.audited, other.audited),
        ),
    ]


def people(one: Side, other: Side, *, backlog: float, fans: tuple[Fan, Fan], now: Now) -> list[Row]:
    """Return the work that comes against the people who are there, and where the backlog goes."""
    rows = [
        daily("work_hours", "hours", one, other, of="tasks", factor=lambda side: 1 / side.terms.staff.per_hour),
        plain("capacity", "items", *(Figure(side.terms.staff.per_day) for side in (one, other))),
    ]
    if one.terms.staff.per_day and other.terms.staff.per_day:
        share = daily("utilisation", "share", one, other, of="tasks", factor=lambda side: 1 / side.terms.staff.per_day)
        rows.append(share)
    rows.append(_unreached(one, other))
    ends = [Figure(float(p.middle[-1]), float(p.low[-1]), float(p.high[-1])) for p in fans]
    drains = [_drain(side, backlog, now.edges[0]) for side in (one, other)]
    breaches = [_breach(one, now) for one in fans]
    return [
        *rows,
        Row("backlog", "items", "futures", ends[0], ends[1], difference(ends[1], ends[0])),
        plain("breach", "seconds", *breaches),
        plain("drain", "seconds", *drains),
    ]


def _breach(ahead: Fan, now: Now) -> Figure:
    """Return in how many seconds half of the futures have broken a deadline (or a tenth, where no half does)."""
    step = ahead.breach()
    return Figure(why=NEVER) if step is None else Figure((now.edges[step + 1] - now.edges[0]).total_seconds())


def _unreached(one: Side, other: Side) -> Row:
    """Return the items a day that people do not reach in time."""
    was, becomes = one.unreached, other.unreached
    means = float(was.mean()), float(becomes.mean())
    gap = _counted(means[1] - means[0], becomes - was)
    return Row("unreached", "items", "days", _counted(means[0], was), _counted(means[1], becomes), gap)


def _drain(side: Side, backlog: float, at: datetime) -> Figure:
    """Return in how many seconds the backlog is gone at the usual pace."""
    span = staffing.time_to_empty(backlog, side.volumes["tasks"], side.terms.staff, at)
    return Figure(why=NEVER) if span is None else Figure(span.total_seconds())


def plain(key: str, unit: str, was: Figure, becomes: Figure) -> Row:
    """Return a line of figures without limits."""
    known = was.value is not None and becomes.value is not None
    gap = Figure((becomes.value or 0.0) - (was.value or 0.0)) if known else Figure(why=was.why or becomes.why)
    return Row(key, unit, "", was, becomes, gap)


def difference(one: Figure, other: Figure) -> Figure:
    """Return one minus other as if nothing were shared between them: never too narrow (MOVER)."""
    guess = None if one.guess is None or other.guess is None else one.guess - other.guess
    if one.value is None or other.value is None:
        return Figure(guess=guess, why=one.why or other.why)
    return Figure(one.value - other.value, *intervals.difference(one.value, _ends(one), other.value, _ends(other)))


def _ends(figure: Figure) -> Limits:
    assert figure.low is not None
    assert figure.high is not None
    return figure.low, figure.high
