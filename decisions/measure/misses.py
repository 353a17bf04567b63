"""What was missed: positives among what passed, what they cost, recall, and all that without reviewers' errors."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from decisions.measure import intervals
from decisions.measure.estimates import (
    ENOUGH,
    TINY,
    Count,
    Estimate,
    FloatArray,
    Share,
    Why,
    _require_propensity,
    effective,
    reweight,
    strata,
)
from decisions.measure.intervals import LEVEL, Limits


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
    share: Share = field(default_factory=Share)

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
