"""How a queue keeps its deadlines: what was in time, what will not be, and which tasks those are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _

from decisions import redact, rights
from decisions.exceptions import Fault, Invalid
from decisions.measure import breaches, floor, intervals, sla
from decisions.measure.breaches import Coming, Due, Risk
from decisions.measure.rollups import HOUR, LATE, LATER
from decisions.models import Queue, Rollup, Task, User
from decisions.queues.relief import Relief
from decisions.rights import Act

WINDOW = timedelta(days=7)  # of the shares that were in time
DAYS, HOURS = 28, 48  # in the chart
LEAST = 0.5  # of a task that will be late, from which on it is told
IN_TURN = 0.5  # audits and second opinions have places by lot: on average half of their time is before their place


class By(StrEnum):
    """What one bar of the chart is."""

    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True)
class Kept:
    """What became of deadlines: decided in time, decided late, ended by the expiry rule, by that rule's word."""

    met: int = 0
    late: int = 0
    expired: Mapping[str, int] | None = None

    @property
    def ended(self) -> int:
        return sum((self.expired or {}).values())

    @property
    def of(self) -> int:
        return self.met + self.late + self.ended

    @property
    def share(self) -> float | None:
        return self.met / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return intervals.wilson(self.met, self.of) if self.of else None


@dataclass(frozen=True)
class Listed:
    """A page of tasks, how many of it the person may not know of, and the task after which the next page begins."""

    tasks: Sequence[Task]
    hidden: int
    next: int | None


@dataclass(frozen=True)
class Period:
    """An hour or a day of the queue, from `at` on."""

    at: datetime
    kept: Kept


@dataclass(frozen=True)
class Pressure:
    """What is late, and what will be if people go on as they do; as of the last count, `fresh_at` None without one."""

    fresh_at: datetime | None
    late: int
    by_purpose: Mapping[str, int]  # of what is late
    risks: Sequence[Risk]  # hours in which something is due
    later: int  # due too far ahead to say

    @property
    def at_risk(self) -> int:
        """How many tasks will be late that are not yet."""
        return round(sum(risk.breaching for risk in self.breaching))

    @property
    def load(self) -> float:
        """What must be done by some deadline over what can be by then: the worst of all."""
        return max((risk.load for risk in self.risks), default=0.0)

    @property
    def breaching(self) -> list[Risk]:
        return [risk for risk in self.risks if risk.breaching >= LEAST]

    @property
    def first_at(self) -> datetime | None:
        """The end of the first hour in which a deadline will be missed."""
        return self.breaching[0].by if self.breaching else None


def pressure(queue: Queue, at: datetime) -> Pressure:
    """Return which deadlines will be missed if people go on as they do, from the counts of each hour's deadlines."""
    rows = list(Rollup.objects.filter(queue=queue, figure="due", at__lte=at))
    late: dict[str, int] = {}
    due: dict[datetime, float] = defaultdict(float)
    later = 0
    for row in rows:
        purpose, _colon, place = row.key.partition(":")
        if place == LATE:
            late[purpose] = int(row.value)
        elif place == LATER:
            later += int(row.value)
        else:
            due[datetime.fromtimestamp(int(place), UTC)] += row.value
    ahead = [Due(by, tasks) for by, tasks in sorted(due.items()) if by > at]
    spans, rate = floor.supply(queue.pk, at)
    found = breaches.risks(sum(late.values()), ahead, _coming(queue, at), spans, rate=rate, at=at)
    counted = Rollup.objects.filter(queue=queue, figure="counted", at__lte=at).order_by("-at").first()
    return Pressure(counted.made_at if counted else None, sum(late.values()), late, found, later)


def _coming(queue: Queue, at: datetime) -> list[Coming]:
    return [
        Coming(per_hour, _after(queue, purpose, at))
        for purpose, per_hour in floor.opened_per_hour(queue.pk, at).items()
    ]


def _after(queue: Queue, purpose: str, at: datetime) -> timedelta:
    """Return how far ahead the place of a task is that comes now; controls go to the front."""
    if purpose == Task.Purpose.CONTROL:
        return timedelta(0)
    spec = queue.spec
    parts = {Task.Purpose.AUDIT.value: IN_TURN, Task.Purpose.SECOND.value: IN_TURN}
    if Relief.of(queue.overload).stretch:
        parts[Task.Purpose.SOFT.value] = spec.overload.stretch
    return sla.due(spec, spec.sla_of(purpose) * parts.get(purpose, 1.0), at) - at


def shares(queue_id: int, at: datetime) -> dict[str, Kept]:
    """Return by purpose how deadlines were kept by what ended in the last seven days; "" is all of them."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in _rows(queue_id, at - WINDOW, at):
        purpose, _colon, word = row.key.partition(":")
        for name in ("", purpose):
            counts[name][word] += int(row.value)
    return {name: _kept(words) for name, words in sorted(counts.items())}


def history(queue: Queue, at: datetime, *, by: By = By.DAY, purpose: str = "") -> list[Period]:
    """Return how deadlines were kept, by the queue's own days or by hours, oldest first, the last one not over yet."""
    starts = _days(at, queue.spec.zone) if by is By.DAY else _hours(at)
    counts: dict[datetime, dict[str, int]] = {start: defaultdict(int) for start in starts}
    zone = queue.spec.zone
    for row in _rows(queue.pk, starts[0], at):
        name, _colon, word = row.key.partition(":")
        start = _midnight(row.at, zone) if by is By.DAY else row.at
        if purpose in ("", name) and start in counts:
            counts[start][word] += int(row.value)
    return [Period(start, _kept(words)) for start, words in counts.items()]


def listed(
    queue: Queue, pressure: Pressure, at: datetime, *, person: User, after: int | None = None, count: int = 50
) -> Listed:
    """Return a page of the tasks that are late or will be, the first deadline first.

    `after` is the task at the end of the page before. Refuses who may not read the record, and an `after` that is none
    of the queue's tasks. Those to which the person is blind are counted only: a deadline and a purpose would tell.
    """
    standing = rights.require(person, Act.READ_RECORD, queue_id=queue.pk)
    last = Task.objects.filter(pk=after, queue=queue).first() if after is not None else None
    if after is not None and last is None:
        raise Invalid(faults=[Fault("after", "unknown", _("There is no such row to continue from."))])
    found = _tasks(queue.pk, pressure, at, after=last, count=count + 1)
    page = found[:count]
    seen = redact.for_many([task.item_id for task in page], standing=standing, user=person, spec=queue.spec)
    shown = [task for task in page if seen[task.item_id].history]
    return Listed(shown, len(page) - len(shown), page[-1].pk if len(found) > count else None)


def _tasks(queue_id: int, pressure: Pressure, at: datetime, *, after: Task | None, count: int) -> list[Task]:
    """Return the next tasks from the index of open ones by deadline: the cost does not grow with their number."""
    found: list[Task] = []
    for start, end in _ranges(pressure, at):
        rows = Task.objects.open().filter(queue=queue_id, due_at__gte=start, due_at__lt=end)
        if after is not None:
            beyond = Q(due_at__gt=after.due_at) | Q(due_at=after.due_at, pk__gt=after.pk)
            rows = rows.filter(beyond, due_at__gte=after.due_at)
        found += rows.select_related("item", "holder").order_by("due_at", "pk")[: count - len(found)]
    return found


def _ranges(pressure: Pressure, at: datetime) -> list[tuple[datetime, datetime]]:
    """Return the spans of deadlines that are, or will be, missed: what is late, then the hours at risk."""
    spans = [(sla.EPOCH, at)]
    for risk in pressure.breaching:
        start = max(at, risk.by - HOUR)
        if spans[-1][1] == start:
            spans[-1] = (spans[-1][0], risk.by)
        else:
            spans.append((start, risk.by))
    return spans


def _rows(queue_id: int, start: datetime, end: datetime) -> Iterable[Rollup]:
    return Rollup.objects.filter(queue=queue_id, figure__in=("answered", "expired"), at__gt=start - HOUR, at__lte=end)


def _kept(words: Mapping[str, int]) -> Kept:
    expired = {word: n for word, n in sorted(words.items()) if word not in ("met", "late")}
    return Kept(words.get("met", 0), words.get("late", 0), expired)


def _days(at: datetime, zone: ZoneInfo) -> list[datetime]:
    today = at.astimezone(zone).date()
    days = (today - timedelta(days=n) for n in reversed(range(DAYS)))
    return [datetime.combine(day, time.min, zone).astimezone(UTC) for day in days]


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(at.astimezone(zone).date(), time.min, zone).astimezone(UTC)


def _hours(at: datetime) -> list[datetime]:
    last = at.replace(minute=0, second=0, microsecond=0)
    return [last - HOUR * n for n in reversed(range(HOURS))]
