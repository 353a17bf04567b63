"""What a supposed policy would have been worth in money, and how it differs from another on the same items; pure.

A set of items is worth what its negatives would bring if all were negative, known from the items themselves, plus what
each positive brings more or less, times how many positives there are. So the error of the money is that of the count of
positives, of the mean amount of a positive and, where amounts are known for labelled items only, of that mean too;
they are independent, and their squares add (MOVER, Zou and Donner 2008). People are taken to decide rightly.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from decisions.measure import estimates, intervals
from decisions.measure.regions import Band, CodeArray, Region, Supposed
from decisions.measure.supposed.prospects import NOT_MEASURED, Figure
from decisions.queues.spec import Money, ValueFormula
from decisions.routing.policy import BoolArray, FloatArray


@dataclass(frozen=True)
class Gains:
    """Money of each entry if it is positive, and if it is negative."""

    positive: FloatArray
    negative: FloatArray

    def minus(self, other: "Gains") -> "Gains":
        return Gains(self.positive - other.positive, self.negative - other.negative)

    def at(self, keep: BoolArray) -> "Gains":
        return Gains(self.positive[keep], self.negative[keep])


@dataclass(frozen=True)
class Amounts:
    """Money of each entry as a true or false positive or negative; a loss is negative."""

    tp: FloatArray
    fp: FloatArray
    tn: FloatArray
    fn: FloatArray

    @classmethod
    def of(cls, formula: ValueFormula, fields: Mapping[str, FloatArray], count: int) -> "Amounts | None":
        """Return the amounts of `count` entries from their payload fields; None where a field is not given.

        An entry that lacks the field (NaN) counts with the mean of the others.
        """
        moneys = {name: getattr(formula, name) for name in cls.__dataclass_fields__}
        if any(money.field and money.field not in fields for money in moneys.values()):
            return None
        return cls(**{name: amount(money, fields, count) for name, money in moneys.items()})

    def at(self, keep: BoolArray) -> "Amounts":
        return Amounts(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    def under(self, bands: CodeArray, control_share: float) -> Gains:
        """Return what each entry brings under a policy that puts it into a band: people decide SOFT and the control."""
        hard, passed = bands == Band.HARD, bands == Band.PASS
        acted = (1.0 - control_share) * self.fp + control_share * self.tn
        return Gains(positive=np.where(passed, self.fn, self.tp), negative=np.where(hard, acted, self.tn))


def amount(money: Money, fields: Mapping[str, FloatArray], count: int) -> FloatArray:
    """Return an amount for each of `count` entries; one that lacks the field (NaN) has the mean of the others."""
    if not money.field:
        return np.full(count, money.base)
    values = fields[money.field]
    known = values[~np.isnan(values)]
    filled = np.where(np.isnan(values), known.mean() if len(known) else 0.0, values)
    return np.asarray(money.base + money.factor * filled)


@dataclass(frozen=True)
class Prices:
    """The amounts of a world's items (None: known for labelled ones only) and of its labels."""

    items: Amounts | None
    labels: Amounts


@dataclass(frozen=True)
class Plan:
    """A world under a policy: the band of each entry, and the share of HARD that people decide."""

    supposed: Supposed
    control_share: float

    def gains(self, prices: Prices) -> tuple[Gains | None, Gains]:
        """Return what each item and each label brings."""
        of_items = prices.items.under(self.supposed.items, self.control_share) if prices.items else None
        return of_items, prices.labels.under(self.supposed.labels, self.control_share)


@dataclass(frozen=True)
class Part:
    """What one set of items is worth, and how far that may be off, below and above."""

    value: float | None
    below: float = 0.0
    above: float = 0.0
    guess: float | None = None
    labels: int = 0


@dataclass(frozen=True)
class Cell:
    """The items that go from one band to another, their labels, and what each of them wins or loses by it."""

    region: Region
    weight: FloatArray
    p: FloatArray
    of_items: Gains | None
    of_labels: Gains

    @property
    def is_fixed(self) -> bool:
        """Whether it makes no difference which of the items are positive."""
        gains = self.of_items
        return gains is not None and bool((gains.positive == gains.negative).all())


def total(plan: Plan, prices: Prices) -> Figure:
    """Return what a policy's routes are worth over the window, without the cost of people's time."""
    gains = plan.gains(prices)
    cells = [_cell(plan, plan, (band, band), gains) for band in Band]
    return added([part(cell) for cell in cells if cell])


def gap(live: Plan, new: Plan, prices: Prices) -> Figure:
    """Return what the new policy would have been worth more: only items that it treats otherwise count, and err."""
    (items_live, labels_live), (items_new, labels_new) = live.gains(prices), new.gains(prices)
    gains = items_new.minus(items_live) if items_new and items_live else None, labels_new.minus(labels_live)
    cells = [_cell(live, new, (was, becomes), gains) for was in Band for becomes in Band]
    return added([part(cell) for cell in cells if cell])


def _cell(live: Plan, new: Plan, move: tuple[Band, Band], gains: tuple[Gains | None, Gains]) -> Cell | None:
    """Return the items of a move; None where there are none, or they win and lose nothing."""
    was, becomes = live.supposed, new.supposed
    items = (was.items == move[0]) & (becomes.items == move[1])
    labels = (was.labels == move[0]) & (becomes.labels == move[1])
    of_items = gains[0] and gains[0].at(items)
    if not items.any() or (of_items and not (of_items.positive.any() or of_items.negative.any())):
        return None
    stream = was.world.stream
    region = was.world.region(items, labels, is_dense=Band.HARD in move)
    return Cell(region, stream.weight[items], stream.p[items], of_items, gains[1].at(labels))


def part(cell: Cell) -> Part:
    """Return what a set of items wins or loses, and how far that may be off."""
    base, base_error = _base(cell)
    if base is not None and cell.is_fixed:
        return Part(base, guess=base)
    more, more_error = _more(cell)
    guess = None if base is None or more is None else base + cell.region.expected * more
    positives = cell.region.positives
    if base is None or more is None or (count := positives.value) is None:
        return Part(None, guess=guess, labels=cell.region.told)
    low, high = positives.at(intervals.LEVEL)
    down, up = sorted((more * (low - count), more * (high - count)))
    spread = intervals.z() * more_error * count
    below, above = (float(np.hypot.reduce([side, spread, intervals.z() * base_error])) for side in (down, up))
    return Part(base + count * more, below, above, guess, cell.region.told)


def _base(cell: Cell) -> tuple[float | None, float]:
    """Return what the items would be worth if none were positive, and its standard error: 0 where amounts are known."""
    if cell.of_items is not None:
        return float(cell.weight @ cell.of_items.negative), 0.0
    if not len(cell.of_labels.negative):
        return None, 0.0
    weights, amounts = 1.0 / cell.region.labels.pi, cell.of_labels.negative
    return cell.region.items * float(np.average(amounts, weights=weights)), cell.region.items * _error(amounts, weights)


def _more(cell: Cell) -> tuple[float | None, float]:
    """Return what a positive brings more than a negative, on average, and its standard error.

    From the positives that were found; as long as they are fewer than 20, with the spread of all labels.
    """
    y, weights = cell.region.labels.y, 1.0 / cell.region.labels.pi
    amounts = cell.of_labels.positive - cell.of_labels.negative
    found, told = y == 1, ~np.isnan(y)
    if not told.any():
        if cell.of_items is None:
            return None, 0.0
        apart = cell.of_items.positive - cell.of_items.negative
        likely = np.nan_to_num(cell.weight * cell.p) + 1e-12
        return float(np.average(apart, weights=likely)), 0.0
    rows = found if found.any() else told
    middle = float(np.average(amounts[rows], weights=weights[rows]))
    if found.sum() >= estimates.ENOUGH or (weights[rows] == 1).all():
        return middle, _error(amounts[rows], weights[rows])
    return middle, float(amounts[told].std()) / max(1, found.sum()) ** 0.5


def _error(amounts: FloatArray, weights: FloatArray) -> float:
    """Return the standard error of a weighted mean: Var^ = sum w(w - 1)(x - m)^2 / (sum w)^2, none for a census."""
    off = amounts - np.average(amounts, weights=weights)
    return float((weights * (weights - 1.0) * off**2).sum() ** 0.5 / weights.sum())


def added(parts: list[Part]) -> Figure:
    """Return the sum of sets that share no item."""
    guesses, values = [one.guess for one in parts], [one.value for one in parts]
    guess = None if None in guesses else float(sum(value for value in guesses if value is not None))
    labels = sum(one.labels for one in parts)
    if None in values:
        return Figure(guess=guess, labels=labels, why=NOT_MEASURED)
    value = float(sum(value for value in values if value is not None))
    below = float(np.hypot.reduce([0.0, *(one.below for one in parts)]))
    above = float(np.hypot.reduce([0.0, *(one.above for one in parts)]))
    return Figure(value, value - below, value + above, guess, labels)
