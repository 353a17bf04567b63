"""The ladder by the hour and by the day: which rung scored items, what broke, and when it last did."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import localtime

from decisions.measure.counts import floor_hour
from decisions.measure.rollups import HOUR
from decisions.models import Item, ModelVersion, Rollup
from decisions.queues.live import Live

HOURS, DAYS = 24, 28
RUNGS = tuple(rung.value for rung in Item.Rung)
BELOW = (Item.Rung.SIMPLER, Item.Rung.HEURISTIC, Item.Rung.PEOPLE)


@dataclass(frozen=True)
class Span:
    """One hour or day that begins at `at`, with how many items each rung scored; `remembered` scores of models."""

    at: datetime
    rungs: dict[str, int]
    remembered: int

    @property
    def total(self) -> int:
        """All items of the span."""
        return sum(self.rungs.values())

    @property
    def below(self) -> int:
        """How many were scored below the model, or by nothing."""
        return sum(self.rungs.get(rung, 0) for rung in BELOW)


@dataclass(frozen=True)
class Failure:
    """What failed, how often in 24 hours and 28 days, and the hour in which it last did.

    `item` is the last one of that hour; who is blind to it may not be told.
    """

    code: str
    day: int
    month: int
    last_hour: datetime
    item: int | None


@dataclass(frozen=True)
class Ladder:
    """What the ladder did. `hours` and `days` are oldest first, the last one not over yet."""

    model: ModelVersion | None
    simpler: ModelVersion | None
    rules: int
    hours: list[Span]
    days: list[Span]
    failures: list[Failure]


Row = tuple[str, str, datetime, float]  # figure, key, hour, value


def of(queue: Live, at: datetime) -> Ladder:
    """Return the ladder's figures from the hourly roll-ups: they cost the same at any size of history.

    Days are those of the queue's zone.
    """
    midnight = _midnight(at, queue.spec.zone)
    days = [_midnight(midnight - timedelta(days=n, hours=-12), queue.spec.zone) for n in range(DAYS - 1, -1, -1)]
    hours = [floor_hour(at) - HOUR * n for n in range(HOURS - 1, -1, -1)]
    rows = _rows(queue.queue_id, min(days[0], hours[0]), at)
    return Ladder(
        model=queue.model,
        simpler=queue.simpler,
        rules=len(queue.spec.heuristics),
        hours=_spans(rows, hours, lambda hour: hour),
        days=_spans(rows, days, lambda hour: _midnight(hour, queue.spec.zone)),
        failures=_failures(queue.queue_id, rows, hours[0]),
    )


def last_hour(queue_id: int, at: datetime) -> dict[str, int]:
    """Return how many items each rung scored in the hour that is not over yet and the one before it."""
    found: Counter[str] = Counter(dict.fromkeys(RUNGS, 0))
    for figure, key, _hour, value in _rows(queue_id, floor_hour(at) - HOUR, at):
        if figure == "rungs":
            found[key.partition(":")[0]] += int(value)
    return dict(found)


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return localtime(at, zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _rows(queue_id: int, first: datetime, at: datetime) -> list[Row]:
    figures = ("rungs", "failures", "remembered")
    rows = Rollup.objects.filter(queue=queue_id, figure__in=figures, at__gte=first, at__lte=at)
    return list(rows.values_list("figure", "key", "at", "value"))


def _spans(rows: Iterable[Row], begins: Sequence[datetime], begin_of: Callable[[datetime], datetime]) -> list[Span]:
    rungs: dict[datetime, Counter[str]] = defaultdict(Counter)
    remembered: Counter[datetime] = Counter()
    for figure, key, hour, value in rows:
        if figure == "rungs":
            rungs[begin_of(hour)][key.partition(":")[0]] += int(value)
        elif figure == "remembered":
            remembered[begin_of(hour)] += int(value)
    return [Span(at, {rung: rungs[at][rung] for rung in RUNGS}, remembered[at]) for at in begins]


def _failures(queue_id: int, rows: Iterable[Row], day: datetime) -> list[Failure]:
    counts: dict[str, dict[datetime, int]] = defaultdict(dict)
    for figure, code, hour, value in rows:
        if figure == "failures" and value:
            counts[code][hour] = int(value)
    found = [
        Failure(
            code=code,
            day=sum(n for hour, n in by_hour.items() if hour >= day),
            month=sum(by_hour.values()),
            last_hour=max(by_hour),
            item=_last(queue_id, code, max(by_hour)),
        )
        for code, by_hour in counts.items()
    ]
    return sorted(found, key=lambda failure: failure.last_hour, reverse=True)


def _last(queue_id: int, code: str, hour: datetime) -> int | None:
    """Return the item in which something last failed: looked for in the one hour that the roll-ups name."""
    within = Item.objects.filter(queue=queue_id, arrived_at__gte=hour, arrived_at__lt=hour + HOUR)
    return within.filter(failures__contains=[code]).order_by("-arrived_at").values_list("pk", flat=True).first()
