"""Money that routes saved or lost, against passing everything and against sending everything to people; pure.

What a route is worth is put together as a what-if does it (`supposed.worth`): what its items would bring if none were
positive, and what each positive brings more, times how many positives there are. How many there are is known by what
people answered (SOFT), by the control group (HARD) and by audits (PASS), each label with its logged propensity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from decisions.measure import estimates, intervals
from decisions.measure.columns import BoolArray, FloatArray
from decisions.measure.estimates import Share
from decisions.measure.regions import Labels, Region
from decisions.measure.segments import ENOUGH
from decisions.measure.supposed import worth
from decisions.measure.supposed.prospects import Figure
from decisions.measure.supposed.worth import Amounts, Cell, Gains, Part
from decisions.models.items import Item

Route = Item.Route
NOTHING = np.empty(0)
NO_RATE = Share()


class Beside(StrEnum):
    """What the money is held against."""

    NO_MODEL = "no_model"  # everything passes, nobody looks at anything
    REVIEW_ALL = "review_all"  # everything goes to people, at their measured time and errors


class Why(StrEnum):
    """Why an amount is not measured."""

    FEW = "few"  # fewer than 30 labels' worth
    NO_TIME = "no_time"  # nobody knows how long a decision takes
    NO_RATES = "no_rates"  # nobody knows how often people err


@dataclass(frozen=True)
class People:
    """What a decision costs in money (>= 0; None: its time was not measured), and how people err.

    `sensitivity` is the share of positives, `false_positives` that of negatives, that a person calls positive.
    """

    cost: float | None
    sensitivity: Share = NO_RATE
    false_positives: Share = NO_RATE

    @property
    def has_rates(self) -> bool:
        """Whether it is known how often they err."""
        rates = (self.sensitivity, self.false_positives)
        return all(rate.value is not None and rate.n_eff >= ENOUGH for rate in rates)


@dataclass(frozen=True)
class Taken:
    """The items that took one route, and labels drawn from `scope` of them, which stand for all.

    `amounts` and `delay` are money of each label: what it brings, and what it costs that a right hard action waits for
    a person (>= 0).
    """

    route: Route
    items: float
    scope: float
    labels: Labels
    amounts: Amounts
    delay: FloatArray

    @property
    def n_eff(self) -> float:
        """As many labels of a simple random sample are these worth."""
        return estimates.effective(self.labels.pi[~np.isnan(self.labels.y)])

    @property
    def is_enough(self) -> bool:
        """Whether something can be said: what people answered is counted, the rest needs 30 labels' worth."""
        return self.route == Route.SOFT or not self.items or self.n_eff >= ENOUGH

    def where(self, keep: BoolArray, items: float, scope: float) -> "Taken":
        """Return the part that these labels are of."""
        return Taken(self.route, items, scope, self.labels.part(keep), self.amounts.at(keep), self.delay[keep])


@dataclass(frozen=True)
class Money:
    """Money won (below 0: lost) by one route, or by all of them, against each of two ways to do without."""

    items: float
    labels: int
    n_eff: float
    beside: dict[Beside, Figure]


def by_route(taken: Sequence[Taken], people: People) -> dict[Route, Money]:
    """Return what each route won or lost."""
    return {one.route: _money([one], people) for one in taken}


def total(taken: Sequence[Taken], people: People) -> Money:
    """Return what all routes together won or lost; not measured where one of them is not."""
    return _money(taken, people)


def cost_of_knowing(tasks: float, people: People) -> Figure:
    """Return what audits, second opinions and gold items cost in people's time: below 0, and counted."""
    if tasks and people.cost is None:
        return Figure(why=Why.NO_TIME)
    spent = -tasks * (people.cost or 0.0) or 0.0
    return Figure(spent, spent, spent)


def _money(taken: Sequence[Taken], people: People) -> Money:
    return Money(
        items=sum(one.items for one in taken),
        labels=sum(int((~np.isnan(one.labels.y)).sum()) for one in taken),
        n_eff=sum(one.n_eff for one in taken),
        beside={beside: _against(taken, beside, people) for beside in Beside},
    )


def _against(taken: Sequence[Taken], beside: Beside, people: People) -> Figure:
    """Return the money of routes that share no item; the people who would have decided all err alike in each."""
    counted = [one for one in taken if one.items and not _is_same(one, beside)]
    if why := _why(counted, beside, people):
        return Figure(why=why)
    middle = worth.added([_part(one, beside, people) for one in counted])
    if middle.value is None or middle.low is None or middle.high is None:
        return replace(middle, guess=None, why=Why.FEW)
    below, above = [middle.value - middle.low], [middle.high - middle.value]
    for other in _at_limits(people) if beside == Beside.REVIEW_ALL and counted else ():
        moved = [(worth.added([_part(one, beside, at) for one in counted]).value or 0.0) - middle.value for at in other]
        below.append(-min(0.0, *moved))
        above.append(max(0.0, *moved))
    low, high = middle.value - float(np.hypot.reduce(below)), middle.value + float(np.hypot.reduce(above))
    return Figure(middle.value, low, high, labels=middle.labels)


def _is_same(one: Taken, beside: Beside) -> bool:
    """Tell whether the route is what it is held against: a pass without a model, people where people decide all."""
    return one.route == (Route.PASS if beside == Beside.NO_MODEL else Route.SOFT)


def _why(taken: Sequence[Taken], beside: Beside, people: People) -> Why | None:
    """Say why nothing can be said of these routes; None where something can."""
    asks_people = beside == Beside.REVIEW_ALL or any(one.route == Route.SOFT for one in taken)
    if not taken:
        return None
    if not all(one.is_enough for one in taken):
        return Why.FEW
    if asks_people and people.cost is None:
        return Why.NO_TIME
    if beside == Beside.REVIEW_ALL and not people.has_rates:
        return Why.NO_RATES
    return None


def _at_limits(people: People) -> list[tuple[People, People]]:
    """Return people who err as the limits of each of their two rates have it."""
    caught, wrong = people.sensitivity, people.false_positives
    few, many = (replace(people, sensitivity=replace(caught, value=end)) for end in caught.at(intervals.LEVEL))
    seldom, often = (replace(people, false_positives=replace(wrong, value=end)) for end in wrong.at(intervals.LEVEL))
    return [(few, many), (seldom, often)]


def _part(one: Taken, beside: Beside, people: People) -> Part:
    """Return what one route won, brought from the items that its labels speak of to all of them."""
    other = _passed(one) if beside == Beside.NO_MODEL else _reviewed(one, people)
    gains = _done(one, people).minus(other)
    region = Region(one.scope, 0.0, float("nan"), one.labels, is_dense=one.route == Route.HARD)
    part = worth.part(Cell(region, NOTHING, NOTHING, None, gains))
    if part.value is None:
        return part
    scale = one.items / one.scope
    return Part(part.value * scale, part.below * scale, part.above * scale, None, part.labels)


def _done(one: Taken, people: People) -> Gains:
    """Return what was done: the machine acted, people decided (a ruling is taken as right), or nothing was done."""
    amounts, cost = one.amounts, people.cost or 0.0
    if one.route == Route.HARD:
        return Gains(amounts.tp, amounts.fp)
    if one.route == Route.SOFT:
        return Gains(amounts.tp - cost - one.delay, amounts.tn - cost)
    return _passed(one)


def _passed(one: Taken) -> Gains:
    return Gains(one.amounts.fn, one.amounts.tn)


def _reviewed(one: Taken, people: People) -> Gains:
    """Return what people would have made of the same items."""
    amounts, cost = one.amounts, people.cost or 0.0
    caught, wrong = people.sensitivity.value or 0.0, people.false_positives.value or 0.0
    return Gains(
        caught * amounts.tp + (1 - caught) * amounts.fn - cost - one.delay,
        wrong * amounts.fp + (1 - wrong) * amounts.tn - cost,
    )
