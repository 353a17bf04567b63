"""Which deadlines will be missed at the present pace: pure arithmetic over what is due when and who works when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from decisions.measure import capacity
from decisions.measure.capacity import Span

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Due:
    """Open tasks that are due by a time and after the one before it."""

    by: datetime
    tasks: float


@dataclass(frozen=True)
class Coming:
    """Tasks still to come, so many an hour, each in front of everything that is due later than `after` its arrival."""

    per_hour: float
    after: timedelta


@dataclass(frozen=True)
class Risk:
    """Of the tasks due by a time, how many will not be done by then.

    `load` is what must be done by then over what can be: above 1 something will be late, inf where nobody works.
    """

    by: datetime
    tasks: float
    breaching: float
    load: float


def risks(
    late: float, due: Sequence[Due], coming: Sequence[Coming], spans: Sequence[Span], *, rate: float, at: datetime
) -> list[Risk]:
    """Return for each span of deadlines how many tasks will be late, in the order of `due`.

    People take what is due first: what is late already, then what is due, and what comes meanwhile and is due sooner.
    What they cannot do by a deadline falls to the tasks of that deadline, for those are the last in the order. `rate`
    is decisions per person and hour.
    """
    found, ahead, done, since = [], late, 0.0, at
    for one in due:
        ahead += one.tasks
        done += capacity.decisions(spans, since, one.by, rate=rate)
        since = one.by
        sooner = sum(c.per_hour * max(0.0, (one.by - at - c.after) / HOUR) for c in coming)
        must = ahead + sooner
        found.append(Risk(one.by, one.tasks, min(one.tasks, max(0.0, must - done)), must / done if done else inf))
    return found
