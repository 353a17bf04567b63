"""Intervals against values from the literature, and how two combine."""

import math

import numpy as np
import pytest

from decisions.measure import intervals


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I, Wilson
        (15, 148, 0.0624, 0.1605),  # the same
        (0, 20, 0.0, 0.1611),  # the same
        (1, 29, 0.0061, 0.1718),  # the same
        (8, 10, 0.4902, 0.9433),
        (20, 20, 0.8389, 1.0),  # all: never past 1
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert intervals.wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2527, 0.3676),  # Newcombe (1998), table I, Clopper and Pearson
        (15, 148, 0.0578, 0.1617),  # the same
        (0, 20, 0.0, 0.1684),  # the same
        (1, 29, 0.0009, 0.1776),  # the same
        (20, 20, 0.8316, 1.0),
    ],
)
def test_clopper_and_pearson(hits: int, n: int, low: float, high: float) -> None:
    assert intervals.exact(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_a_one_sided_limit_spends_all_its_risk_on_one_side() -> None:
    assert intervals.exact_lower(100, 100) == pytest.approx(0.05**0.01)  # by hand: all hits have probability low^n
    assert intervals.exact_upper(0, 100) == pytest.approx(1 - 0.05**0.01)
    assert intervals.exact_lower(97, 100, 0.975) == intervals.exact(97, 100)[0]


@pytest.mark.parametrize("n", [0, 0.0])
def test_nothing_seen_leaves_all_open(n: float) -> None:
    assert intervals.wilson(0, n) == (0, 1)
    assert intervals.exact(0, n) == (0, 1)


def test_an_unweighted_count_has_the_exact_poisson_interval() -> None:
    assert intervals.count(3, 3, 1) == pytest.approx((0.6187, 8.7673), abs=1e-4)  # Garwood (1936), 3 events
    assert intervals.count(0, 0, 1) == pytest.approx((0, 3.6889), abs=1e-4)
    assert intervals.count(0, 0, 650) == pytest.approx((0, 3.6889 * 650), rel=1e-4)


def test_a_count_of_a_census_is_exact() -> None:
    assert intervals.count(0, 0, 0) == (0, 0)


def test_the_difference_of_two_shares_is_newcombes() -> None:
    # Newcombe (1998, Statistics in Medicine 17, 873), table II, method 10: 56/70 - 48/80
    first, second = intervals.wilson(56, 70), intervals.wilson(48, 80)
    assert intervals.difference(56 / 70, first, 48 / 80, second) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_ratio_and_share_of_odds_agree() -> None:
    low, high = intervals.ratio(900, (880, 925), 100, (60, 180))
    assert intervals.odds_share(900, (880, 925), 100, (60, 180)) == pytest.approx((low / (1 + low), high / (1 + high)))
    assert low < 9 < high


def test_a_limit_of_zero_leaves_its_side_open() -> None:
    assert intervals.odds_share(900, (900, 900), 10, (0, 40)) == pytest.approx((900 / 940, 1.0))
    assert intervals.ratio(9, (0, 12), 3, (2, 4))[0] == 0.0


def test_a_higher_level_is_wider() -> None:
    widths = [np.diff(intervals.count(5, 7, 2, level))[0] for level in (0.8, 0.95, 0.975, 0.99)]
    assert widths == sorted(widths)
    assert math.isclose(intervals.z(), 1.959964, rel_tol=1e-6)
