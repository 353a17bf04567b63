"""What the model really does, from audited labels and logged propensities: precision, misses, recall, their intervals.

Rows are arrays of one length. `y` holds 1 for a positive label, 0 for a negative one and NaN where nobody could tell
or answered. `pi` is the logged probability, in (0, 1], that the row got its label; `p_floored` the floored probability
its size was made from (docs/statistics.md, sections 2 and 3). Nothing here returns NaN: what can't be said is None,
with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from decisions.measure import intervals
from decisions.measure.intervals import LEVEL, Limits

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

ENOUGH = 20  # found positives from which both errors of recall are combined on the log odds
STRATA = 10  # of scores, within which answers stand for those that did not come
FEWEST_ANSWERS = 10  # in a stratum
TINY = 1e-12  # so that probabilities of 0 have a mean too


class Why(StrEnum):
    """Why a figure is not measured."""

    NO_LABELS = "no_labels"  # no item of the kind was sampled
    NO_TRUTH = "no_truth"  # sampled, but nobody answered or could tell
    NO_CONTROL = "no_control"  # hard actions without a control group
    NO_POSITIVES = "no_positives"  # none caught and none found: there is nothing to be a share of
    NONE_FOUND = "none_found"  # no miss was found: there is a limit, but no point
    FEW = "few"  # too few labels to say
    NO_GOLD = "no_gold"  # nobody knows how often reviewers err
    DROWNED = "drowned"  # reviewers' false positives could explain half of what was found, or more
    BLURRED = "blurred"  # reviewers hardly tell positives from negatives


@dataclass(frozen=True)
class Estimate:
    """A figure, the interval that holds it at `level`, and the labels it rests on; None: not measured, `why` says why.

    `n` labels with a truth, `found` of them positive, worth `n_eff` labels of a simple random sample; `response` is the
    weighted share of what was asked that has a truth.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    n_eff: float = 0.0
    found: int = 0
    response: float | None = None
    level: float = LEVEL
    why: Why | None = None


@dataclass(frozen=True)
class Share(Estimate):
    """An estimated share, in [0, 1]; `units` are the labels that its interval is made from, infinite for a census.

    `unknown` is the part, in [0, 1], of what it is a share of that may be all one or the other: it widens the limits.
    """

    units: float = 0.0
    unknown: float = 0.0

    @property
    def is_exact(self) -> bool:
        return bool(np.isinf(self.units)) and not self.unknown

    def at(self, level: float) -> Limits:
        """Return the limits at another level; (0, 1) where nothing was measured."""
        if self.value is None:
            return 0.0, 1.0
        low = high = self.value
        if not np.isinf(self.units):
            low, high = intervals.exact(self.value * self.units, self.units, level)
        return low * (1 - self.unknown), high * (1 - self.unknown) + self.unknown


@dataclass(frozen=True)
class Count(Estimate):
    """An estimated number of positives, or their worth in money; none above `of` (None: unbounded).

    `sure` were labelled with certainty; `weights` and `squares` are the sums of 1/pi and 1/pi^2 over the others (of
    harm / pi and its square), `unseen` is the weight of one that was not found and `heaviest` the greatest weight that
    one can have.
    """

    sure: float = 0
    weights: float = 0.0
    squares: float = 0.0
    unseen: float = 0.0
    heaviest: float = 0.0
    of: int | None = None

    @property
    def is_exact(self) -> bool:
        return self.unseen == 0

    def at(self, level: float) -> Limits:
        """Return the limits at another level; (0, all) where nothing was measured."""
        most = np.inf if self.of is None else float(self.of)
        if self.value is None:
            return 0.0, most
        low, high = intervals.count(self.weights, self.squares, self.unseen, level)
        return min(most, self.sure + low), min(most, self.sure + high)


@dataclass(frozen=True)
class Reweighted:
    """Propensities after answers took the weight of what was not answered: NaN where there is no answer.

    `response` is the weighted share that was answered; None where nothing was asked.
    """

    pi: FloatArray
    response: float | None


def _require_propensity(pi: FloatArray) -> None:
    if not np.all((pi > 0) & (pi <= 1)):
        raise ValueError("A label without a propensity in (0, 1] estimates nothing.")


def _unlabelled(y: FloatArray) -> Why:
    return Why.NO_TRUTH if len(y) else Why.NO_LABELS


def effective(pi: FloatArray) -> float:
    """Return how many labels of a simple random sample these are worth: (sum w)^2 / sum w^2 (Kish 1965)."""
    weights = 1.0 / pi
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(pi) else 0.0


def strata(scores: FloatArray, answered: BoolArray, most: int = STRATA) -> IntArray:
    """Return each row's stratum of score, cut so that each holds as many answers, and at least 10 of them."""
    told = scores[answered]
    parts = max(1, min(most, len(told) // FEWEST_ANSWERS))
    edges = np.unique(np.quantile(told, np.arange(1, parts) / parts)) if parts > 1 else np.empty(0)
    edges = edges[edges < told.max(initial=-np.inf)]
    return np.searchsorted(edges, scores)


def reweight(answered: BoolArray, stratum: IntArray, pi: FloatArray) -> Reweighted:
    """Let the answers of a stratum stand for those that did not come: skipped, expired, can't tell.

    pi times the weighted response rate of the stratum. A stratum without answers is only seen in the response.
    """
    _require_propensity(pi)
    if not len(pi):
        return Reweighted(pi=pi, response=None)
    weights = 1.0 / pi
    asked = np.bincount(stratum, weights)
    told = np.bincount(stratum, weights * answered, minlength=len(asked))
    rate = np.divide(told, asked, out=np.zeros_like(told), where=asked > 0)
    adjusted = np.where(answered, pi * rate[stratum], np.nan)
    return Reweighted(pi=adjusted, response=float(told.sum() / asked.sum()))


def precision(y: FloatArray, pi: FloatArray, *, level: float = LEVEL) -> Share:
    """Return the share of positives in the set that the rows were sampled from: Hajek's ratio sum(y w) / sum(w).

    Its interval is Clopper and Pearson's on as many labels as the design's variance is worth, never more than the
    weights alone allow (Wilson's covers as little as .89 near 0 and 1). A set labelled whole has no error.
    """
    _require_propensity(pi)
    told = ~np.isnan(y)
    if not told.any():
        return Share(why=_unlabelled(y), response=0.0 if len(y) else None, level=level)
    weights, labels = 1.0 / pi[told], y[told]
    value = float((weights * labels).sum() / weights.sum())
    share = Share(
        value=value,
        n=len(labels),
        n_eff=effective(pi[told]),
        found=int(labels.sum()),
        response=float(weights.sum() / (1.0 / pi).sum()),
        level=level,
        units=_units(labels, weights, value),
    )
    low, high = share.at(level)
    return replace(share, low=low, high=high)


def as_sample(share: Share) -> Share:
    """Return a share with the limits that it has for all such answers, and not only for those it was drawn from.

    What was labelled whole says nothing for certain of the next one: the labels count as a sample of their own size.
    """
    if share.value is None:
        return share
    plain = replace(share, units=min(share.units, share.n_eff))
    low, high = plain.at(share.level)
    return replace(plain, low=low, high=high)


def pooled(shares: Sequence[Share]) -> Share:
    """Return one share from independent samples of it, each as heavy as the labels it is worth.

    One alone is taken as it is; none measured: the first one says why.
    """
    told = [share for share in shares if share.value is not None]
    if len(told) < 2:
        return (told or list(shares))[0]
    told = [as_sample(share) for share in told]
    units = sum(share.units for share in told)
    value = sum(share.units * (share.value or 0.0) for share in told) / units
    asked = [share.n / share.response for share in told if share.response]
    both = Share(
        value=value,
        n=sum(share.n for share in told),
        n_eff=sum(share.n_eff for share in told),
        found=sum(share.found for share in told),
        response=sum(share.n for share in told) / sum(asked) if asked else None,
        level=told[0].level,
        units=units,
    )
    low, high = both.at(both.level)
    return replace(both, low=low, high=high)


def with_unknown(share: Share, answered: float, unknown: float) -> Share:
    """Return a share whose limits also hold whatever `unknown` items (by weight) are, beside the `answered` ones.

    People take the likeliest or dearest first, so the answers that are there say little of those that are not: the
    limits are the worst cases (Manski 1989).
    """
    if share.value is None or unknown <= 0:
        return share
    wider = replace(share, unknown=unknown / (answered + unknown))
    low, high = wider.at(share.level)
    return replace(wider, low=low, high=high)


def _units(labels: FloatArray, weights: FloatArray, value: float) -> float:
    """Return P(1 - P) / Var^ with Var^ = sum w(w - 1)(y - P)^2 / (sum w)^2, at most that of labels without relation."""
    squares, excess = weights.sum() ** 2, weights * (weights - 1.0)
    if excess.sum() <= 0:
        return float("inf")
    plain, related = squares / excess.sum(), (excess * (labels - value) ** 2).sum()
    return float(min(plain, value * (1 - value) * squares / related)) if related > 0 and 0 < value < 1 else float(plain)
