"""What other thresholds would do, and whether probabilities mean what they say: curves from weighted rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.measure import bins as binning
from decisions.measure import estimates, misses
from decisions.measure.estimates import Estimate, FloatArray, Share
from decisions.measure.misses import Caught

STEPS = 25  # thresholds of a curve
BINS = 10
FEWEST = 5  # labels in a bin


@dataclass(frozen=True)
class Rows:
    """Labelled items, arrays of one length: raw score, label, propensity and floored probability (as in estimates)."""

    scores: FloatArray
    y: FloatArray
    pi: FloatArray
    p_floored: FloatArray


@dataclass(frozen=True)
class Point:
    """What a threshold would do: the precision of the items at or above it, and their recall."""

    threshold: float
    precision: Share
    recall: Estimate


@dataclass(frozen=True)
class Bin:
    """Items of about the same probability: what was foretold on average, and the share that was positive."""

    foretold: float
    share: Share


def above(threshold: float, rows: Rows, *, items: int | None = None) -> Point:
    """Return precision and recall as if every item at or above a threshold were acted on, and none below it.

    `items` is how many items of the window are at or above it, of any band; without it the weights tell.
    """
    upper = rows.scores >= threshold
    precision = estimates.precision(rows.y[upper], rows.pi[upper])
    number = round(float((1.0 / rows.pi[upper]).sum())) if items is None else items
    missed = misses.missed(rows.y[~upper], rows.pi[~upper], rows.p_floored[~upper])
    return Point(threshold, precision, misses.recall(Caught(0, number, precision), missed))


def thresholds(rows: Rows, steps: int = STEPS) -> FloatArray:
    """Return thresholds for a curve, safest last: quantiles of the scores, half of them among the positives."""
    positive = rows.scores[rows.y > 0]
    shares = np.linspace(0, 1, max(2, steps // 2))
    parts = [np.quantile(scores, shares, method="inverted_cdf") for scores in (rows.scores, positive) if len(scores)]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0)


def precision_recall(rows: Rows, at: Sequence[float] | FloatArray | None = None) -> list[Point]:
    """Return the points of the precision-recall curve, at given thresholds or at some that suit the rows."""
    return [above(float(threshold), rows) for threshold in (thresholds(rows) if at is None else at)]


def calibration(p: FloatArray, y: FloatArray, pi: FloatArray, *, bins: int = BINS) -> list[Bin]:
    """Return the calibration curve: bins of recalibrated probability that hold as many labels each, lowest first."""
    told = ~np.isnan(y)
    p, y, pi = p[told], y[told], pi[told]
    parts = max(1, min(bins, len(p) // FEWEST))
    place = binning.places(p, binning.cuts(p, parts))
    return [_bin(p[place == k], y[place == k], pi[place == k]) for k in np.unique(place)]


def _bin(p: FloatArray, y: FloatArray, pi: FloatArray) -> Bin:
    return Bin(float(np.average(p, weights=1.0 / pi)), estimates.precision(y, pi))
