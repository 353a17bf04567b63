"""Intervals of shares and of weighted counts, and how two of them combine: pure functions over numbers."""

import math

from scipy import special

LEVEL = 0.95
Limits = tuple[float, float]


def z(level: float = LEVEL) -> float:
    """Return the normal quantile that bounds a two-sided interval of this level: 1.96 at .95."""
    return float(special.ndtri(0.5 + level / 2))


def wilson(hits: float, n: float, level: float = LEVEL) -> Limits:
    """Return the interval of a share by Wilson (1927); `n` may be an effective count. (0, 1) where nothing was seen."""
    if n <= 0:
        return 0.0, 1.0
    p, zz = hits / n, z(level) ** 2
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = math.sqrt(zz) / (1 + zz / n) * math.sqrt(max(0.0, p * (1 - p)) / n + zz / (4 * n * n))
    return (0.0 if hits <= 0 else max(0.0, middle - half)), (1.0 if hits >= n else min(1.0, middle + half))


def exact(hits: float, n: float, level: float = LEVEL) -> Limits:
    """Return the interval of a share by Clopper and Pearson (1934), which never covers less than its level."""
    tail = 0.5 + level / 2
    return exact_lower(hits, n, tail), exact_upper(hits, n, tail)


def exact_lower(hits: float, n: float, level: float = LEVEL) -> float:
    """Return the one-sided lower limit of a share by Clopper and Pearson (1934): what may be guaranteed."""
    if hits <= 0 or n <= 0:
        return 0.0
    return float(special.betaincinv(hits, n - min(hits, n) + 1, 1 - level))


def exact_upper(hits: float, n: float, level: float = LEVEL) -> float:
    """Return the one-sided upper limit of a share by Clopper and Pearson (1934)."""
    return 1.0 - exact_lower(n - hits, n, level)


def count(weights: float, squares: float, unseen: float, level: float = LEVEL) -> Limits:
    """Return the interval of a weighted count: sum of weights y, sum of their squares v, weight m of what was not seen.

    The gamma interval of Fay and Feuer (1997), from y and v below and from y + m and v + m^2 above; with nothing seen
    (0, 3.69 m) at .95.
    """
    tail = (1 - level) / 2
    low = _gamma(weights, squares, tail) if weights > 0 else 0.0
    return low, _gamma(weights + unseen, squares + unseen**2, 1 - tail)


def _gamma(mean: float, variance: float, share: float) -> float:
    """Return a quantile of the gamma distribution: v/(2y) times that of chi2 with 2 y^2/v degrees of freedom."""
    if mean <= 0:
        return 0.0
    return float(variance / mean * special.gammaincinv(mean**2 / variance, share))


def difference(one: float, of_one: Limits, other: float, of_other: Limits) -> Limits:
    """Return the interval of one minus other from the interval of each: MOVER (Zou and Donner 2008).

    With Wilson's intervals it is method 10 of Newcombe (1998).
    """
    gap = one - other
    below = math.hypot(one - of_one[0], of_other[1] - other)
    above = math.hypot(of_one[1] - one, other - of_other[0])
    return gap - below, gap + above


def ratio(one: float, of_one: Limits, other: float, of_other: Limits) -> Limits:
    """Return the interval of one / other, combined on the logarithms (MOVER). Both must be above 0."""
    low, high = difference(_log(one), _logs(of_one), _log(other), _logs(of_other))
    return math.exp(low), math.exp(high)


def odds_share(one: float, of_one: Limits, other: float, of_other: Limits) -> Limits:
    """Return the interval of one / (one + other), combined on the log odds (MOVER). Both must be above 0."""
    low, high = difference(_log(one), _logs(of_one), _log(other), _logs(of_other))
    return float(special.expit(low)), float(special.expit(high))


def _logs(limits: Limits) -> Limits:
    return _log(limits[0]), _log(limits[1])


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
