"""What the model really does, from audited labels and logged propensities: precision, misses, recall, their intervals.

Rows are arrays of one length. `y` holds 1 for a positive label, 0 for a negative one and NaN where nobody could tell
or answered. `pi` is the logged probability, in (0, 1], that the row got its label; `p_floored` the floored probability
its size was made from (docs/statistics.md, sections 2 and 3). Nothing here returns NaN: what can't be said is None,
with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

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


class Counted(Protocol):
    """Positives that were caught: how many, and within which limits."""

    @property
    def value(self) -> float | None: ...

    @property
    def is_exact(self) -> bool: ...

    def at(self, level: float) -> Limits: ...


@dataclass(frozen=True)
class Caught:
    """Positives that somebody or something acted on.

    `known` by their labels, and a measured `share` of `items` more (HARD, by its control group).
    """

    known: float
    items: int = 0
    share: Share = Share()

    @property
    def value(self) -> float | None:
        if not self.items:
            return float(self.known)
        return None if self.share.value is None else self.known + self.items * self.share.value

    @property
    def is_exact(self) -> bool:
        return not self.items or self.share.is_exact

    def at(self, level: float) -> Limits:
        """Return the limits of the count at a level."""
        low, high = self.share.at(level)
        return self.known + self.items * low, self.known + self.items * high


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


def missed(
    y: FloatArray,
    pi: FloatArray,
    p_floored: FloatArray,
    *,
    of: int | None = None,
    least_pi: float | None = None,
    level: float = LEVEL,
) -> Count:
    """Return how many positives were missed: F^ = sum 1/pi over audited positives, rows without a truth re-weighted.

    The gamma interval of Fay and Feuer (1997) with our own weight for a positive that was not seen: the mean weight of
    a positive as found (sum w^2 / sum w) plus the same as the scores foretell it, at most the heaviest that there is.
    With the greater of the two instead of their sum, one limit in ten was too low in the simulated worlds, since
    exactly the draws that miss the heavy positives find light ones. Nothing found: 3.69 times the heaviest weight.
    `of` is the number of items that the rows were sampled from, `least_pi` their smallest propensity where it is known.
    """
    return _weighed(y, pi, p_floored, np.ones(len(y)), of=of, least_pi=least_pi, level=level)


def harmed(y: FloatArray, pi: FloatArray, p_floored: FloatArray, harm: FloatArray, *, level: float = LEVEL) -> Count:
    """Return what the missed positives cost: the same of sum harm/pi, `harm` (money, >= 0) what a miss of each costs.

    A weight is then an item's harm over its pi. An item whose harm is not known (NaN) counts with the mean of the
    others; where none is known nothing is measured.
    """
    known = ~np.isnan(harm)
    if len(y) and not known.any():
        return Count(why=Why.NO_LABELS, level=level)
    mean = float(np.average(harm[known], weights=1.0 / pi[known])) if known.any() else 0.0
    return _weighed(y, pi, p_floored, np.where(known, harm, mean), level=level)


def _weighed(
    y: FloatArray,
    pi: FloatArray,
    p_floored: FloatArray,
    worth: FloatArray,
    *,
    of: int | None = None,
    least_pi: float | None = None,
    level: float = LEVEL,
) -> Count:
    """Return the total worth of the positives that the rows were sampled from."""
    _require_propensity(pi)
    told = ~np.isnan(y)
    if not told.any():
        return Count(
            why=Why.NO_TRUTH if len(y) else Why.NO_LABELS, response=0.0 if len(y) else None, of=of, level=level
        )
    answers = reweight(told, strata(p_floored, told), pi)
    adjusted, labels, floored = answers.pi[told], y[told], p_floored[told]
    weight, positive, sampled = worth[told] / adjusted, labels > 0, adjusted < 1
    drawn = weight[positive & sampled]
    heaviest = max(float(weight[sampled].max(initial=0.0)), 1.0 / least_pi if least_pi else 0.0)
    weights, squares = float(drawn.sum()), float((drawn**2).sum())
    foretold = np.maximum(floored, TINY) * weight
    sure = float(worth[told][positive & ~sampled].sum())
    value = sure + weights
    found = Count(
        value=value if of is None else min(value, float(of)),
        n=len(labels),
        n_eff=effective(adjusted),
        found=int(positive.sum()),
        response=answers.response,
        level=level,
        sure=sure,
        weights=weights,
        squares=squares,
        unseen=min(heaviest, squares / weights + float(foretold @ weight / foretold.sum())) if weights else heaviest,
        heaviest=heaviest,
        of=of,
    )
    low, high = found.at(level)
    return replace(found, low=low, high=high)


def recall(caught: Counted, missed: Count, *, level: float = LEVEL) -> Estimate:
    """Return R^ = C / (C + F^).

    Where C is a count its limits are those of F^; where C is estimated too both errors are combined on the log odds
    once 20 misses are found, before that each is taken at its limit of half the risk. Without a found miss there is no
    point, only a lower limit: nobody has measured a recall of 100 %.
    """
    plain = replace(_plain(missed), level=level)
    if missed.value is None:
        return plain
    c, f = caught.value, missed.value
    low, high = _recall_limits(caught, missed, level)
    if high <= 0 and not f:
        return replace(plain, why=Why.NO_POSITIVES)
    if c is None or missed.found == 0:
        return replace(plain, low=low, high=high, why=Why.NO_CONTROL if c is None else Why.NONE_FOUND)
    return replace(plain, value=c / (c + f), low=low, high=high)


def _recall_limits(caught: Counted, missed: Count, level: float) -> Limits:
    c, f = caught.value, missed.value
    if c and f and not caught.is_exact and missed.found >= ENOUGH:
        return intervals.odds_share(c, caught.at(level), f, missed.at(level))
    each = level if caught.is_exact else (1 + level) / 2
    (c_low, c_high), (f_low, f_high) = caught.at(each), missed.at(each)
    return _part(c_low, f_high), _part(c_high, f_low)


def _part(one: float, other: float) -> float:
    return one / (one + other) if one > 0 else 0.0


def _plain(one: Estimate) -> Estimate:
    """Return what an estimate rests on, without its figures."""
    return Estimate(n=one.n, n_eff=one.n_eff, found=one.found, response=one.response, level=one.level, why=one.why)


def corrected(
    found: Count, items: int, false_positives: Share, sensitivity: Share, *, level: float = LEVEL
) -> Estimate:
    """Return the misses among `items` without reviewers' errors: (F^ - N f) / (S - f) (Rogan and Gladen 1978).

    f and S are the shares of gold negatives and of gold positives that reviewers called positive; the interval carries
    their errors as well. Refuses where N f > F^ / 2, for then mostly errors were found, and where S and f overlap.
    """
    plain = replace(_plain(found), level=level)
    f, s, raw = false_positives.value, sensitivity.value, found.value
    if raw is None:
        return plain
    if f is None or s is None:
        return replace(plain, why=Why.NO_GOLD)
    if items * f > raw / 2:
        return replace(plain, why=Why.DROWNED)
    each = level if found.found >= ENOUGH else 1 - (1 - level) / 3
    of_f, of_s = false_positives.at(each), sensitivity.at(each)
    if of_s[0] <= of_f[1]:
        return replace(plain, why=Why.BLURRED)
    true = (raw - items * f) / (s - f)
    low, high = _true_limits(items, (raw, found.at(each)), (f, of_f), (s, of_s), apart=found.found < ENOUGH)
    most = float("inf") if found.of is None else float(found.of)
    return replace(plain, value=min(most, true), low=min(most, low), high=min(most, high))


def _true_limits(
    items: int,
    raw: tuple[float, Limits],
    f: tuple[float, Limits],
    s: tuple[float, Limits],
    *,
    apart: bool,
) -> Limits:
    """Return the limits of (F - N f) / (S - f): each error at its worst where few were found, else by MOVER."""
    (f_low, f_high), (s_low, s_high) = f[1], s[1]
    if apart:
        return max(0.0, raw[1][0] - items * f_high) / (s_high - f_low), (raw[1][1] - items * f_low) / (s_low - f_high)
    above = intervals.difference(*raw, items * f[0], (items * f_low, items * f_high))
    below = intervals.difference(*s, *f)
    return intervals.ratio(raw[0] - items * f[0], above, s[0] - f[0], below)
