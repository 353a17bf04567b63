"""Money of supposed policies, against the truth of made worlds."""

from dataclasses import replace

import numpy as np
import pytest

from decisions.measure.regions import Supposed, World, codes
from decisions.measure.supposed import worth
from decisions.measure.supposed.prospects import NOT_MEASURED, Figure
from decisions.measure.supposed.worth import Amounts, Plan, Prices
from decisions.queues.spec import Money, ValueFormula
from decisions.routing import policy
from decisions.routing.policy import Cuts, FloatArray
from tests.decisions.measure.supposing import LIVE, Made, made
from tests.decisions.measure.test_prospects import without

SPAM = ValueFormula("USD", tp=Money(0.2), fp=Money(-8.0), fn=Money(-0.2))
LOANS = ValueFormula("EUR", fn=Money(0.0, -0.6, "Amount"), fp=Money(0.0, -0.1, "Amount"), tn=Money(0.0, 0.1, "Amount"))
WHAT_IF = [replace(LIVE, hard=0.9), replace(LIVE, hard=0.6), replace(LIVE, soft=0.15), replace(LIVE, soft=0.5)]
WORLDS = 20


def amounts(world: Made) -> FloatArray:
    """Return an amount an item, larger where the score is."""
    return np.random.default_rng(0).gamma(2.0, 500.0, len(world.score)) * (1 + world.score)


def prices(world: Made, formula: ValueFormula, *, known: bool) -> Prices:
    """Return the amounts; `known`: of all items and not only of the labelled ones."""
    labels = world.world.labels
    of_items = amounts(world)
    place = {score: n for n, score in enumerate(world.score.tolist())}
    of_labels = of_items[[place[score] for score in labels.score.tolist()]]
    in_payload = Amounts.of(formula, {"Amount": of_labels}, len(of_labels))
    assert in_payload is not None
    return Prices(Amounts.of(formula, {"Amount": of_items} if known else {}, len(of_items)), in_payload)


def true_worth(world: Made, formula: ValueFormula, cuts: Cuts) -> float:
    """Return what a policy brings, on the average of the control group's draws."""
    money = Amounts.of(formula, {"Amount": amounts(world)}, len(world.score))
    assert money is not None
    gains = money.under(codes(policy.bands(world.score, cuts)), cuts.control_share)
    return float((world.truth * gains.positive + (1 - world.truth) * gains.negative).sum())


def plan(world: World, cuts: Cuts) -> Plan:
    return Plan(Supposed.of(world, cuts), cuts.control_share)


def covered(figure: Figure, truth: float) -> bool:
    assert figure.low is not None
    assert figure.high is not None
    return figure.low - 1e-6 <= truth <= figure.high + 1e-6


def width(figure: Figure) -> float:
    assert figure.low is not None
    assert figure.high is not None
    return figure.high - figure.low


@pytest.mark.parametrize("cuts", WHAT_IF)
@pytest.mark.parametrize(
    ("formula", "known"),
    [
        (SPAM, True),  # the same money for all
        (LOANS, True),  # an amount of each item, which all have
        (LOANS, False),  # an amount that is looked up for labelled items only
    ],
)
def test_intervals_of_money_hold_the_truth(cuts: Cuts, formula: ValueFormula, known: bool) -> None:
    totals = gaps = 0
    for seed in range(WORLDS):
        world = made(seed)
        live, new, money = plan(world.world, LIVE), plan(world.world, cuts), prices(world, formula, known=known)
        true, was = true_worth(world, formula, cuts), true_worth(world, formula, LIVE)
        totals += covered(worth.total(new, money), true)
        gaps += covered(worth.gap(live, new, money), true - was)
    assert totals >= 0.9 * WORLDS
    assert gaps >= 0.9 * WORLDS


def test_a_wider_control_group_saves_what_wrong_hard_actions_cost() -> None:
    world = made(1)
    formula = replace(SPAM, tn=Money(8.0))
    money = prices(world, formula, known=True)
    found = worth.gap(plan(world.world, LIVE), plan(world.world, replace(LIVE, control_share=0.5)), money)
    region = Supposed.of(world.world, LIVE).hard
    assert region.share.value is not None
    assert found.value == pytest.approx(0.3 * 16.0 * region.items * (1 - region.share.value))
    assert covered(found, 0.3 * 16.0 * float((1 - world.truth[world.score >= 0.8]).sum()))


def test_amounts_that_only_labels_tell_make_the_sum_less_sure() -> None:
    world, amount = made(5), Money(0.0, 1.0, "Amount")
    always = ValueFormula("EUR", amount, amount, amount, amount)  # whatever an item is and wherever it goes
    known, looked_up = (worth.total(plan(world.world, LIVE), prices(world, always, known=one)) for one in (True, False))
    assert width(known) == 0
    assert width(looked_up) > 0.01 * float(amounts(world).sum())
    assert covered(looked_up, float(amounts(world).sum()))


def test_the_same_policy_is_worth_the_same() -> None:
    world = made(2)
    found = worth.gap(plan(world.world, LIVE), plan(world.world, LIVE), prices(world, LOANS, known=True))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_what_nobody_labelled_is_worth_a_guess_only() -> None:
    world = made(3)
    blind = Made(without(world.world, "pass"), world.truth)
    money = prices(blind, SPAM, known=True)
    found = worth.total(plan(blind.world, LIVE), money)
    assert (found.value, found.why) == (None, NOT_MEASURED)
    assert found.guess == pytest.approx(true_worth(Made(world.world, world.score), SPAM, LIVE), rel=1e-6)
    # People who see fewer of those that are labelled: nothing of what is not labelled changes hands.
    assert worth.gap(plan(blind.world, LIVE), plan(blind.world, replace(LIVE, soft=0.5)), money).value is not None


def test_items_without_their_amount_count_with_the_mean() -> None:
    found = Amounts.of(LOANS, {"Amount": np.array([100.0, np.nan, 300.0])}, 3)
    assert found is not None
    assert found.fn.tolist() == [-60.0, -120.0, -180.0]
    assert Amounts.of(LOANS, {}, 3) is None


def test_nothing_came() -> None:
    world = made(4, items=0, audits=0)
    assert worth.total(plan(world.world, LIVE), prices(world, SPAM, known=True)).value == 0.0
