"""Weights against selective labels: people label what a model sent them, which is not what will arrive.

A label's propensity pi is the logged probability that a person saw its item. Rows may count alike, by 1/pi cut at ten,
or by 1/pi: which of them makes the better model is not known beforehand, for weights of hundreds leave few rows that
count. So each is judged on audits and controls, which a lot drew, weighted by 1/pi: their weighted mean loss estimates
that of all items they were drawn from (Horvitz and Thompson 1952; Hajek 1971).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from decisions.learning import weights as evidence
from decisions.measure import calibrate
from decisions.measure.intervals import z
from decisions.models import Label

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MOST = 10.0  # a clipped weight
JUDGES = (Label.Provenance.AUDIT.value, Label.Provenance.CONTROL.value)
FEWEST, FEWEST_OF_EACH = 50, 10  # rows that judge, each worth one by its weight, and of each answer
TINY = 1e-12  # a probability of 0 or 1 would have an infinite loss


class Weighting(StrEnum):
    """How much a row counts in training."""

    UNWEIGHTED = "unweighted"
    CLIPPED = "clipped"
    FULL = "full"


class Why(StrEnum):
    """Why a weighting was kept."""

    BETTER = "better"  # surely, on the rows that judge
    NOISE = "noise"  # none is surely better than rows that count alike
    TOO_FEW = "too_few"  # audits and controls to judge by
    SAME = "same"  # every row has the same weight


METHOD = {
    "candidates": [one.value for one in Weighting],
    "clip": MOST,
    "judges": list(JUDGES),
    "fewest": [FEWEST, FEWEST_OF_EACH],
    "by": "log loss, paired, 97.5 % each",
}


@dataclass(frozen=True)
class Judged:
    """How one weighting did on the rows that judge, all figures weighted by 1/pi.

    `log_loss` in nats and `auc` in [0, 1]; `difference` is its log loss minus that of rows that count alike, with
    `low` and `high` around it at 97.5 %, so that both comparisons hold together at 95 % (Bonferroni).
    Below 0 is better.
    """

    weighting: str
    log_loss: float
    auc: float
    difference: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """Which weighting is kept and why; `rows` judge it, worth `effective` equal ones, `positives` among them."""

    kept: Weighting
    why: Why
    rows: int
    positives: int
    effective: float
    candidates: tuple[Judged, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "candidates": [asdict(one) for one in self.candidates]}


def inverse(propensity: FloatArray) -> FloatArray:
    """Return 1/pi >= 1; a row without a propensity, NaN, stands for itself alone: 1."""
    return np.where(np.isnan(propensity), 1.0, 1.0 / propensity)


def of(weighting: Weighting, propensity: FloatArray, believed: FloatArray) -> FloatArray:
    """Return what rows count in training, with mean 1: by how they came here, and by how far labels are `believed`."""
    drawn = inverse(propensity)
    by = {Weighting.UNWEIGHTED: np.ones_like(drawn), Weighting.CLIPPED: np.minimum(drawn, MOST), Weighting.FULL: drawn}
    counted = by[weighting] * believed
    scaled: FloatArray = counted / counted.mean()
    return scaled


def standing(propensity: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Return which rows stand for what arrives, and for how much of it each: those with a propensity, by 1/pi.

    Where none has one, all of them, alike.
    """
    known = ~np.isnan(propensity)
    return (known, inverse(propensity)) if known.any() else (np.ones_like(known), np.ones(len(known)))


def judges(provenance: npt.NDArray[Any], propensity: FloatArray) -> BoolArray:
    """Return which rows may judge: what a lot drew for an audit or a control."""
    found: BoolArray = np.isin(provenance.astype(str), JUDGES) & ~np.isnan(propensity)
    return found


def can_judge(y: IntArray, propensity: FloatArray) -> bool:
    """Say whether these rows are enough to judge by, counted by their weight and by each answer."""
    enough = min(int(y.sum()), int((1 - y).sum())) >= FEWEST_OF_EACH
    return enough and evidence.effective(inverse(propensity)) >= FEWEST


def unjudged(why: Why, y: IntArray, propensity: FloatArray) -> Comparison:
    """Return the outcome where nothing can be judged, or nothing needs to be."""
    return _outcome(Weighting.UNWEIGHTED, why, y, propensity)


def compare(
    scores: Mapping[Weighting, FloatArray], y: IntArray, propensity: FloatArray, is_judge: BoolArray
) -> Comparison:
    """Compare weightings by out-of-fold scores of the same rows, in [0, 1]; y in {0, 1}, pi in (0, 1] or NaN.

    Each is recalibrated first on all rows that stand for what arrives, as its model would be: a weighting moves the
    share of positives, and that is no merit. The one with the least loss is kept where it is surely below that of
    rows that count alike; that one wins ties.
    """
    stands, drawn = standing(propensity)
    w, truth = drawn[is_judge], y[is_judge]
    losses, aucs = {}, {}
    for weighting, p in scores.items():
        line = calibrate.fit(p[stands], y[stands].astype(np.float64), drawn[stands])
        losses[weighting] = _losses(truth, line.of(p[is_judge]))
        aucs[weighting] = float(roc_auc_score(truth, p[is_judge], sample_weight=w))
    base = losses[Weighting.UNWEIGHTED]
    told = tuple(_judged(one, losses[one], base, aucs[one], w) for one in scores)
    better = [one for one in told if one.high < 0]
    kept = Weighting(min(better, key=lambda one: one.difference).weighting) if better else Weighting.UNWEIGHTED
    return _outcome(kept, Why.BETTER if better else Why.NOISE, truth, propensity[is_judge], told)


def _outcome(
    kept: Weighting, why: Why, y: IntArray, propensity: FloatArray, told: tuple[Judged, ...] = ()
) -> Comparison:
    effective = round(evidence.effective(inverse(propensity)), 1)
    return Comparison(kept, why, len(y), int(y.sum()), effective, told)


def _judged(weighting: Weighting, losses: FloatArray, base: FloatArray, auc: float, w: FloatArray) -> Judged:
    """Return a weighting's figures. Its variance is that of a ratio of weighted sums, to first order (Sarndal 1992)."""
    log_loss = float(w @ losses / w.sum())
    if weighting == Weighting.UNWEIGHTED:
        return Judged(weighting, log_loss, auc)
    apart = losses - base
    mean = float(w @ apart / w.sum())
    n = len(apart)
    deviation = float(np.sqrt(n / (n - 1) * np.square(w * (apart - mean)).sum())) / float(w.sum())
    reach = z(0.975) * deviation
    return Judged(weighting, log_loss, auc, mean, mean - reach, mean + reach)


def _losses(y: IntArray, p: FloatArray) -> FloatArray:
    """Return each row's log loss."""
    safe = np.clip(p, TINY, 1 - TINY)
    lost: FloatArray = -np.where(y == 1, np.log(safe), np.log1p(-safe))
    return lost
