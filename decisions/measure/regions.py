"""Sets of items that cuts make, and the positives in them as far as labels tell; pure.

Labels answer for the items among which they were drawn, so they answer for any cut through those items. Where a cut
takes in items among which nobody labelled any, nothing is measured, and only the model's own expectation is left.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from decisions.measure import estimates, misses
from decisions.measure.estimates import Count, Share, Why
from decisions.measure.intervals import Limits
from decisions.measure.misses import Caught
from decisions.models.items import Item
from decisions.routing import policy
from decisions.routing.policy import BoolArray, Cuts, FloatArray, WordArray
from decisions.routing.simulate import Stream

CodeArray = npt.NDArray[np.int8]
MOST_BLIND = 0.1  # the part of a set without labels beyond which nothing is said of it


class Band(IntEnum):
    """A band as a small number: words are compared a hundred times more slowly, and sliders do not wait."""

    HARD = 0
    SOFT = 1
    PASS = 2
    NONE = 3


def codes(bands: WordArray) -> CodeArray:
    """Return bands as small numbers."""
    found = np.full(len(bands), Band.NONE, dtype=np.int8)
    for word, code in ((Item.Band.HARD, Band.HARD), (Item.Band.SOFT, Band.SOFT), (Item.Band.PASS, Band.PASS)):
        found[bands == word] = code
    return found


@dataclass(frozen=True)
class Labels:
    """Items that came by their score and had a logged chance to be labelled, one entry each.

    `y` is 1, 0 or NaN (no truth), `pi` in (0, 1] the logged probability of being asked, `floored` the probability that
    an audit's size is made from. `band` is the one the item was routed with; `p`, `arrived` (seconds since 1970) and
    `value` at stake (NaN: none) are those of the item.
    """

    score: FloatArray
    band: WordArray
    y: FloatArray
    pi: FloatArray
    floored: FloatArray
    p: FloatArray
    arrived: FloatArray
    value: FloatArray

    def part(self, keep: BoolArray) -> "Labels":
        """Return the entries that `keep` names."""
        return Labels(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Region:
    """A set of items, and the labels drawn from it; of `blind` items nobody labelled any of their kind.

    `expected` is the sum of the model's probabilities over the items. `is_dense`: positives are estimated as a share of
    the items, as behind a control group; else as a count of rare events, as among passes.
    """

    items: float
    blind: float
    expected: float
    labels: Labels
    is_dense: bool

    @property
    def is_measured(self) -> bool:
        return self.items == 0 or self.blind <= MOST_BLIND * self.items

    @property
    def told(self) -> int:
        return int((~np.isnan(self.labels.y)).sum())

    @property
    def found(self) -> int:
        return int(np.nansum(self.labels.y))

    @property
    def guess(self) -> float | None:
        return self.expected / self.items if self.items else None

    @cached_property
    def share(self) -> Share:
        """The share of positives among the labelled kinds."""
        return estimates.precision(self.labels.y, self.labels.pi)

    @cached_property
    def positives(self) -> "Within":
        """How many positives are in it."""
        seen = round(self.items - self.blind)
        if self.is_dense:
            return Within(Caught(0.0, seen, self.share), self.items, self.blind)
        if not self.told:
            nothing = Count(value=None if seen or self.blind else 0.0, of=seen, why=Why.NO_LABELS)
            return Within(nothing, self.items, self.blind)
        count = misses.missed(self.labels.y, self.labels.pi, self.labels.floored, of=seen)
        return Within(count, self.items, self.blind)


@dataclass(frozen=True)
class Within:
    """Positives among items of which `blind` were not looked into: between none and all of those."""

    known: Caught | Count
    items: float
    blind: float

    @property
    def value(self) -> float | None:
        if self.known.value is None or self.blind > MOST_BLIND * self.items:
            return None
        return self.known.value * (self.items / (self.items - self.blind) if self.blind else 1.0)

    @property
    def is_exact(self) -> bool:
        return self.known.is_exact and not self.blind

    def at(self, level: float) -> Limits:
        """Return the limits of the count at a level."""
        low, high = self.known.at(level)
        return low, high + self.blind


@dataclass(frozen=True)
class Sum:
    """Positives of sets that share no item."""

    parts: tuple[Within, ...]

    @property
    def value(self) -> float | None:
        values = [part.value for part in self.parts]
        return None if None in values else float(sum(value for value in values if value is not None))

    @property
    def is_exact(self) -> bool:
        return all(part.is_exact for part in self.parts)

    def at(self, level: float) -> Limits:
        """Return the limits: the errors are independent, so their squares add (MOVER, Zou and Donner 2008)."""
        limits = [part.at(level) for part in self.parts]
        middle = self.value
        if middle is None:
            return sum(low for low, _ in limits), sum(high for _, high in limits)
        values = [part.value or 0.0 for part in self.parts]
        below = np.hypot.reduce([value - low for value, (low, _) in zip(values, limits, strict=True)])
        above = np.hypot.reduce([high - value for value, (_, high) in zip(values, limits, strict=True)])
        return max(0.0, middle - float(below)), middle + float(above)


@dataclass(frozen=True)
class World:
    """What came by its score in a window, and the labels drawn from it."""

    stream: Stream
    labels: Labels

    @classmethod
    def of(cls, stream: Stream, labels: Labels) -> "World":
        """Return the world of the items that were routed by their score."""
        return cls(stream.part(stream.trusted), labels)

    def region(self, items: BoolArray, labels: BoolArray, *, is_dense: bool) -> Region:
        """Return the set of the items named, with its labels named."""
        weight, p = self.stream.weight[items], self.stream.p[items]
        told = set(self.label_bands[labels & self.told].tolist())
        bands = self.item_bands[items]
        blind = sum(float(weight[bands == band].sum()) for band in Band if band not in told)
        return Region(float(weight.sum()), blind, float(np.nansum(weight * p)), self.labels.part(labels), is_dense)

    @cached_property
    def item_bands(self) -> CodeArray:
        """The bands that the items were routed with."""
        return codes(self.stream.band)

    @cached_property
    def label_bands(self) -> CodeArray:
        return codes(self.labels.band)

    @cached_property
    def told(self) -> BoolArray:
        """Which labels have a truth."""
        return ~np.isnan(self.labels.y)


@dataclass(frozen=True)
class Supposed:
    """A world under some cuts: the band of each item and of each label."""

    world: World
    items: CodeArray
    labels: CodeArray

    @classmethod
    def of(cls, world: World, cuts: Cuts) -> "Supposed":
        items, labels = (policy.bands(score, cuts) for score in (world.stream.score, world.labels.score))
        return cls(world, codes(items), codes(labels))

    def region(self, band: Band) -> Region:
        """Return what falls into a band."""
        return self.world.region(self.items == band, self.labels == band, is_dense=band == Band.HARD)

    @cached_property
    def hard(self) -> Region:
        return self.region(Band.HARD)

    @cached_property
    def soft(self) -> Region:
        return self.region(Band.SOFT)

    @cached_property
    def passed(self) -> Region:
        return self.region(Band.PASS)

    @property
    def caught(self) -> Sum:
        """The positives that the machine acts on or people get to see."""
        return Sum((self.hard.positives, self.soft.positives))
