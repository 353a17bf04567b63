"""What is to come for a queue: tasks that will arrive, the backlog along the planned shifts, the first broken deadline.

The forecast rests on whole hours, so it changes once an hour and is kept meanwhile; the backlog and the plan of people
are read afresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Max, Min, QuerySet, Sum

from decisions.measure import capacity, fan, forecast, sla, staff
from decisions.measure.capacity import Span
from decisions.measure.counts import floor_hour
from decisions.measure.fan import Fan, Work
from decisions.measure.forecast import WEEKS, Coverage, Forecast, History
from decisions.models import Queue, Rollup
from decisions.queues.spec import Spec
from decisions.routing.policy import FloatArray
from decisions.routing.sampling import IntArray

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
AHEAD = timedelta(days=7)
PATHS = 500
KEPT = 32  # forecasts in memory, about 0.7 MB each
ARRIVED = ("opened", "reopened")


@dataclass(frozen=True)
class Arrivals:
    """What will arrive hour by hour, told from the weeks before; `futures` has a row for each of some futures.

    `since` is where what it rests on begins, None without any.
    """

    since: datetime | None
    forecast: Forecast
    futures: FloatArray
    coverage: Coverage


@dataclass(frozen=True)
class Plan:
    """Who works from now on, and how fast: `pace` is decisions per person and hour, None while nobody has decided.

    `until` is the end of the last shift where shifts are planned: past it nothing is known.
    """

    spans: tuple[Span, ...]
    source: str
    pace: float | None
    until: datetime | None

    def decisions(self, edges: Sequence[datetime]) -> FloatArray:
        """Return the decisions that fit between each two edges."""
        return np.array([capacity.decisions(self.spans, a, b, rate=self.pace or 0.0) for a, b in pairwise(edges)])

    def one_more(self, edges: Sequence[datetime], spec: Spec) -> FloatArray:
        """Return the decisions that one more person makes between each two edges.

        At work whenever anybody is; where nobody is, whenever the queue is open.
        """
        at_work = [span for span in self.spans if span.people > 0]
        rates = [span.rate for span in at_work if span.rate is not None]
        pace = self.pace or (sum(rates) / len(rates) if rates else 0.0)
        if not at_work:
            return np.array([sla.remaining(spec, b, a) / HOUR for a, b in pairwise(edges)]) * pace
        hours = [min(sum(one.hours_in(a, b) for one in at_work), (b - a) / HOUR) for a, b in pairwise(edges)]
        return np.array(hours) * pace


@dataclass(frozen=True)
class Outlook:
    """A queue's next seven days, or as far as shifts are planned; steps end with the hours of the clock.

    `fan` is None where nothing can be told of what arrives or of who works.
    """

    at: datetime
    edges: tuple[datetime, ...]
    arrivals: Arrivals
    plan: Plan
    backlog: float
    overdue: float
    work: Work
    fan: Fan | None

    @property
    def breach_at(self) -> datetime | None:
        """The end of the hour by which a deadline is broken; None where nine futures of ten keep them."""
        step = self.fan.breach() if self.fan else None
        return None if step is None else self.edges[step + 1]


def of(queue: Queue, at: datetime) -> Outlook:
    """Return what is to come for a queue."""
    arrivals, plan = arriving(queue, at), _plan(queue.pk, at)
    end = min(at + AHEAD, plan.until or at + AHEAD)
    edges = steps(at, end)
    work = _work(queue, arrivals.futures, edges, plan)
    is_told = arrivals.since is not None and (plan.pace is not None or any(span.rate for span in plan.spans))
    return Outlook(
        at=at,
        edges=tuple(edges),
        arrivals=arrivals,
        plan=plan,
        backlog=work.overdue + float(work.owed.sum()),
        overdue=work.overdue,
        work=work,
        fan=fan.run(work) if is_told else None,
    )


def steps(at: datetime, end: datetime) -> list[datetime]:
    """Return the edges of the steps: now, and the ends of the clock's hours until one is not before `end`."""
    edges, hour = [at], floor_hour(at) + HOUR
    while edges[-1] < end:
        edges.append(hour)
        hour += HOUR
    return edges


def arriving(queue: Queue, at: datetime) -> Arrivals:
    """Return what will arrive in this hour and those of the next seven days."""
    counted = Rollup.objects.filter(queue=queue, figure="counted", at__lte=at).order_by("-at").first()
    end = floor_hour(min(at, counted.made_at) if counted else at)
    imported = Rollup.objects.filter(queue=queue, figure="imported").order_by("-at").first()
    known = (queue.pk, queue.created_at, imported.made_at if imported else None)
    return _arriving(known, queue.spec.timezone, end, floor_hour(at))


@lru_cache(maxsize=KEPT)
def _arriving(known: tuple[int, datetime, datetime | None], zone: str, end: datetime, now: datetime) -> Arrivals:
    """Work it out; `known` is the queue, and when it was made (databases differ) and history was last brought in."""
    whole = history(known[0], end)
    recent, clock = whole.before(end.timestamp()), ZoneInfo(zone)
    ahead = now.timestamp() + np.arange(AHEAD / HOUR + 1) * HOUR.total_seconds()
    return Arrivals(
        since=datetime.fromtimestamp(recent.start[0], UTC) if len(recent.start) else None,
        forecast=forecast.predict(recent, ahead, clock),
        futures=forecast.futures(recent, ahead, clock, paths=PATHS),
        coverage=forecast.coverage(whole, clock, end.timestamp()),
    )


def history(queue_id: int, end: datetime) -> History:
    """Return how many tasks arrived in each whole hour before `end`, for twice the weeks that a forecast looks back.

    It begins with the first whole hour after something had arrived, and before that with what was imported: items that
    an earlier tool sent to people. What lies between the two is left out.
    """
    rows = Rollup.objects.filter(queue=queue_id, at__gte=end - 2 * WEEKS * WEEK, at__lt=end)
    flows = rows.filter(figure="flow", key__regex=f":({'|'.join(ARRIVED)})$")
    first = rows.filter(figure="arrivals").order_by("at").values_list("at", flat=True).first() or end
    earlier = rows.filter(figure="imported", at__lt=first)
    hours = [*_hours(earlier), *(first + HOUR * n for n in range(1, (end - first) // HOUR))]
    counts = {**_counts(earlier.filter(key="soft")), **_counts(flows.filter(at__gt=first))}
    return History(np.array([h.timestamp() for h in hours]), np.array([counts.get(h, 0.0) for h in hours]))


def _counts(rows: QuerySet[Rollup]) -> dict[datetime, float]:
    return {row["at"]: row["n"] for row in rows.values("at").annotate(n=Sum("value"))}


def _hours(imported: QuerySet[Rollup]) -> list[datetime]:
    """Return the hours that an earlier tool's history covers, without its last, which may be a part of one."""
    span = imported.aggregate(first=Min("at"), last=Max("at"))
    if span["first"] is None:
        return []
    return [span["first"] + HOUR * n for n in range((span["last"] - span["first"]) // HOUR)]


def _plan(queue_id: int, at: datetime) -> Plan:
    spans, source = staff.ahead(queue_id, at)
    until = max(span.ends_at for span in spans) if source == staff.SHIFTS else None
    return Plan(tuple(spans), source, staff.pace(queue_id, at), until)


def _work(queue: Queue, futures: FloatArray, edges: Sequence[datetime], plan: Plan) -> Work:
    """Return what waits and may come, against who works; of the hour that has begun what is left of it."""
    count = len(edges) - 1
    overdue, waiting = owed(queue.pk, edges)
    return Work(overdue, waiting, begun(futures[:, :count], edges), due_steps(queue.spec, edges), plan.decisions(edges))


def begun(futures: FloatArray, edges: Sequence[datetime]) -> FloatArray:
    """Return futures of whole hours as those of steps: of the hour that has begun what is left of it."""
    arrivals = futures.copy()
    arrivals[:, :1] *= (edges[1] - edges[0]) / HOUR
    return arrivals


def due_steps(spec: Spec, edges: Sequence[datetime]) -> IntArray:
    """Return the step in which what arrives in each step is due, as an item for people is; the number of steps: later.

    As if it came at the beginning of the step, so that a breach is told rather too early.
    """
    dues = [sla.due(spec, spec.sla_of("soft"), at) for at in edges[:-1]]
    ends = [edge.timestamp() for edge in edges]
    places = np.searchsorted(ends, [due.timestamp() for due in dues], side="left") - 1
    return np.asarray(np.clip(places, 0, len(edges) - 1))


def owed(queue_id: int, edges: Sequence[datetime]) -> tuple[float, FloatArray]:
    """Return the tasks that are past their deadline, and those that wait by the step in which they are due."""
    waiting = np.zeros(len(edges))
    latest = Rollup.objects.filter(queue=queue_id, figure="counted", at__lte=edges[0]).order_by("-at").first()
    if latest is None:
        return 0.0, waiting
    ends, overdue = [edge.timestamp() for edge in edges], 0.0
    for row in Rollup.objects.filter(queue=queue_id, figure="due", at=latest.at):
        when = row.key.partition(":")[2]
        if when == "late":
            overdue += row.value
        else:  # the end of the hour in which it is due
            end = np.inf if when == "later" else int(when)
            waiting[np.clip(np.searchsorted(ends, end, side="left") - 1, 0, len(edges) - 1)] += row.value
    return overdue, waiting
