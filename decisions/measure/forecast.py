"""What will arrive: the same weekday and hour of the weeks before, with a band and how often such bands held; pure.

Hours are hours of the clock on the queue's wall. A day that has an hour twice, or lacks one, has its hours at their own
places: what came at "Sunday 02:00" is only ever told from Sundays at 02:00.
"""

from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from scipy import stats

from decisions.routing.policy import FloatArray
from decisions.routing.sampling import IntArray
from decisions.routing.simulate import HOUR, WEEK, hour_of_week, on_clock

WEEKS = 8  # that a forecast looks back
LOW, HIGH = 0.1, 0.9  # eight hours of ten lie between
DAY = 24
SECONDS = WEEK * HOUR


class Basis(StrEnum):
    """What an hour is told from, the best there is: a queue of three days has seen no Sunday."""

    WEEKDAY = "weekday"  # the same hour of the same weekday
    HOUR = "hour"  # the same hour of other days
    ANY = "any"  # all hours there were
    NOTHING = "nothing"


@dataclass(frozen=True)
class History:
    """What came in each past hour: `start` in seconds since 1970, ascending, `count` the items. No hour is left out."""

    start: FloatArray
    count: FloatArray

    def before(self, end: float, weeks: int = WEEKS) -> "History":
        """Return the hours that were over by `end`, and not longer ago than so many weeks."""
        mask = (self.start + HOUR <= end) & (self.start >= end - weeks * SECONDS)
        return History(self.start[mask], self.count[mask])

    def within(self, start: float, end: float) -> "History":
        """Return the hours that begin in [start, end)."""
        mask = (self.start >= start) & (self.start < end)
        return History(self.start[mask], self.count[mask])


@dataclass(frozen=True)
class Samples:
    """What each hour of the week is told from: 168 rows of past counts, newest first, padded with infinity.

    `n` says how many count in each row, `basis` of what kind they are.
    """

    values: FloatArray
    n: IntArray
    basis: tuple[Basis, ...]


@dataclass(frozen=True)
class Forecast:
    """What will come in each hour: eight in ten between `low` and `high`. NaN where nothing was ever seen.

    `n` is how many past hours each rests on.
    """

    start: FloatArray
    low: FloatArray
    middle: FloatArray
    high: FloatArray
    n: IntArray
    basis: tuple[Basis, ...]


@dataclass(frozen=True)
class Coverage:
    """How past forecasts did, each made from the weeks before it alone: of `hours`, how many came within the band."""

    hours: int
    inside: int
    above: int
    weeks: int

    @property
    def share(self) -> float | None:
        return self.inside / self.hours if self.hours else None


def samples(history: History, zone: ZoneInfo) -> Samples:
    """Return what each hour of the week is told from."""
    slots = hour_of_week(on_clock(history.start, zone))
    newest = history.count[::-1]
    found = [_like(slots[::-1], newest, slot) for slot in range(WEEK)]
    width = max(1, *(len(values) for values, _basis in found))
    table = np.full((WEEK, width), np.inf)
    for slot, (values, _basis) in enumerate(found):
        table[slot, : len(values)] = values
    return Samples(table, np.array([len(values) for values, _ in found]), tuple(basis for _, basis in found))


def _like(slots: IntArray, counts: FloatArray, slot: int) -> tuple[FloatArray, Basis]:
    for basis, mask in ((Basis.WEEKDAY, slots == slot), (Basis.HOUR, slots % DAY == slot % DAY)):
        if mask.any():
            return counts[mask], basis
    return (counts, Basis.ANY) if len(counts) else (counts, Basis.NOTHING)


def predict(history: History, ahead: FloatArray, zone: ZoneInfo) -> Forecast:
    """Return what will come in the hours that begin at `ahead`, in seconds since 1970."""
    told = samples(history, zone)
    low, middle, high = bands(told)
    slot = hour_of_week(on_clock(ahead, zone))
    return Forecast(
        start=ahead,
        low=low[slot],
        middle=middle[slot],
        high=high[slot],
        n=told.n[slot],
        basis=tuple(told.basis[one] for one in slot),
    )


def bands(told: Samples) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the low end, the median and the high end for each hour of the week.

    The band is the wider of two: empirical quantiles at (n + 1) p of n values (Weibull 1939), which with eight weeks
    reach from the smallest to the largest and hold for a new week with a probability of (n - 1) / (n + 1); and what
    chance alone would do around their mean: counts are Poisson, their rate is known as well as n counts tell it
    (negative binomial, Jeffreys' prior). With one to seven weeks the second is what makes the band honest.
    """
    n = told.n.astype(np.float64)
    some = n > 0
    total = np.where(np.isfinite(told.values), told.values, 0.0).sum(axis=1)
    ordered = np.sort(told.values, axis=1)
    shape, chance = total + 0.5, np.where(some, n / (n + 1.0), 0.5)
    low = np.minimum(_quantile(ordered, n, LOW), stats.nbinom.ppf(LOW, shape, chance))
    high = np.maximum(_quantile(ordered, n, HIGH), stats.nbinom.ppf(HIGH, shape, chance))
    middle = _quantile(ordered, n, 0.5)
    return tuple(np.where(some, one, np.nan) for one in (low, middle, high))  # type: ignore[return-value]  # three of them


def _quantile(ordered: FloatArray, n: FloatArray, share: float) -> FloatArray:
    """Return a quantile of each row's first n values, which are in order."""
    place = np.clip((n + 1.0) * share - 1.0, 0.0, np.maximum(n - 1.0, 0.0))
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(n - 1.0, 0.0).astype(np.intp))
    rows = np.arange(len(ordered))
    low, high = np.where(np.isfinite(ordered), ordered, 0.0)[rows, below], ordered[rows, above]
    return np.asarray(low + (place - below) * (np.where(np.isfinite(high), high, low) - low), dtype=np.float64)


def coverage(history: History, zone: ZoneInfo, end: float, *, weeks: int = WEEKS) -> Coverage:
    """Return how the forecasts of the last weeks did: each week is told from the weeks before it, at least one whole.

    `history` may reach back twice as far as a forecast does, so that old weeks are told as today's is.
    """
    hours = inside = above = judged = 0
    for back in range(weeks, 0, -1):
        start = end - back * SECONDS
        past, came = history.before(start), history.within(start, start + SECONDS)
        if not len(came.start) or not len(past.start) or past.start[0] > start - SECONDS:
            continue
        told = predict(past, came.start, zone)
        judged += 1
        hours += len(came.start)
        inside += int(((came.count >= told.low) & (came.count <= told.high)).sum())
        above += int((came.count > told.high).sum())
    return Coverage(hours, inside, above, judged)


def futures(history: History, ahead: FloatArray, zone: ZoneInfo, *, paths: int, seed: int = 0) -> FloatArray:
    """Return what may come in each hour, a row a future, of shape (paths, hours).

    A day of a future is one day of the past, the same for all its hours, so that a busy day is busy from morning to
    night; its counts vary as counts do (Poisson). `seed` fixes the draws: the same question has the same answer.
    """
    told = samples(history, zone)
    local = on_clock(ahead, zone)
    slot, (_days, day) = hour_of_week(local), np.unique(local // (DAY * HOUR), return_inverse=True)
    rng = np.random.default_rng(seed)
    lot = rng.random((paths, len(_days)))[:, day]
    n = told.n[slot]
    drawn = told.values[slot, np.minimum((lot * n).astype(np.intp), np.maximum(n - 1, 0))]
    return np.asarray(rng.poisson(np.where(np.isfinite(drawn), drawn, 0.0)), dtype=np.float64)
