"""Curves by hand."""

import numpy as np
import pytest

from decisions.measure import curves, estimates
from decisions.measure.curves import Rows
from decisions.measure.estimates import Why

# Scores .9 (acted on, all labelled), .6 (half labelled) and .1 (a tenth audited).
ROWS = Rows(
    scores=np.repeat([0.9, 0.6, 0.1], [10, 20, 100]),
    y=np.concatenate([np.repeat([1.0, 0.0], part) for part in ((9, 1), (10, 10), (2, 98))]),
    pi=np.repeat([1.0, 0.5, 0.1], [10, 20, 100]),
    p_floored=np.repeat([0.9, 0.5, 0.02], [10, 20, 100]),
)
EMPTY = Rows(*(np.empty(0) for _ in range(4)))


@pytest.mark.parametrize(
    ("threshold", "precision", "recall"),
    [
        (0.9, 0.9, 9 / 49),  # 9 of 10; below: 10 of weight 2 and 2 of weight 10
        (0.6, 29 / 50, 29 / 49),  # 9 + 20 of 10 + 40
        (0.0, 49 / 1050, None),  # nothing below it: nothing was audited there
    ],
)
def test_a_threshold_s_precision_and_recall(threshold: float, precision: float, recall: float | None) -> None:
    point = curves.above(threshold, ROWS)
    assert point.precision.value == pytest.approx(precision)
    assert point.recall.value == (None if recall is None else pytest.approx(recall))


def test_the_number_of_items_may_be_known() -> None:
    known = curves.above(0.6, ROWS, items=60).recall
    assert known.value == pytest.approx(60 * 29 / 50 / (60 * 29 / 50 + 20))


def test_a_threshold_above_all_scores_has_no_precision_and_catches_nothing() -> None:
    point = curves.above(2.0, ROWS)
    assert point.precision.why == Why.NO_LABELS
    assert point.recall.value == 0


def test_the_curve_runs_from_the_lowest_to_the_highest_score() -> None:
    points = curves.precision_recall(ROWS)
    assert [point.threshold for point in points] == [0.1, 0.6, 0.9]
    assert [point.recall.value for point in points][1:] == pytest.approx([29 / 49, 9 / 49])
    assert curves.precision_recall(ROWS, at=[0.7])[0].precision.value == 0.9


def test_the_calibration_curve_holds_the_foretold_beside_the_found() -> None:
    numbers = np.random.default_rng(1)
    p = numbers.random(20_000)
    pi = 0.1 + 0.9 * p
    bins = curves.calibration(p, (numbers.random(20_000) < p**2).astype(float), pi)
    assert len(bins) == 10
    assert sum(one.share.n for one in bins) == 20_000
    for one in bins:
        assert one.share.low is not None
        assert one.share.high is not None
        assert one.share.low - 0.01 < one.foretold**2 < one.share.high + 0.01


def test_few_labels_make_few_bins_and_those_without_truth_make_none() -> None:
    y = np.array([1.0, 0, 1, np.nan, 0, 1, 1])
    assert [one.share.n for one in curves.calibration(np.linspace(0, 1, 7), y, np.ones(7))] == [6]
    assert [one.share.n for one in curves.calibration(np.zeros(40), np.ones(40), np.ones(40))] == [40]  # blind scores


def test_an_empty_window_has_no_curve() -> None:
    assert curves.precision_recall(EMPTY) == []
    assert curves.calibration(*(np.empty(0) for _ in range(3))) == []
    assert curves.above(0.5, EMPTY).recall.why == estimates.Why.NO_LABELS
