"""Figures per segment and group: shrunk for ranking, raw for claims, silent where there are too few labels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from decisions.measure import estimates, intervals, misses
from decisions.measure.estimates import Count, Estimate, FloatArray, Share, Why
from decisions.measure.intervals import LEVEL, Limits

WordArray = npt.NDArray[np.str_]
Figure = TypeVar("Figure", bound=Estimate)

ENOUGH = 30  # effective labels, below which nothing is said
STEERED = 0.10  # of the next audits, where segments are not measured


@dataclass(frozen=True)
class Segment:
    """One segment's passes and what its audits found: how many were missed, and their rate, raw and shrunk.

    `missed` and `rate` are for claims, None below 30 effective labels; `ranked` is the rate pulled towards the parent's
    by as much as its own labels leave open, for sorting only.
    """

    name: str
    items: int
    missed: Count
    rate: Estimate
    ranked: float | None


@dataclass(frozen=True)
class SegmentShare:
    """The share of positives in a segment of what was acted on: raw for claims, shrunk for ranking."""

    name: str
    share: Share
    ranked: float | None


@dataclass(frozen=True)
class Gap:
    """How much a group's rate differs from that of all others, with an interval that holds for all groups at once.

    `differs`: None = too few to say, else whether 0 lies outside the interval.
    """

    group: str
    rate: Share
    others: Share
    difference: float | None
    low: float | None
    high: float | None

    @property
    def differs(self) -> bool | None:
        if self.low is None or self.high is None:
            return None
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Parity:
    """The gaps of all groups; each of the `compared` intervals is wider so that together they hold at `level`."""

    gaps: tuple[Gap, ...]
    compared: int
    level: float


def missed(
    names: WordArray, y: FloatArray, pi: FloatArray, p_floored: FloatArray, items: Mapping[str, int]
) -> list[Segment]:
    """Return each segment's misses, worst first by the shrunk rate; `items` is how many passes each segment has.

    Segments without a label are there too, at the end.
    """
    parent = misses.missed(y, pi, p_floored, of=sum(items.values()))
    rows = [names == name for name in items]
    found = [
        misses.missed(y[own], pi[own], p_floored[own], of=number)
        for own, number in zip(rows, items.values(), strict=True)
    ]
    rates = [_rate(count, number) for count, number in zip(found, items.values(), strict=True)]
    whole = _rate(parent, sum(items.values()))
    ranked = shrink([rate.value for rate in rates], [count.n_eff for count in found], whole.value)
    segments = [
        Segment(name, number, _claim(count), _claim(rate), place)
        for (name, number), count, rate, place in zip(items.items(), found, rates, ranked, strict=True)
    ]
    return sorted(segments, key=lambda one: (-(-1 if one.ranked is None else one.ranked), one.name))


def shares(names: WordArray, y: FloatArray, pi: FloatArray) -> list[SegmentShare]:
    """Return the share of positives in each segment that has rows (precision, overrides), lowest first when shrunk."""
    kinds = [str(name) for name in np.unique(names)]
    raw = [estimates.precision(y[names == name], pi[names == name]) for name in kinds]
    whole = estimates.precision(y, pi).value
    ranked = shrink([share.value for share in raw], [share.n_eff for share in raw], whole)
    found = [SegmentShare(*one) for one in zip(kinds, map(_claim, raw), ranked, strict=True)]
    return sorted(found, key=lambda one: (2.0 if one.ranked is None else one.ranked, one.name))


def shrink(rates: Sequence[float | None], n_eff: Sequence[float], parent: float | None) -> list[float | None]:
    """Pull each rate to the parent's as far as its own labels leave it open (empirical Bayes, Marshall 1991).

    The weight of the own rate is A / (A + r(1 - r)/n), A being the spread between segments beyond what their
    labels alone would make; where there is none all are the parent's. Without a rate the parent's is the best guess.
    """
    if parent is None:
        return [None] * len(rates)
    known = np.array([rate is not None and n > 0 for rate, n in zip(rates, n_eff, strict=True)], dtype=np.bool_)
    n = np.where(known, np.asarray(n_eff, dtype=np.float64), 0.0)
    own = np.array([parent if rate is None else rate for rate in rates], dtype=np.float64)
    if not known.any():
        return [parent] * len(rates)
    noise = parent * (1 - parent)
    spread = max(0.0, float((n * (own - parent) ** 2).sum() / n.sum() - noise * known.sum() / n.sum()))
    weight = n * spread / (n * spread + noise) if spread > 0 else np.zeros(len(n))
    return [float(value) for value in parent + weight * (own - parent)]


def blind_spots(segments: Sequence[Segment], audits: int, *, share: float = STEERED) -> dict[str, int]:
    """Return how many of the next `audits` go to which segments that are not measured: at most a share of them.

    The largest segments come first, and each gets what it lacks to be worth 30 labels, but no more than it has items.
    """
    left, found = int(audits * share), {}
    for one in sorted(segments, key=lambda one: (-one.items, one.name)):
        lacking = min(one.items, math.ceil(ENOUGH - one.missed.n_eff), left)
        if lacking > 0:
            found[one.name] = lacking
            left -= lacking
    return found


def parity(names: WordArray, y: FloatArray, pi: FloatArray, *, level: float = LEVEL) -> Parity:
    """Compare each group's rate (errors, overrides, automatic actions) with that of all others.

    Differences as in Newcombe (1998, method 10) on effective labels, but from exact limits: with Wilson's, equal groups
    with a rate of 2 % were said to differ 6.5 times in a hundred. Each interval is at 1 - (1 - level) / comparisons, so
    that all of them hold at once (Bonferroni). A group below 30 effective labels, or one whose others are, is only
    named. `y` is 1 where the thing happened, `pi` 1 where it is known of every item.
    """
    kinds = [str(name) for name in np.unique(names)]
    pairs = [
        (kind, estimates.precision(y[own], pi[own]), estimates.precision(y[~own], pi[~own]))
        for kind, own in ((kind, names == kind) for kind in kinds)
    ]
    told = sum(_is_enough(rate) and _is_enough(others) for _kind, rate, others in pairs)
    compared = 1 if len(kinds) == 2 and told else told  # of two groups the one gap is the other's with its sign turned
    each = 1 - (1 - level) / max(1, compared)
    return Parity(tuple(_gap(*pair, each) for pair in pairs), compared, level)


def _gap(group: str, rate: Share, others: Share, level: float) -> Gap:
    if rate.value is None or others.value is None or not (_is_enough(rate) and _is_enough(others)):
        return Gap(group, _claim(rate), _claim(others), None, None, None)
    low, high = intervals.difference(rate.value, _limits(rate, level), others.value, _limits(others, level))
    return Gap(group, rate, others, rate.value - others.value, low, high)


def _limits(share: Share, level: float) -> Limits:
    """Return the limits for the process behind the items: without the correction for a finite set."""
    units = min(share.n_eff, share.units)
    return intervals.exact((share.value or 0.0) * units, units, level)


def _is_enough(one: Estimate) -> bool:
    return one.value is not None and one.n_eff >= ENOUGH


def _claim(one: Figure) -> Figure:
    """Return a figure as it may be claimed: without its numbers where they rest on fewer than 30 effective labels."""
    if one.value is None or _is_enough(one):
        return one
    return replace(one, value=None, low=None, high=None, why=Why.FEW)


def _rate(count: Count, items: int) -> Estimate:
    """Return a count of misses as a share of the items it was sampled from."""
    value, low, high = (
        None if number is None or not items else number / items for number in (count.value, count.low, count.high)
    )
    return Estimate(value, low, high, count.n, count.n_eff, count.found, count.response, count.level, count.why)
