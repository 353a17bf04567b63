"""The limits of the money that routes won hold the truth of a made queue."""

import pytest

from decisions.measure.value import Beside, Route
from decisions.queues.spec import ValueFormula
from tests.simulation import money


@pytest.mark.parametrize("formula", [money.FLAT, money.BY_AMOUNT], ids=["the same for all", "by an amount"])
@pytest.mark.parametrize("beside", list(Beside))
def test_money_of_all_routes_is_within_its_limits(formula: ValueFormula, beside: Beside) -> None:
    found = money.run(formula, None, beside, draws=150)
    assert found.covered >= 0.92  # 95 promised; less two standard errors of 150 draws
    assert abs(found.bias - 1) < 0.1
    assert found.told == 1


@pytest.mark.parametrize(
    ("route", "beside"),
    [
        (Route.HARD, Beside.NO_MODEL),  # its control group
        (Route.HARD, Beside.REVIEW_ALL),  # and how people err
        (Route.SOFT, Beside.NO_MODEL),  # a census
        (Route.PASS, Beside.REVIEW_ALL),  # audits
    ],
)
def test_money_of_each_route_is_within_its_limits(route: Route, beside: Beside) -> None:
    found = money.run(money.BY_AMOUNT, route, beside, draws=150)
    assert found.covered >= 0.92
    assert abs(found.bias - 1) < 0.1
