"""People against work: what a day can take, and when a backlog is gone; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from decisions.measure import capacity
from decisions.measure.capacity import Span
from decisions.routing.policy import FloatArray

USUAL = (0.1, 0.9)  # eight days of ten
FEWEST_DAYS = 5  # that tell what is usual


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


def usual(days: FloatArray) -> tuple[float, float] | None:
    """Return between what eight days of ten lie; None where too few were seen."""
    if len(days) < FEWEST_DAYS:
        return None
    low, high = np.quantile(days, USUAL)
    return float(low), float(high)


def time_to_empty(backlog: float, arrivals: float, staff: Staff, at: datetime) -> timedelta | None:
    """Return when a backlog is gone if so many items arrive a day, spread evenly; None: not within 28 days."""
    always = [Span(at, at + capacity.HORIZON, people=1)]
    return capacity.time_to_empty(backlog, arrivals=arrivals / 24, spans=always, rate=staff.per_day / 24, at=at)
