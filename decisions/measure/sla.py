"""Deadlines in a queue's business hours: when so much opening time has gone by, and how much of it is left.

Times in arrays are whole microseconds since 1970, so that going there and back is exact. A queue without opening hours
is open around the clock, and its business time is plain time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from decisions.queues import units
from decisions.queues.spec import Spec
from decisions.queues.spec_time import Calendar

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
YEARS = 3  # of opening hours that are laid out at once; where they do not suffice, twice as many, and so on


@dataclass(frozen=True)
class Opening:
    """When a queue is open: spans [opens, closes) in order, and the business time `before` each (all microseconds)."""

    opens: IntArray
    closes: IntArray
    before: IntArray

    def position(self, at: IntArray) -> IntArray:
        """Return the business time that has gone by at each time."""
        place = np.searchsorted(self.opens, at, side="right") - 1
        within = np.minimum(at, self.closes[place]) - self.opens[place]
        gone: IntArray = np.where(place < 0, 0, self.before[place] + within)
        return gone

    def instant(self, position: IntArray) -> IntArray:
        """Return the first time at which so much business time has gone by: a closing, not the next opening."""
        place = np.maximum(np.searchsorted(self.before, position, side="left") - 1, 0)
        at: IntArray = self.opens[place] + position - self.before[place]
        return at

    @property
    def total(self) -> int:
        """All the business time there is."""
        return int(self.before[-1] + self.closes[-1] - self.opens[-1])


def after(at: IntArray, span: IntArray, calendar: Calendar, zone: str) -> IntArray:
    """Return the times at which `span` (>= 0) of business time has gone by since `at`, shapes as numpy broadcasts them.

    What arrives while the queue is closed begins to count when it opens.
    """
    if calendar.is_always_open:
        return np.asarray(at + span)
    if not np.size(at):
        return np.zeros(np.broadcast_shapes(np.shape(at), np.shape(span)), dtype=np.int64)
    first, years = _year(np.min(at), zone), YEARS
    while True:
        opening = _opening(calendar, zone, first, years)
        position = opening.position(at) + span
        if np.max(position) < opening.total:
            return np.maximum(opening.instant(position), at)
        years *= 2


def left(at: IntArray, due: IntArray, calendar: Calendar, zone: str) -> IntArray:
    """Return the business time from `at` to `due`, below zero where `due` is over: what `after` takes."""
    if calendar.is_always_open or not np.size(at) or not np.size(due):
        return np.asarray(due - at)
    first, last = _year(min(np.min(at), np.min(due)), zone), _year(max(np.max(at), np.max(due)), zone)
    opening = _opening(calendar, zone, first, max(YEARS, last - first + 2))
    return opening.position(due) - opening.position(at)


def due(spec: Spec, span: timedelta, at: datetime) -> datetime:
    """Return when a queue has been open for `span` since a time."""
    return _moment(after(_micro(at), np.array(span // MICROSECOND), spec.calendar, spec.timezone))


def remaining(spec: Spec, due_at: datetime, at: datetime) -> timedelta:
    """Return how long a queue is open from a time until a deadline; below zero where that is over."""
    return int(left(_micro(at), _micro(due_at), spec.calendar, spec.timezone)) * MICROSECOND


def spread(spec: Spec, span: timedelta, at: datetime, lots: Sequence[float]) -> list[datetime]:
    """Return for each lot in [0, 1) the step of the queue that follows this part of a span of business time."""
    parts = (np.asarray(lots, dtype=np.float64) * (span // MICROSECOND)).astype(np.int64)
    return [
        rounded_up(EPOCH + one * MICROSECOND, spec.sla_step)
        for one in after(np.full(len(parts), _micro(at), dtype=np.int64), parts, spec.calendar, spec.timezone).tolist()
    ]


def rounded_up(at: datetime, step: timedelta) -> datetime:
    """Return the first multiple of the step, counted from 1970, that is not before a time."""
    return EPOCH + -((EPOCH - at) // step) * step


def _micro(at: datetime) -> IntArray:
    return np.array((at - EPOCH) // MICROSECOND, dtype=np.int64)


def _moment(at: IntArray | np.int64) -> datetime:
    return EPOCH + int(at) * MICROSECOND


def _year(at: np.int64, zone: str) -> int:
    return _moment(at).astimezone(ZoneInfo(zone)).year


@lru_cache(maxsize=64)
def _opening(calendar: Calendar, zone: str, year: int, years: int) -> Opening:
    """Lay out the opening hours of some years."""
    edges = [edge for day in _days(year, years) for edge in _edges(day, calendar, ZoneInfo(zone))]
    # Where the clock jumps over an opening the edges stay in order, and what was jumped over has no length.
    table = np.maximum.accumulate(np.array(edges, dtype=np.int64)).reshape(-1, 2)
    lengths = table[:, 1] - table[:, 0]
    return Opening(table[:, 0], table[:, 1], np.cumsum(lengths) - lengths)


def _days(year: int, years: int) -> Iterator[date]:
    first = date(year, 1, 1)
    return (first + DAY * n for n in range((date(year + years, 1, 1) - first).days))


def _edges(day: date, calendar: Calendar, zone: ZoneInfo) -> Iterator[int]:
    """Yield when a day's openings begin and end."""
    for text in calendar.hours_on(day):
        for minutes in units.hours(text):
            yield int(_micro(_instant(day, minutes, zone)))


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return when a zone's clocks show a time for the first time; the moment of the jump where they jump over it."""
    wall = datetime.combine(day, time.min) + timedelta(minutes=minutes)
    late, early = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    while late - early > MICROSECOND:
        middle = early + (late - early) // 2
        early, late = (early, middle) if middle.astimezone(zone).replace(tzinfo=None) > wall else (middle, late)
    return late
