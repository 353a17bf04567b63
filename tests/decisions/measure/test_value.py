"""Money won and lost, as far as it can be reckoned by hand."""

from dataclasses import replace

import numpy as np
import pytest

from decisions.measure import estimates, value, value_words
from decisions.measure.estimates import Share
from decisions.measure.regions import Labels
from decisions.measure.supposed.worth import Amounts
from decisions.measure.value import Beside, People, Route, Taken, Why
from decisions.queues.spec import Money, ValueFormula

FORMULA = ValueFormula("EUR", tp=Money(1.0), fp=Money(-8.0), fn=Money(-3.0))
SURE = People(0.5)


def share(hits: int, n: int) -> Share:
    return estimates.as_sample(estimates.precision((np.arange(n) < hits).astype(np.float64), np.ones(n)))


def taken(route: Route, positive: int, negative: int, *, pi: float = 1.0, items: float | None = None) -> Taken:
    """Return a route with so many labels of each kind."""
    n = positive + negative
    y, plain = (np.arange(n) < positive).astype(np.float64), np.zeros(n)
    labels = Labels(plain, np.full(n, "soft", dtype=object), y, np.full(n, pi), np.full(n, 0.1), plain, plain, plain)
    amounts = Amounts.of(FORMULA, {}, n)
    assert amounts is not None
    count = n / pi if items is None else items
    return Taken(route, count, count, labels, amounts, plain)


def test_what_people_decided_is_counted_and_paid() -> None:
    found = value.by_route([taken(Route.SOFT, 10, 30)], SURE)[Route.SOFT]
    figure = found.beside[Beside.NO_MODEL]
    assert figure.value == figure.low == figure.high == pytest.approx(10 * 4 - 40 * 0.5)
    assert found.beside[Beside.REVIEW_ALL].value == 0


def test_a_hard_action_is_known_by_its_control_group() -> None:
    figure = value.by_route([taken(Route.HARD, 90, 10, pi=0.1, items=900)], SURE)[Route.HARD].beside[Beside.NO_MODEL]
    assert figure.value == pytest.approx(900 * (0.9 * 4 - 0.1 * 8))
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low < 900 * 2.8 < figure.high


def test_people_who_err_make_less_of_everything() -> None:
    people = People(0.5, share(380, 400), share(8, 400))
    hard = taken(Route.HARD, 95, 5, pi=0.1, items=1000)
    figure = value.total([hard], people).beside[Beside.REVIEW_ALL]
    positive, negative = 1 - (0.95 * 1 + 0.05 * -3 - 0.5), -8 - (0.02 * -8 - 0.5)
    assert figure.value == pytest.approx(1000 * (0.95 * positive + 0.05 * negative))
    sure = replace(people, sensitivity=replace(people.sensitivity, units=np.inf, unknown=0.0))
    narrow = value.total([hard], sure).beside[Beside.REVIEW_ALL]
    assert narrow.high is not None
    assert figure.high is not None
    assert figure.high > narrow.high  # that it is a sample how they err widens it


def test_passes_win_nothing_against_passing_everything() -> None:
    money = value.by_route([taken(Route.PASS, 2, 98, pi=0.1)], SURE)[Route.PASS]
    assert money.beside[Beside.NO_MODEL].value == 0
    assert money.beside[Beside.REVIEW_ALL].why == Why.NO_RATES


def test_audits_of_a_part_stand_for_all_passes() -> None:
    people = People(0.5, share(400, 400), share(0, 400))
    one = taken(Route.PASS, 5, 95, pi=0.1)
    half = replace(one, items=2 * one.items)
    few, many = (value.total([it], people).beside[Beside.REVIEW_ALL].value for it in (one, half))
    assert few is not None
    assert many == pytest.approx(2 * few)


@pytest.mark.parametrize(
    ("one", "people", "beside", "why"),
    [
        (taken(Route.HARD, 20, 9, pi=0.1), SURE, Beside.NO_MODEL, Why.FEW),  # 29 labels
        (taken(Route.HARD, 0, 0, items=50), SURE, Beside.NO_MODEL, Why.FEW),  # no control group
        (taken(Route.SOFT, 10, 10), People(None), Beside.NO_MODEL, Why.NO_TIME),
        (taken(Route.HARD, 50, 9, pi=0.1), SURE, Beside.REVIEW_ALL, Why.NO_RATES),
        (taken(Route.HARD, 50, 9, pi=0.1), People(0.5, share(9, 9), share(0, 90)), Beside.REVIEW_ALL, Why.NO_RATES),
    ],
)
def test_what_is_not_measured_says_why(one: Taken, people: People, beside: Beside, why: Why) -> None:
    money = value.total([one], people)
    assert (money.beside[beside].value, money.beside[beside].why) == (None, why)
    assert value_words.why(money.beside[beside]) in value_words.sentence(money, beside, "EUR", one.route)


def test_one_part_that_is_not_measured_takes_the_sum_with_it() -> None:
    parts = [taken(Route.SOFT, 40, 40), taken(Route.HARD, 3, 1, pi=0.1)]
    assert value.total(parts, SURE).beside[Beside.NO_MODEL].why == Why.FEW
    assert value.total([parts[0]], SURE).beside[Beside.NO_MODEL].value is not None


def test_checks_cost_time() -> None:
    assert value.cost_of_knowing(30, SURE).value == -15
    assert value.cost_of_knowing(30, People(None)).why == Why.NO_TIME
    assert value.cost_of_knowing(0, People(None)).value == 0


def test_sentences_say_won_lost_or_that_nobody_can_tell() -> None:
    won = value.total([taken(Route.SOFT, 10, 30)], SURE)
    assert value_words.sentence(won, Beside.NO_MODEL, "EUR", Route.SOFT) == (
        "People's decisions won 20.00\N{NO-BREAK SPACE}EUR against no model, counted from 40 answers."
    )
    lost = value.total([taken(Route.SOFT, 0, 30)], SURE)
    assert "lost 15.00" in value_words.sentence(lost, Beside.NO_MODEL, "EUR", Route.SOFT)
    unsure = value.total([taken(Route.HARD, 27, 13, pi=0.1)], SURE)
    assert "the labels cannot tell which" in value_words.sentence(unsure, Beside.NO_MODEL, "EUR")
    assert "no difference" in value_words.sentence(won, Beside.REVIEW_ALL, "EUR", Route.SOFT)
    assert "Nothing took this way" in value_words.sentence(
        value.total([taken(Route.HARD, 0, 0)], SURE), Beside.NO_MODEL, "EUR", Route.HARD
    )
