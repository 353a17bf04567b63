"""How many labels it takes to say that precision is above its target, or below it."""

from itertools import count

import numpy as np
from scipy import stats

from decisions.measure.intervals import exact_lower

LEVEL = 0.95  # of guarantees, one-sided
POWER = 0.8  # the chance that a fall is seen
ENOUGH = 10_000_000  # labels; more than anybody can give
ABOVE = 0.02  # by how much precision is above its target where a week's control group should show that it is
CHUNK = 4096  # of numbers tried at once


def to_bound(precision: float, target: float, *, least: int) -> int:
    """Return the fewest labels, `least` or more, whose exact one-sided 95 % bound reaches the target at this precision.

    Clopper and Pearson (1934), with a number of errors that need not be whole. `precision` and `target` in (0, 1], the
    first above the second.
    """
    low, high = 0, least
    while exact_lower(precision * high, high, LEVEL) < target and high < ENOUGH:
        low, high = high, 2 * high
    while low and high - low > 1:
        middle = (low + high) // 2
        reached = exact_lower(precision * middle, middle, LEVEL) >= target
        low, high = (low, middle) if reached else (middle, high)
    return high


def to_certify(precision: float, target: float) -> int:
    """Return n* to see that `precision` is above `target`: 361 for .97 against .95.

    The fewest labels whose exact one-sided 95 % bound reaches the target when the errors found are those expected,
    rounded up. Refuses a precision that is not above its target.
    """
    if not 0 < target < precision <= 1:
        raise ValueError("only a precision above its target can be certified")
    for errors in count():
        n = _with_errors(errors, target)
        if n * (1 - precision) <= errors + 1e-9 or n >= ENOUGH:
            break
    return n


def _with_errors(errors: int, target: float) -> int:
    """Return the fewest labels at which so many errors still let the exact bound reach the target."""
    low, high = errors, ENOUGH
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if exact_lower(middle - errors, middle, LEVEL) >= target else (middle, high)
    return high


def to_see(precision: float, target: float, *, power: float = POWER) -> int:
    """Return n* to see that `precision` fell below `target`: 855 for .93 against .95.

    The fewest labels with which an exact binomial test at 5 % sees it with this power. Refuses a precision that is
    not below its target.
    """
    if not 0 <= precision < target < 1:
        raise ValueError("only a precision below its target can be seen to be so")
    for first in range(1, ENOUGH, CHUNK):
        n = np.arange(first, first + CHUNK)
        errors = stats.binom.isf(1 - LEVEL, n, 1 - target) + 1  # as many or more are seen in 5 % of the cases at most
        seen = np.flatnonzero(stats.binom.sf(errors - 1, n, 1 - precision) >= power)
        if len(seen):
            return int(n[seen[0]])
    return ENOUGH
