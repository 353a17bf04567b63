"""Backlog, capacity and time to empty: pure arithmetic over shifts and rates."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

STEP = timedelta(minutes=15)
HORIZON = timedelta(days=28)


@dataclass(frozen=True)
class Span:
    """People at work in [starts_at, ends_at); `rate` is decisions per person and hour, None = as measured."""

    starts_at: datetime
    ends_at: datetime
    people: int
    rate: float | None = None

    def hours_in(self, start: datetime, end: datetime) -> float:
        """Return the hours of the overlap with [start, end), at least 0."""
        overlap = min(self.ends_at, end) - max(self.starts_at, start)
        return max(0.0, overlap.total_seconds() / 3600)


@dataclass(frozen=True)
class Named:
    """A person planned by name in [starts_at, ends_at)."""

    person: int
    starts_at: datetime
    ends_at: datetime
    rate: float | None = None


@dataclass(frozen=True)
class Away:
    """A person who is away in [starts_at, ends_at)."""

    person: int
    starts_at: datetime
    ends_at: datetime


def staffed(counts: Sequence[Span], named: Sequence[Named], away: Sequence[Away]) -> list[Span]:
    """Return who is there, from numbers of people, names that fill these places, and who is away, in order of time.

    A name takes one place of the numbers planned at that time, of the first span that has one free, whether that
    person is there or not; a name beyond the numbers adds to them. Who is away is not there.
    """
    if not named:
        return list(counts)
    every: list[Span | Named | Away] = [*counts, *named, *away]
    marks = sorted({at for one in every for at in (one.starts_at, one.ends_at)})
    found = []
    for start, end in pairwise(marks):
        entered = [one for one in named if one.starts_at <= start < one.ends_at]
        gone = {one.person for one in away if one.starts_at <= start < one.ends_at}
        found += [Span(start, end, 1, one.rate) for one in entered if one.person not in gone]
        places = len({one.person for one in entered})
        for span in counts:
            if span.starts_at <= start < span.ends_at:
                taken = min(places, span.people)
                places -= taken
                if span.people > taken:
                    found.append(Span(start, end, span.people - taken, span.rate))
    return _joined(found)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans of the same time and rate as one, in order."""
    people: dict[tuple[datetime, datetime, float | None], int] = defaultdict(int)
    for span in spans:
        people[span.starts_at, span.ends_at, span.rate] += span.people
    return [Span(start, end, count, rate) for (start, end, rate), count in people.items()]


def decisions(spans: Iterable[Span], start: datetime, end: datetime, *, rate: float) -> float:
    """Return how many decisions fit in [start, end).

    People * rate * hours, at the measured rate where none is planned.
    """
    return sum(span.people * span.hours_in(start, end) * (rate if span.rate is None else span.rate) for span in spans)


def utilisation(arrivals: float, capacity: float) -> float | None:
    """Return work per capacity, both per hour; None where work arrives and there is no capacity at all."""
    if capacity > 0:
        return arrivals / capacity
    return None if arrivals > 0 else 0.0


def time_to_empty(
    backlog: float, *, arrivals: float, spans: Sequence[Span], rate: float, at: datetime
) -> timedelta | None:
    """Return when the backlog first reaches zero, or None when it does not within 28 days.

    backlog(t+1) = max(0, backlog + arrivals - capacity), in steps of 15 minutes along the shifts; `arrivals` and
    `rate` are per hour (and person).
    """
    hours = STEP.total_seconds() / 3600
    left, start = backlog, at
    while left > 0:
        end = start + STEP
        possible = decisions(spans, start, end, rate=rate)
        gain = possible - arrivals * hours
        if gain >= left:
            return start - at + STEP * (left / gain)
        left -= gain
        start = end
        if start - at >= HORIZON:
            return None
    return timedelta(0)


def expected_wait(backlog: float, throughput: float) -> timedelta | None:
    """Return how long what arrives now is in the queue if it goes on so, by Little's law (1961).

    Backlog / throughput per hour; None without throughput.
    """
    if throughput <= 0:
        return timedelta(0) if backlog == 0 else None
    return timedelta(hours=backlog / throughput)
