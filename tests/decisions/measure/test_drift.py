"""Drift against cases worked out by hand."""

import numpy as np
import pytest

from decisions.measure import drift
from decisions.measure.drift import Level

NUMBERS = np.random.default_rng(11)
PAST = NUMBERS.normal(size=10_000)


def test_psi_is_its_formula() -> None:
    before, now = ["a"] * 500 + ["b"] * 500, ["a"] * 800 + ["b"] * 200
    found = drift.psi_categories(before, now)
    assert found.psi == pytest.approx(0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5), rel=0.01)
    assert (found.names, found.before, found.now) == (("a", "b"), (0.5, 0.5, 0.0), (0.8, 0.2, 0.0))
    assert (found.level, found.rows) == (Level.ACT, (1000, 1000))


def test_its_p_value_is_that_of_two_cells_counted_twice() -> None:
    found = drift.psi_categories(["a"] * 500 + ["b"] * 500, ["a"] * 540 + ["b"] * 460)
    assert found.p == pytest.approx(0.0734, abs=0.001)  # chi-squared 3.205 on one degree of freedom
    assert found.level == Level.NONE


@pytest.mark.parametrize(
    ("shift", "level"),
    [(0.0, Level.NONE), (0.1, Level.NONE), (0.4, Level.WARN), (0.8, Level.ACT)],  # .1 is certain, and small
)
def test_a_shift_of_numbers_is_told_by_its_size(shift: float, level: Level) -> None:
    found = drift.psi(PAST, NUMBERS.normal(shift, size=5_000))
    assert found.level == level
    assert len(found.cuts) == 9
    assert len(found.before) == len(found.now) == 10
    assert sum(found.before) == pytest.approx(1) == pytest.approx(sum(found.now))


def test_few_rows_far_off_are_not_taken_for_drift() -> None:
    found = drift.psi(PAST[:40], PAST[40:80])
    assert found.level == Level.NONE
    assert len(found.before) <= 8
    assert drift.psi(PAST, PAST[:29]).level == Level.UNMEASURED


def test_rounded_scores_share_bins() -> None:
    rounded = np.round(NUMBERS.beta(0.2, 5, 20_000), 2)  # most of them 0.00
    found = drift.psi(rounded[:10_000], rounded[10_000:])
    assert 1 < len(found.before) < 10
    assert min(found.before) > 0
    assert found.level == Level.NONE
    assert drift.psi(rounded[:10_000], np.minimum(1.0, rounded[10_000:] + 0.05)).level == Level.ACT


@pytest.mark.parametrize("value", [0.4, 0.5, 0.6])
def test_a_constant_that_moves_is_seen(value: float) -> None:
    found = drift.psi(np.full(100, 0.5), np.full(100, value))
    assert found.level == (Level.NONE if value == 0.5 else Level.ACT)


def test_missing_values_are_left_to_their_own_test() -> None:
    holes = np.where(np.arange(10_000) % 2, np.nan, PAST)
    found = drift.psi(PAST, holes)
    assert (found.rows, found.level) == ((10_000, 5_000), Level.NONE)
    assert drift.psi(np.full(50, np.nan), PAST).level == Level.UNMEASURED


def test_rare_and_unknown_categories_are_one_cell() -> None:
    before = ["a"] * 900 + [f"rare {n}" for n in range(100)]
    now = ["a"] * 800 + ["new"] * 200
    found = drift.psi_categories(before, now)
    assert (found.names, found.before, found.now) == (("a",), (0.9, 0.1), (0.8, 0.2))


def test_names_that_never_repeat_cannot_be_compared() -> None:
    found = drift.psi_categories(range(1000), range(1000, 2000))
    assert (found.level, found.psi, found.p) == (Level.UNMEASURED, 0.0, 1.0)


@pytest.mark.parametrize(
    ("before", "now", "level"),
    [
        ((10, 1000), (10, 1000), Level.NONE),
        ((10, 1000), (50, 1000), Level.WARN),  # 1 % to 5 %
        ((10, 1000), (300, 1000), Level.ACT),
        ((300, 1000), (10, 1000), Level.ACT),  # a field that fills up is a change as well
        ((1000, 100_000), (2000, 100_000), Level.NONE),  # certain, and one point only
        ((20, 1000), (4, 30), Level.NONE),  # 2 % to 13 % of very few
        ((0, 1000), (29, 29), Level.UNMEASURED),
        ((0, 0), (0, 0), Level.UNMEASURED),
    ],
)
def test_missing_values_need_size_and_certainty(before: tuple[int, int], now: tuple[int, int], level: Level) -> None:
    found = drift.missing(*before, *now)
    assert found.level == level
    assert np.isfinite([found.before, found.now, found.p, found.change]).all()


def test_unseen_categories_are_named() -> None:
    found = drift.unseen(["a", "b"] * 500, ["a"] * 850 + ["x"] * 100 + ["y"] * 50)
    assert (found.names, found.now, found.level) == (("x", "y"), 0.15, Level.ACT)
    assert drift.unseen(["a", "b"] * 500, ["a"] * 100).level == Level.NONE
    assert drift.unseen([], ["a"]).level == Level.UNMEASURED


def test_a_field_that_always_brings_new_names_is_no_drift() -> None:
    for _ in range(20):
        names = NUMBERS.zipf(1.5, 6_000).tolist()
        found = drift.unseen(names[:4_000], names[4_000:])
        assert found.now > 0.01
        assert found.level == Level.NONE
