"""Precision and recall that a supposed policy would have had, and how they differ from another's on the same items."""

from dataclasses import dataclass, replace

from decisions.measure import estimates, intervals, misses
from decisions.measure.estimates import Count, Why
from decisions.measure.intervals import LEVEL, Limits
from decisions.measure.misses import Counted
from decisions.measure.regions import Band, Region, Sum, Supposed
from decisions.routing.policy import BoolArray

NO_ITEMS = "no_items"
NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class Figure:
    """A figure with its limits; `guess` is what the model's own probabilities say, never to be shown alone.

    None: not known, `why` says why. `labels` is how many it rests on; None where it rests on none, being counted.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    guess: float | None = None
    labels: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Missed(Count):
    """A count of which `blind` items more might be positive."""

    blind: float = 0.0

    def at(self, level: float) -> Limits:
        low, high = super().at(level)
        return low, high + self.blind


def precision(region: Region) -> Figure:
    """Return the share of positives in a set; items without labels of their kind widen it by all they might be."""
    if not region.items:
        return Figure(why=NO_ITEMS)
    share, guess = region.share, region.guess
    if not region.is_measured or share.value is None:
        return Figure(guess=guess, labels=region.told, why=NOT_MEASURED)
    low, high = share.at(LEVEL)
    blind = region.blind / region.items
    return Figure(share.value, low * (1 - blind), high * (1 - blind) + blind, guess, region.told)


def recall(supposed: Supposed) -> Figure:
    """Return the share of all positives that is caught. What nobody passes, nobody misses."""
    passed, caught = supposed.passed, supposed.caught
    expected = supposed.hard.expected + supposed.soft.expected
    guess = expected / (expected + passed.expected) if expected + passed.expected else None
    if not passed.items:
        some = bool(supposed.world.stream.weight.sum())
        return Figure(1.0, 1.0, 1.0, guess, 0) if some else Figure(why=NO_ITEMS)
    count = passed.positives.known
    if not passed.is_measured or not isinstance(count, Count) or count.value is None:
        return Figure(guess=guess, labels=passed.told, why=NOT_MEASURED)
    missed = Missed(**{**count.__dict__, "blind": passed.blind})
    found = misses.recall(caught, missed)
    why = NOT_MEASURED if found.why == Why.NO_CONTROL else found.why or ""
    return Figure(found.value, found.low, found.high, guess, found.n, why)


def precision_gap(live: Supposed, new: Supposed) -> Figure:
    """Return how the precision of HARD differs on the same items.

    One set holds the other, so only what they do not share tells them apart: P_small - P_large = r (P_small - P_rest)
    with r the part of the rest, from labels that have nothing in common (MOVER).
    """
    if _same(live.items == Band.HARD, new.items == Band.HARD):
        return _none(precision(live.hard))
    if not _holds(live.items == Band.HARD, new.items == Band.HARD):
        return _apart(precision(new.hard), precision(live.hard))
    small, large, sign = (new, live, 1.0) if new.hard.items < live.hard.items else (live, new, -1.0)
    rest = live.world.region(
        (large.items == Band.HARD) & (small.items != Band.HARD),
        (large.labels == Band.HARD) & (small.labels != Band.HARD),
        is_dense=True,
    )
    one, other = precision(small.hard), precision(rest)
    part = sign * rest.items / large.hard.items
    labels = small.hard.told + rest.told
    guess = None if one.guess is None or other.guess is None else part * (one.guess - other.guess)
    if one.value is None or other.value is None:
        return Figure(guess=guess, labels=labels, why=one.why or other.why)
    limits = intervals.difference(one.value, _limits(one), other.value, _limits(other))
    return replace(_times(part, one.value - other.value, limits), guess=guess, labels=labels)


def soft_gap(live: Supposed, new: Supposed) -> Figure:
    """Return how the share of positives among what people see differs, as if no label were shared: never too narrow."""
    if _same(live.items == Band.SOFT, new.items == Band.SOFT):
        return _none(precision(live.soft))
    return _apart(precision(new.soft), precision(live.soft))


def recall_gap(live: Supposed, new: Supposed) -> Figure:
    """Return how recall differs on the same items: what only one of the two catches, as a share of all positives."""
    passed = live.items == Band.PASS, new.items == Band.PASS
    if not _same(live.items == Band.NONE, new.items == Band.NONE) or not _holds(*passed):
        return _apart(recall(new), recall(live))
    if _same(*passed):
        return _none(recall(live))
    narrow, wide, sign = (live, new, 1.0) if new.passed.items < live.passed.items else (new, live, -1.0)
    moved = live.world.region(
        (narrow.items == Band.PASS) & (wide.items != Band.PASS),
        (narrow.labels == Band.PASS) & (wide.labels != Band.PASS),
        is_dense=False,
    )
    rest = Sum((*narrow.caught.parts, wide.passed.positives))
    expected = moved.expected + narrow.hard.expected + narrow.soft.expected + wide.passed.expected
    guess = sign * moved.expected / expected if expected else None
    one, other = moved.positives.value, rest.value
    if one is None or other is None:
        return Figure(guess=guess, labels=moved.told, why=NOT_MEASURED)
    if one + other == 0:
        return Figure(guess=guess, labels=moved.told, why=Why.NO_POSITIVES)
    enough = min(moved.found, wide.passed.found) >= estimates.ENOUGH
    limits = _part_limits(moved.positives, rest, enough=enough)
    return replace(_times(sign, one / (one + other), limits), guess=guess, labels=moved.told)


def _apart(one: Figure, other: Figure) -> Figure:
    """Return one minus other as if no label were shared: never too narrow (MOVER)."""
    guess = None if one.guess is None or other.guess is None else one.guess - other.guess
    if one.value is None or other.value is None:
        return Figure(guess=guess, why=one.why or other.why)
    low, high = intervals.difference(one.value, _limits(one), other.value, _limits(other))
    return Figure(one.value - other.value, low, high, guess, max(one.labels or 0, other.labels or 0))


def _holds(one: BoolArray, other: BoolArray) -> bool:
    """Tell whether one set holds the other."""
    return not (one & ~other).any() or not (other & ~one).any()


def _part_limits(one: Counted, other: Counted, *, enough: bool) -> Limits:
    """Return the limits of one / (one + other): together once enough was found, before that each at half the risk."""
    if enough and one.value and other.value:
        return intervals.odds_share(one.value, one.at(LEVEL), other.value, other.at(LEVEL))
    each = (1 + LEVEL) / 2
    (one_low, one_high), (other_low, other_high) = one.at(each), other.at(each)
    return (
        one_low / (one_low + other_high) if one_low > 0 else 0.0,
        one_high / (one_high + other_low) if one_high > 0 else 0.0,
    )


def _times(factor: float, value: float, limits: Limits) -> Figure:
    low, high = sorted((factor * limits[0], factor * limits[1]))
    return Figure(factor * value, low, high)


def _none(of: Figure) -> Figure:
    """Return no difference at all; where the figure itself is not measured neither is the difference."""
    return Figure(0.0, 0.0, 0.0, 0.0, of.labels) if of.why in ("", Why.NONE_FOUND) else replace(of, guess=None)


def _same(one: BoolArray, other: BoolArray) -> bool:
    return bool((one == other).all())


def _limits(figure: Figure) -> Limits:
    assert figure.low is not None
    assert figure.high is not None
    return figure.low, figure.high
