"""Recalibration: what it finds where the truth is known, and that it never runs away."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from decisions.measure import calibrate
from decisions.measure.calibrate import FloatArray


def made(
    n: int = 20_000, *, slope: float = 1.0, intercept: float = 0.0, seed: int = 5
) -> tuple[FloatArray, FloatArray]:
    """Return log odds and labels that follow p = expit(slope * x + intercept)."""
    numbers = np.random.default_rng(seed)
    x = numbers.normal(-1, 2, n)
    return x, (numbers.random(n) < expit(slope * x + intercept)).astype(np.float64)


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [(1.0, 0.0), (0.5, 0.0), (2.0, 0.0), (1.0, -2.0), (0.5, 1.0)],  # as it is, over-, under-confident, shifted, both
)
def test_it_finds_how_the_score_is_off(slope: float, intercept: float) -> None:
    x, y = made(slope=slope, intercept=intercept)
    found = calibrate.platt(x, y)
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.intercept == pytest.approx(intercept, abs=0.1)
    assert (found.n, found.positives) == (20_000, y.sum())


def test_it_is_the_least_of_its_objective() -> None:
    x, y = made(300, slope=0.4, intercept=1.0)
    w = np.where(x > 0, 1.0, 20.0)
    scaled = w * w.sum() / np.square(w).sum()

    def loss(at: FloatArray) -> float:
        odds = at[0] * x + at[1]
        ridge = (at[0] - 1) ** 2 + 0.1 * at[1] ** 2
        return float(scaled @ (np.logaddexp(0, odds) - y * odds) + ridge / 2)

    found = calibrate.platt(x, y, w)
    assert (found.slope, found.intercept) == pytest.approx(tuple(minimize(loss, (1.0, 0.0)).x), abs=1e-4)


def test_weights_undo_how_labels_were_chosen() -> None:
    x, y = made(100_000, slope=0.5, intercept=-1.0)
    pi = np.where(expit(x) > 0.5, 1.0, 0.05)
    seen = np.random.default_rng(6).random(len(x)) < pi
    found = calibrate.platt(x[seen], y[seen], 1 / pi[seen])
    assert (found.slope, found.intercept) == pytest.approx((0.5, -1.0), abs=0.1)


def test_the_scale_of_weights_says_nothing() -> None:
    x, y = made(500)
    one, other = calibrate.platt(x, y), calibrate.platt(x, y, np.full(500, 400.0))
    assert (one.slope, one.intercept) == pytest.approx((other.slope, other.intercept))


@pytest.mark.parametrize(
    "y",
    [
        np.zeros(0),
        np.zeros(500),  # one class
        np.ones(500),
        np.arange(500) < 9,  # nine positives
        np.arange(500) >= 9,  # nine negatives
    ],
)
def test_too_few_of_a_class_leave_scores_as_they_are(y: FloatArray) -> None:
    found = calibrate.platt(np.linspace(-3, 3, len(y)), y.astype(np.float64))
    assert found.is_identity
    assert found.p(np.array([0.0])) == pytest.approx(0.5)


def test_a_score_that_tells_all_stays_finite() -> None:
    x = np.concatenate([np.full(1000, -13.8), np.full(1000, 13.8)])
    found = calibrate.platt(x, (x > 0).astype(np.float64))
    assert 0.05 < found.slope < 5
    assert np.isfinite(found.intercept)


def test_a_score_that_points_the_wrong_way_keeps_its_order() -> None:
    x, y = made(5_000, slope=-1.0)
    found = calibrate.platt(x, y)
    assert found.slope == calibrate.LEAST_SLOPE
    assert found.p(x).mean() == pytest.approx(y.mean(), abs=0.01)  # the level is right all the same


def test_a_score_of_noise_is_flattened() -> None:
    x, y = made(20_000)
    found = calibrate.platt(np.random.default_rng(7).permutation(x), y)
    assert found.slope < 0.1
    assert np.ptp(found.p(x)) < 0.3


@pytest.mark.parametrize(
    ("x", "y", "w"),
    [
        ([np.inf], [1.0], [1.0]),  # a score of 1 whose log odds were not bounded
        ([0.0], [0.5], [1.0]),
        ([0.0], [1.0], [0.0]),
        ([0.0, 1.0], [1.0], [1.0]),
    ],
)
def test_what_would_end_in_nan_is_refused(x: list[float], y: list[float], w: list[float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        calibrate.platt(np.array(x), np.array(y), np.array(w))


def test_calibrated_probabilities_have_an_error_of_chance_only() -> None:
    x, y = made()
    found = calibrate.calibration(expit(x), y)
    assert len(found.bins) == 10
    assert sum(one.labels for one in found.bins) == len(y)
    assert found.error < 2 * found.noise < 0.02
    assert found.ratio == pytest.approx(1.0, abs=0.03)
    assert sum(one.low <= one.expected <= one.high for one in found.bins) >= 8


def test_overconfident_probabilities_have_more() -> None:
    x, y = made(slope=0.5)
    found = calibrate.calibration(expit(x), y)
    assert found.error > 5 * found.noise


def test_the_error_is_the_mean_gap_by_weight() -> None:
    p, y = np.array([0.2, 0.2, 0.8, 0.8]), np.array([0.0, 1.0, 1.0, 1.0])
    found = calibrate.calibration(p, y, np.array([3.0, 1.0, 1.0, 1.0]), bins=2)
    assert [(one.expected, one.found) for one in found.bins] == [pytest.approx((0.2, 0.25)), pytest.approx((0.8, 1.0))]
    assert found.error == pytest.approx((4 * 0.05 + 2 * 0.2) / 6)
    assert found.ratio == pytest.approx((4 * 0.2 + 2 * 0.8) / 3)


def test_without_labels_or_positives_nothing_is_nan() -> None:
    assert calibrate.calibration(np.empty(0), np.empty(0)) == calibrate.Calibration((), 0.0, 0.0, None)
    found = calibrate.calibration(np.full(50, 0.5), np.zeros(50))
    assert (len(found.bins), found.error, found.ratio) == (1, 0.5, None)
