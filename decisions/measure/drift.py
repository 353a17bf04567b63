"""Has what arrives changed: the mix of scores and of features, missing values, categories never seen before."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats

from decisions.measure import bins as binning

FloatArray = npt.NDArray[np.float64]

RARE = 1e-3  # how unlikely a change must be under no drift
WARN_PSI, ACT_PSI = 0.1, 0.25
WARN_SHARE, ACT_SHARE = 0.02, 0.10  # by how much a share of rows must have risen or fallen
LEAST = 30  # rows on each side, under which nothing is said
LEAST_IN_CELL = 5  # rows expected in each cell of either side, which the chi-squared needs
NAMED = 5  # unseen categories told by name


class Level(StrEnum):
    """What a comparison asks for."""

    UNMEASURED = "unmeasured"  # too few rows, or nothing that could be compared
    NONE = "none"
    WARN = "warn"
    ACT = "act"


@dataclass(frozen=True)
class Mix:
    """Two distributions: `psi` >= 0, the probability `p` of so high a value under no drift, and the shares compared.

    `cuts` are the upper ends of all cells but the last for numbers, `names` the categories, whose last cell holds the
    rest; `before` and `now` are shares in [0, 1], a cell each. `rows` counts both sides without missing values.
    """

    psi: float
    p: float
    level: Level
    rows: tuple[int, int]
    before: tuple[float, ...] = ()
    now: tuple[float, ...] = ()
    cuts: tuple[float, ...] = ()
    names: tuple[Hashable, ...] = ()


@dataclass(frozen=True)
class Share:
    """A share of rows against what it was: both in [0, 1], and the probability `p` of such a change under no drift."""

    before: float
    now: float
    p: float
    level: Level
    rows: tuple[int, int]
    names: tuple[Hashable, ...] = ()  # of unseen categories, the most frequent first

    @property
    def change(self) -> float:
        """By how much the share rose, in [-1, 1]."""
        return self.now - self.before


def psi(reference: FloatArray, now: FloatArray, *, bins: int = 10) -> Mix:
    """Compare numbers now with a reference by the population stability index over quantile bins of the reference.

    Missing values (NaN) are left to `missing`. Rounded numbers share bins, and a reference of few distinct values is
    compared value by value, so that a constant that moved is seen. There are fewer bins where rows are few.
    """
    reference, now = reference[~np.isnan(reference)], now[~np.isnan(now)]
    fewest = min(len(reference), len(now))
    if fewest < LEAST:
        return Mix(0.0, 1.0, Level.UNMEASURED, (len(reference), len(now)))
    if len(np.unique(reference)) <= bins:
        return psi_categories(reference.tolist(), now.tolist())
    cuts = binning.cuts(reference, max(2, min(bins, fewest // LEAST_IN_CELL)))
    before, after = (
        np.bincount(binning.places(values, cuts), minlength=len(cuts) + 1).astype(float) for values in (reference, now)
    )
    return _compare(before, after, cuts=tuple(cuts.tolist()))


def psi_categories(reference: Iterable[Hashable], now: Iterable[Hashable]) -> Mix:
    """Compare categories now with a reference by the population stability index, a cell a category.

    Categories too rare to be compared, and those that the reference does not know, are one cell, the last.
    """
    before, after = Counter(reference), Counter(now)
    n, m = before.total(), after.total()
    if min(n, m) < LEAST:
        return Mix(0.0, 1.0, Level.UNMEASURED, (n, m))
    least = LEAST_IN_CELL * (n + m) / min(n, m)
    names = tuple(sorted((name for name in before if before[name] + after[name] >= least), key=repr))
    cells = [np.array([*(side[name] for name in names), 0.0]) for side in (before, after)]
    cells[0][-1], cells[1][-1] = n - cells[0].sum(), m - cells[1].sum()
    return _compare(*cells, names=names)


def _compare(
    before: FloatArray, after: FloatArray, *, cuts: tuple[float, ...] = (), names: tuple[Hashable, ...] = ()
) -> Mix:
    """Return the index over two counts of the same cells, and how likely it is under no drift.

    sum (a - b) ln(a / b) over shares with half a row added to each cell, so that an empty one stays finite. With n and
    m rows, psi * nm / (n + m) follows the chi-squared with B - 1 degrees of freedom (Yurdakul 2018); a cell that
    is empty on both sides is none.
    """
    n, m = before.sum(), after.sum()
    used = before + after > 0
    a, b = ((side[used] + 0.5) / (side[used] + 0.5).sum() for side in (before, after))
    psi = float(((a - b) * np.log(a / b)).sum())
    p = float(stats.chi2.sf(psi * n * m / (n + m), len(a) - 1)) if len(a) > 1 else 1.0
    level = _level(psi, p, WARN_PSI, ACT_PSI) if len(a) > 1 or names else Level.UNMEASURED
    return Mix(psi, p, level, (int(n), int(m)), tuple((before / n).tolist()), tuple((after / m).tolist()), cuts, names)


def missing(before: int, rows_before: int, now: int, rows_now: int) -> Share:
    """Compare how many rows lack a value now with how many did, by the exact test of Fisher (1935), two-sided."""
    if min(rows_before, rows_now) < LEAST:
        return _unmeasured(before, rows_before, now, rows_now)
    table = [[before, rows_before - before], [now, rows_now - now]]
    p = float(stats.fisher_exact(table).pvalue)
    a, b = before / rows_before, now / rows_now
    return Share(a, b, p, _level(abs(b - a), p, WARN_SHARE, ACT_SHARE), (rows_before, rows_now))


def unseen(reference: Iterable[Hashable], now: Iterable[Hashable]) -> Share:
    """Compare how many rows now have a category that the reference never had with how many must be expected to.

    A reference of n rows with f categories seen once leaves about f / n of the rows to unseen ones (Good 1953), which
    is `before`: a field of names or ids always brings new ones, and that is no drift. One-sided, binomial.
    """
    known, found = Counter(reference), Counter(now)
    n, m = known.total(), found.total()
    new = Counter({name: count for name, count in found.items() if name not in known})
    k = new.total()
    once = sum(count == 1 for count in known.values())
    if min(n, m) < LEAST:
        return _unmeasured(once, n, k, m)
    expected = (once + 1) / (n + 1)
    p = float(stats.binom.sf(k - 1, m, expected))
    names = tuple(name for name, _count in new.most_common(NAMED))
    return Share(expected, k / m, p, _level(k / m - expected, p, WARN_SHARE, ACT_SHARE), (n, m), names)


def _unmeasured(before: int, rows_before: int, now: int, rows_now: int) -> Share:
    """Return the shares as they are, with nothing said about them."""
    a, b = before / max(rows_before, 1), now / max(rows_now, 1)
    return Share(a, b, 1.0, Level.UNMEASURED, (rows_before, rows_now))


def _level(size: float, p: float, warn: float, act: float) -> Level:
    """Return the level of a change of this size: both large and beyond chance, or none."""
    if p >= RARE or size <= warn:
        return Level.NONE
    return Level.ACT if size > act else Level.WARN
