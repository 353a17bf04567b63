"""How a daily audit budget falls to frames and to the parts of a frame: pure, and exact to the unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
BLIND_TENTH = 10  # a tenth of a frame's budget goes to the segments that are not measured, besides their share


@dataclass(frozen=True)
class Day:
    """A day by a queue's own clock, [start, end) in UTC: 23 or 25 hours where the clock changes."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> "Day":
        """Return the day in which a time lies."""
        today = at.astimezone(zone).date()
        return cls(_midnight(today, zone), _midnight(today + timedelta(days=1), zone))

    def spent(self, budget: int, until: datetime) -> int:
        """Return how much of the day's budget is due by a time: in proportion to what has gone by, rounded down.

        What a frame gets is the difference between its ends, so the frames of a day have the whole budget between them,
        and its last one always has some.
        """
        gone = (min(max(until, self.start), self.end) - self.start) // MICROSECOND
        return budget * gone // ((self.end - self.start) // MICROSECOND)

    def share(self, budget: int, start: datetime, end: datetime) -> int:
        """Return the part of the day's budget that falls to [start, end)."""
        return self.spent(budget, end) - self.spent(budget, start)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def split(budget: int, passes: Sequence[int]) -> list[int]:
    """Return the budget of each stratum from how many passes each has: [all] or [the rest, the blind spots].

    Blind spots get a tenth of the budget and their share of the remainder; what one stratum has no passes for goes to
    the other, so that the whole budget is spent while there are passes. From ten audits on none is left without.
    """
    if len(passes) == 1:
        return [min(budget, passes[0])]
    rest, blind = passes
    extra = budget // BLIND_TENTH
    wanted = extra + (budget - extra) * blind // (rest + blind)
    to_blind = min(blind, max(wanted, budget - rest))
    return [min(rest, budget - to_blind), to_blind]
