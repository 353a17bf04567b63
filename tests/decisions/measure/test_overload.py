"""Which overload rule takes a step: a table over figures."""

from math import inf
from types import SimpleNamespace
from typing import Any

import pytest

from decisions.measure import overload
from decisions.measure.overload import Figures, Mode, Standing, Step
from decisions.queues.spec_time import Overload, OverloadRule

T, C, S, N, K, A = OverloadRule
ASKED = Overload(order=(T, C, S), begin_load=1.0, end_load=0.8)
MOST = {T: 2, C: 1, S: 1, N: 1, K: 1, A: 1}


def figures(load: float = 0.9, at_risk: int = 0, demand: float = 10, capacity: float = 20) -> Figures:
    return Figures(load, at_risk, 100, demand, capacity)


OVER, CALM, BETWEEN = figures(1.2, 5), figures(0.5), figures(0.9)
# figures, levels now, the step
STEPS: list[tuple[Figures, dict[OverloadRule, int], Step | None]] = [
    (OVER, {}, Step(T, 0, 1)),  # the first rule, by one level
    (OVER, {T: 1}, Step(T, 1, 2)),  # on until it can go no further
    (OVER, {T: 2}, Step(C, 0, 1)),  # then the next one
    (OVER, {T: 2, C: 1}, Step(S, 0, 1)),
    (OVER, {T: 2, C: 1, S: 1}, None),  # nothing is left
    (figures(1.0), {}, Step(T, 0, 1)),  # at the mark belongs above
    (figures(0.2, 1), {}, Step(T, 0, 1)),  # one that will be late is enough
    (figures(inf, 3), {}, Step(T, 0, 1)),
    (BETWEEN, {T: 1}, None),  # hysteresis: neither on nor back
    (CALM, {T: 2, C: 1}, Step(C, 1, 0)),  # the last one first
    (CALM, {T: 2}, Step(T, 2, 1)),
    (CALM, {}, None),
    (figures(0.8), {T: 1}, Step(T, 1, 0)),  # at the other mark
    (figures(0.5, demand=30), {T: 1}, None),  # without the rule more would come than can be done
    (figures(0.5, capacity=0), {T: 1}, None),  # nobody works: nothing is known
    (figures(inf, 9, capacity=0), {}, None),  # the same at night without shifts
]


@pytest.mark.parametrize(("told", "levels", "expected"), STEPS)
def test_steps(told: Figures, levels: dict[OverloadRule, int], expected: Step | None) -> None:
    standing = {rule: Standing(level) for rule, level in levels.items()}
    assert overload.step(told, standing, MOST, ASKED, has_rested=True) == expected


@pytest.mark.parametrize(("told", "levels", "_step"), STEPS)
def test_two_steps_are_never_close(told: Figures, levels: dict[OverloadRule, int], _step: Step | None) -> None:
    standing = {rule: Standing(level) for rule, level in levels.items()}
    assert overload.step(told, standing, MOST, ASKED, has_rested=False) is None


def test_what_a_person_switched_is_left_alone() -> None:
    off = {T: Standing(0, Mode.OFF)}
    assert overload.step(OVER, off, MOST, ASKED, has_rested=True) == Step(C, 0, 1)
    on = {C: Standing(1, Mode.ON), T: Standing(1)}
    assert overload.step(CALM, on, MOST, ASKED, has_rested=True) == Step(T, 1, 0)
    assert overload.step(CALM, {C: Standing(1, Mode.ON)}, MOST, ASKED, has_rested=True) is None


@pytest.mark.parametrize(
    ("standing", "most", "asked", "expected"),
    [
        ({T: Standing(2)}, {**MOST, T: 0}, ASKED, Step(T, 2, 0)),  # the new policy has no bound
        ({T: Standing(2)}, {**MOST, T: 1}, ASKED, Step(T, 2, 1)),
        ({S: Standing(1)}, MOST, Overload(order=(T,)), Step(S, 1, 0)),  # it left the order
        ({S: Standing(1, Mode.ON)}, MOST, Overload(), None),  # but a person's is not in it anyway
        ({T: Standing(1, Mode.ON)}, MOST, Overload(), Step(T, 1, 2)),  # switched on goes as far as it can
    ],
)
def test_what_may_no_longer_be_is_put_right_at_once(
    standing: dict[OverloadRule, Standing],
    most: dict[OverloadRule, int],
    asked: Overload,
    expected: Step | None,
) -> None:
    assert overload.step(BETWEEN, standing, most, asked, has_rested=False) == expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, {T: 0, C: 1, S: 1, N: 1, K: 0, A: 0}),  # without bounds no room
        ({"overload_soft": 0.5, "control_floor": 0.05, "audit_floor": 0}, {T: 4, C: 1, S: 1, N: 1, K: 1, A: 1}),
        ({"overload_soft": 0.3, "control_floor": 0.1, "audit_floor": 5}, {T: 0, C: 1, S: 1, N: 1, K: 0, A: 0}),
        ({"soft": None, "overload_soft": None}, {T: 0, C: 1, S: 1, N: 1, K: 0, A: 0}),
    ],
)
def test_a_policy_bounds_the_rules(terms: dict[str, Any], expected: dict[OverloadRule, int]) -> None:
    given = {"soft": 0.3, "control_share": 0.1, "audit_budget": 5}
    nothing = {"overload_soft": None, "control_floor": None, "audit_floor": None}
    assert overload.limits(SimpleNamespace(**{**given, **nothing, **terms})) == expected  # type: ignore[arg-type]


def test_load_and_capacity_make_utilisation() -> None:
    assert figures(demand=30, capacity=20).utilisation == 1.5
    assert figures(demand=1, capacity=0).utilisation == inf
    assert figures(demand=0, capacity=0).utilisation == 0
