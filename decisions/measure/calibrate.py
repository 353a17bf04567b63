"""From scores to probabilities: Platt scaling with weights, and how far probabilities are from what was found."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from decisions.measure import bins as binning
from decisions.measure.intervals import Limits, wilson, z

FloatArray = npt.NDArray[np.float64]

LEAST_SLOPE = 0.05  # a score never turns round, and a useless one still orders items
LEAST_OF_EACH = 10  # labels of each class, under which a score is left as it came
SLOPE_RIDGE = 1.0  # how many units of information pull the slope to 1: one over the variance of a prior
INTERCEPT_RIDGE = 0.1  # the share of positives may well differ from the training's, so this pull is weak
STEPS, CLOSE = 100, 1e-10
# A score at an end of its range has no finite log odds, so both ends are pulled in by an edge, and no edge suits all
# scores. In simulated worlds (1 million items, 0.1 % positive, 3,000 audits) 1e-4 gave over-confident scores audits of
# .79 of a simple random sample's variance, where 1e-9 gave .34, for their passes differ far below it; scores rounded to
# two digits that were right in .89 of cases were called .76 with 1e-6 and .86 with 1e-4. The likeliest edge of these
# gave .34 and .91. It is part of a calibrator.
EDGES = tuple(10.0**-k for k in range(9, 1, -1))
METHOD = "platt, ridge 1 and 0.1, edge by likelihood"  # changes with whatever would make another calibrator


@dataclass(frozen=True)
class Platt:
    """Recalibration on the log odds: p = 1 / (1 + exp(-(slope * x + intercept))), x the log odds of a score.

    `n` labels were given and `positives` of them are positive, both unweighted; the identity where nothing was fitted.
    `edge` is that of the log odds (see `log_odds`).
    """

    slope: float
    intercept: float
    n: int
    positives: int
    edge: float = 0.0

    def p(self, x: FloatArray) -> FloatArray:
        """Return the probabilities, in (0, 1), of items with these log odds."""
        return _line(x, self.slope, self.intercept)

    def of(self, shares: FloatArray) -> FloatArray:
        """Return the probabilities of items with these scores, in [0, 1] of their range."""
        return probabilities(shares, self.slope, self.intercept, self.edge)


def log_odds(shares: FloatArray, edge: float) -> FloatArray:
    """Return the log odds of scores in [0, 1], both ends pulled in by `edge`: in order, and no two become one.

    With edge 0 the ends are infinite. A number alone gives the same bits as in an array: SciPy's functions take one
    number after the other, NumPy's logarithm does not.
    """
    odds: FloatArray = special.logit(edge + (1.0 - 2.0 * edge) * shares)
    return odds


def probabilities(shares: FloatArray, slope: float, intercept: float, edge: float) -> FloatArray:
    """Return the probabilities of items with scores in [0, 1]; with slope 1 and intercept 0 they are the scores."""
    return shares if (slope, intercept) == (1.0, 0.0) else _line(log_odds(shares, edge), slope, intercept)


def _line(x: FloatArray, slope: float, intercept: float) -> FloatArray:
    found: FloatArray = special.expit(slope * x + intercept)
    return found


def fit(shares: FloatArray, y: FloatArray, weights: FloatArray | None = None) -> Platt:
    """Fit slope, intercept and edge to labels y (0 or 1) of items with scores in [0, 1] and weights 1/pi > 0.

    Each edge is tried, and the one with the greatest penalised likelihood is kept, the smallest of equals.
    """
    w = _scaled(_checked(shares, y, weights))
    best, least = Platt(1.0, 0.0, len(y), int(y.sum())), math.inf
    for edge in EDGES if _is_enough(y) else ():
        x = log_odds(shares, edge)
        found = platt(x, y, weights)
        loss = _loss(x, y, w, np.array([found.slope, found.intercept]))
        if loss < least - CLOSE * (1 + abs(loss)):
            best, least = replace(found, edge=edge), loss
    return best


def platt(x: FloatArray, y: FloatArray, weights: FloatArray | None = None) -> Platt:
    """Fit slope and intercept to labels y (0 or 1) of items with log odds x and weights 1/pi > 0, all of one length.

    Platt (1999), with slope >= .05 and a ridge towards the identity. The weights are scaled to sum to their effective
    number (sum w)^2 / sum w^2, so that the ridge is weighed against what the labels really tell: few audits of a
    large band tell little, whatever they stand for. Under ten positives or ten negatives it is the identity.
    """
    w = _scaled(_checked(x, y, weights))
    n, positives = len(y), int(y.sum())
    if not _is_enough(y):
        return Platt(1.0, 0.0, n, positives)
    slope, intercept = _newton(x, y, w)
    if slope < LEAST_SLOPE:  # the objective is convex, so its minimum under the bound lies on the bound
        slope, intercept = LEAST_SLOPE, _newton(x, y, w, slope=LEAST_SLOPE)[1]
    return Platt(float(slope), float(intercept), n, positives)


def _checked(x: FloatArray, y: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Return the weights, ones where none are given; refuse what would end in a silent NaN."""
    w = np.ones(len(y)) if weights is None else weights
    if not len(x) == len(y) == len(w):
        raise ValueError("log odds, labels and weights must be of one length")
    if not (np.isfinite(x).all() and np.isfinite(w).all() and (w > 0).all() and np.isin(y, (0.0, 1.0)).all()):
        raise ValueError("log odds must be finite, labels 0 or 1, weights positive")
    return w


def _scaled(w: FloatArray) -> FloatArray:
    """Return weights that sum to what they are worth."""
    return w * (w.sum() / np.square(w).sum()) if len(w) else w


def _is_enough(y: FloatArray) -> bool:
    return bool(min(y.sum(), len(y) - y.sum()) >= LEAST_OF_EACH)


def _loss(x: FloatArray, y: FloatArray, w: FloatArray, at: FloatArray) -> float:
    """Return the weighted negative log likelihood at (slope, intercept), with the ridge."""
    odds = at[0] * x + at[1]
    ridge = SLOPE_RIDGE * (at[0] - 1) ** 2 + INTERCEPT_RIDGE * at[1] ** 2
    return float(w @ (np.logaddexp(0.0, odds) - y * odds) + ridge / 2)


def _newton(x: FloatArray, y: FloatArray, w: FloatArray, slope: float | None = None) -> FloatArray:
    """Return the (slope, intercept) of the least loss; with `slope` given, the best intercept beside it.

    Newton's method, each step halved until the loss falls: the loss is strictly convex, so this always arrives.
    """
    free = np.array([slope is None, True])
    at = np.array([1.0 if slope is None else slope, 0.0])
    ridge, origin = np.array([SLOPE_RIDGE, INTERCEPT_RIDGE]), np.array([1.0, 0.0])
    design = np.stack([x, np.ones_like(x)])
    loss = _loss(x, y, w, at)
    for _ in range(STEPS):
        p = special.expit(at @ design)
        gradient = (design @ (w * (p - y)) + ridge * (at - origin)) * free
        curvature = (design * (w * p * (1 - p))) @ design.T + np.diag(ridge)
        curvature[~free] = curvature[:, ~free] = 0.0
        curvature[~free, ~free] = 1.0
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (lower := _loss(x, y, w, at - size * step)) > loss and size > CLOSE:
            size /= 2
        if loss - lower <= CLOSE * (1 + abs(loss)):
            break
        at, loss = at - size * step, lower
    return at


@dataclass(frozen=True)
class Bin:
    """Items of like probability: `expected` is their mean p, `found` the weighted share of positives among them.

    `labels` are counted as they came, `n_eff` as (sum w)^2 / sum w^2; `low` and `high` bound the share found at 95 %.
    """

    expected: float
    found: float
    low: float
    high: float
    labels: int
    n_eff: float


@dataclass(frozen=True)
class Calibration:
    """How probabilities compare with labels: `error` is the mean gap over the bins, in [0, 1], by weight.

    `low` and `high` bound it at 95 %. `noise` is the gap that chance alone would leave with so few labels: an error
    below it says nothing. `ratio` is positives expected per positive found, None where none was found.
    """

    bins: tuple[Bin, ...]
    error: float
    low: float
    high: float
    noise: float
    ratio: float | None


def calibration(p: FloatArray, y: FloatArray, weights: FloatArray | None = None, *, bins: int = 10) -> Calibration:
    """Compare probabilities p in [0, 1] with labels y (0 or 1) under weights 1/pi, in bins of about as many labels.

    The expected calibration error (Naeini, Cooper and Hauskrecht 2015) over quantile bins. No labels: no bins, error 0.
    """
    w = _checked(p, y, weights)
    if not len(y):
        return Calibration((), 0.0, 0.0, 1.0, 0.0, None)
    place = binning.places(p, binning.cuts(p, bins))
    found = tuple(_bin(p[place == k], y[place == k], w[place == k]) for k in range(place.max() + 1))
    shares = np.bincount(place, w) / w.sum()
    gaps = np.array([abs(one.found - one.expected) for one in found])
    chance = [math.sqrt(2 / math.pi * one.expected * (1 - one.expected) / one.n_eff) for one in found]
    positives = float(w @ y)
    ratio = float(w @ p) / positives if positives else None
    error = float(shares @ gaps)
    return Calibration(found, error, *_limits(error, found, shares), float(shares @ np.array(chance)), ratio)


def _limits(error: float, found: tuple[Bin, ...], shares: FloatArray) -> Limits:
    """Return limits of the mean gap from the joint 95 % region of all gaps, each about normal (Scheffe 1953).

    |mean gap found - true mean gap| <= sqrt(chi2_{bins}(.95) sum (share sd)^2) by Cauchy and Schwarz. An interval from
    resampled labels would not do: a mean of absolute gaps is too large in every resample.
    """
    deviations = np.array([(one.high - one.low) / (2 * z()) for one in found])
    reach = math.sqrt(special.chdtri(len(found), 0.05) * float(np.square(shares * deviations).sum()))
    return max(0.0, error - reach), min(1.0, error + reach)


def _bin(p: FloatArray, y: FloatArray, w: FloatArray) -> Bin:
    n_eff = float(w.sum() ** 2 / np.square(w).sum())
    found = float(min(1.0, w @ y / w.sum()))
    low, high = wilson(found * n_eff, n_eff)
    return Bin(float(min(1.0, w @ p / w.sum())), found, low, high, len(y), n_eff)
