"""Recalibration: what it finds where the truth is known, and that it never runs away."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from decisions.measure import bins, calibrate
from decisions.measure.calibrate import FloatArray, Platt
from decisions.routing import sampling


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
    assert (found.slope, found.intercept) == (1.0, 0.0)
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
    assert calibrate.calibration(np.empty(0), np.empty(0)) == calibrate.Calibration((), 0.0, 0.0, 1.0, 0.0, None)
    found = calibrate.calibration(np.full(50, 0.5), np.zeros(50))
    assert (len(found.bins), found.error, found.ratio) == (1, 0.5, None)


def scored(digits: int | None, *, confidence: float = 1.0, seed: int = 8) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return scores, labels and propensities of items of which one in a hundred is positive, and each one's truth."""
    numbers = np.random.default_rng(seed)
    odds = -8.2 + 3 * numbers.standard_normal(200_000)
    scores = expit(confidence * odds)
    truth = expit(odds)
    return (scores if digits is None else np.round(scores, digits)), truth, numbers.random(len(odds))


# how scores are given, how far their log odds stretch; what the scores from .9 up say when they are fitted
@pytest.mark.parametrize(("digits", "confidence"), [(None, 1.0), (2, 1.0), (3, 1.0), (None, 2.0), (None, 0.5)])
def test_the_edge_suits_rounded_scores_and_those_near_the_ends(digits: int | None, confidence: float) -> None:
    scores, truth, luck = scored(digits, confidence=confidence)
    y = (luck < truth).astype(np.float64)
    pi = np.where(truth > 0.2, 1.0, 0.02 + 0.5 * truth)
    seen = np.random.default_rng(9).random(len(y)) < pi
    found = calibrate.fit(scores[seen], y[seen], 1 / pi[seen])
    p, top, passed = found.of(scores), scores >= np.quantile(scores, 0.997), truth < 0.2
    assert p[top].mean() == pytest.approx(truth[top].mean(), abs=0.05)
    sizes = sampling.q(p[passed], p[passed].mean())
    assert (truth[passed] / sizes).sum() * sizes.sum() < 0.5 * truth[passed].sum() * passed.sum()


def test_pulling_in_the_ends_keeps_scores_apart_and_in_order() -> None:
    scores = np.array([0.0, 1e-15, 1e-9, 1e-4, 0.5, 1 - 1e-9, 1 - 1e-14, 1.0])
    odds = calibrate.log_odds(scores, 0.01)
    assert (np.diff(odds) > 0).all()
    assert (odds[0], odds[4], odds[-1]) == pytest.approx((logit(0.01), 0.0, logit(0.99)))
    assert calibrate.log_odds(scores, 0.0)[[0, -1]].tolist() == [-np.inf, np.inf]


def test_a_score_alone_has_the_same_bits_as_among_others() -> None:
    scores = np.random.default_rng(3).random(1_001)
    together = calibrate.probabilities(scores, 0.7, -0.3, 1e-6)
    assert [calibrate.probabilities(scores[k : k + 1], 0.7, -0.3, 1e-6)[0] for k in range(1_001)] == together.tolist()
    assert calibrate.probabilities(scores[::7], 0.7, -0.3, 1e-6).tolist() == together[::7].tolist()


def test_too_few_of_either_answer_leave_scores_as_they_are() -> None:
    y = np.array([1.0] * 9 + [0.0] * 500)
    found = calibrate.fit(np.linspace(0, 1, 509), y)
    assert found == Platt(1.0, 0.0, 509, 9)
    assert found.of(np.array([0.0, 0.3, 1.0])).tolist() == [0.0, 0.3, 1.0]


@pytest.mark.parametrize("slope", [1.0, 0.5])
def test_the_limits_of_the_error_hold_the_true_gap(slope: float) -> None:
    held, draws = 0, 200
    for seed in range(draws):
        x, y = made(600, slope=slope, intercept=-1.0, seed=seed)
        p, truth = expit(x), expit(slope * x - 1.0)
        found = calibrate.calibration(expit(x - 1.0) if slope == 1 else p, y)
        shown = expit(x - 1.0) if slope == 1 else p
        place = bins.places(shown, bins.cuts(shown, 10))
        gaps = np.abs(np.bincount(place, truth - shown)).sum() / len(y)
        held += found.low <= gaps <= found.high
        assert found.low <= found.error <= found.high
    assert held >= 0.95 * draws
