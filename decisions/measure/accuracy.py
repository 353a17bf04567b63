"""How often a person errs, how sure that is, and how much of their work is checked because of it. Pure functions."""

from dataclasses import dataclass

from decisions.measure import intervals
from decisions.measure.columns import BoolArray
from decisions.measure.intervals import LEVEL

FEWEST = 30  # checked answers: below, a rate is not told
SURE = 0.99  # with which the error rate is above its limit before somebody is paused: it is looked at again and again
BOUND = 0.95  # of the error rate that the share of checks follows
WORST = 0.2  # the error rate at which a person's work is checked most, where the queue names no limit


@dataclass(frozen=True)
class Rate:
    """A share of `n` answers, `hits` of them, with its exact interval at 95 % (Clopper and Pearson 1934).

    `value` is None under 30 answers: not measured. The interval is told from the first answer on.
    """

    hits: int = 0
    n: int = 0

    @property
    def value(self) -> float | None:
        return self.hits / self.n if self.n >= FEWEST else None

    @property
    def limits(self) -> tuple[float, float]:
        return intervals.exact(self.hits, self.n, LEVEL) if self.n else (0.0, 1.0)

    def exceeds(self, other: "Rate") -> bool:
        """Tell whether this share is above another beyond chance (MOVER), both being measured."""
        if self.value is None or other.value is None:
            return False
        return intervals.difference(self.value, self.limits, other.value, other.limits)[0] > 0

    @property
    def low(self) -> float:
        return self.limits[0]

    @property
    def high(self) -> float:
        return self.limits[1]


def rate(hits: BoolArray, rows: BoolArray) -> Rate:
    """Return the share of the rows named that are hits."""
    return Rate(int((hits & rows).sum()), int(rows.sum()))


def share(wrong: int, n: int, *, least: float, most: float, limit: float | None = None) -> float:
    """Return the share of a person's work that is checked, from `least` to `most`; 0 where `least` is: it is off.

    It follows the upper limit of their error rate: who is new, or errs, is checked most, and less with each right
    answer. `limit` is the error rate at which the most is reached.
    """
    if least <= 0:
        return 0.0
    upper = intervals.exact_upper(wrong, n, BOUND) if n else 1.0
    return min(max(least, most), least + max(0.0, most - least) * min(1.0, upper / (limit or WORST)))


def is_too_wrong(wrong: int, n: int, limit: float | None) -> bool:
    """Tell whether the error rate is above its limit for sure: even its lower limit at 99 % is. Never without limit."""
    return limit is not None and n > 0 and intervals.exact_lower(wrong, n, SURE) > limit
