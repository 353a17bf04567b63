"""People against work: what a day can take, and where the backlog goes under it; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from decisions.measure import capacity
from decisions.measure.capacity import Span
from decisions.routing.policy import FloatArray

AHEAD = 7  # days
PATHS = 500
BAND = (0.05, 0.5, 0.95)  # nine futures of ten lie between the outer two
USUAL = (0.1, 0.9)  # eight days of ten
FEWEST_DAYS = 5  # that tell what is usual
WEEK = 7


@dataclass(frozen=True)
class Staff:
    """People, the hours each works in a day, and the seconds that one decision takes."""

    people: float
    hours: float
    handling_seconds: float

    @property
    def per_hour(self) -> float:
        """Decisions of one person in an hour."""
        return 3600.0 / self.handling_seconds

    @property
    def per_day(self) -> float:
        """Decisions of all in a day, when nobody ever waits for work."""
        return self.people * self.hours * self.per_hour

    def worked(self, items: float) -> float:
        """Return the hours that so many decisions take."""
        return items / self.per_hour


@dataclass(frozen=True)
class Path:
    """The backlog at the end of each of the next days: between `low` and `high` in nine of ten futures."""

    low: FloatArray
    middle: FloatArray
    high: FloatArray


def usual(days: FloatArray) -> tuple[float, float] | None:
    """Return between what eight days of ten lie; None where too few were seen."""
    if len(days) < FEWEST_DAYS:
        return None
    low, high = np.quantile(days, USUAL)
    return float(low), float(high)


def path(backlog: float, days: FloatArray, per_day: float, *, ahead: int = AHEAD, seed: int = 0) -> Path:
    """Return where a backlog goes: backlog(t+1) = max(0, backlog + arrivals - capacity), day by day.

    A day's arrivals are those of a past day (`days`, oldest first, the last ends now), of the same weekday where one
    was seen, and vary as counts do (Poisson). `seed` fixes the draws, so that the same question has the same answer.
    """
    rng = np.random.default_rng(seed)
    waiting = np.full(PATHS, backlog)
    ends = np.empty((ahead, PATHS))
    for day in range(ahead):
        arrivals = rng.poisson(rng.choice(_like(days, day), PATHS))
        waiting = np.maximum(0.0, waiting + arrivals - per_day)
        ends[day] = waiting
    return Path(*np.quantile(ends, BAND, axis=1))


def _like(days: FloatArray, ahead: int) -> FloatArray:
    """Return the past days on the weekday of the day that begins `ahead` days from now; all where there is none."""
    back = np.arange(len(days), 0, -1)
    same = days[(back + ahead) % WEEK == 0]
    return same if len(same) else days


def time_to_empty(backlog: float, arrivals: float, staff: Staff, at: datetime) -> timedelta | None:
    """Return when a backlog is gone if so many items arrive a day, spread evenly; None: not within 28 days."""
    always = [Span(at, at + capacity.HORIZON, people=1)]
    return capacity.time_to_empty(backlog, arrivals=arrivals / 24, spans=always, rate=staff.per_day / 24, at=at)
