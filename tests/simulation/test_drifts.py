"""What the recommendations and alarms promise, over made queues whose truth is known."""

import pytest

from tests.simulation import drifts
from tests.simulation.worlds import Score

SCORES = (Score.CALIBRATED, Score.OVER, Score.UNDER, Score.ROUNDED)


@pytest.mark.parametrize(("target", "control"), [(0.9, 800), (0.95, 1_500)])
@pytest.mark.parametrize("score", SCORES)
def test_certified_thresholds_keep_their_target_and_most_of_the_volume(
    score: Score, target: float, control: int
) -> None:
    found = drifts.thresholds_kept(score, target, control=control, draws=40, seed=1)
    assert found.missed <= 0.05
    assert found.volume >= 0.6
    assert found.certified >= 0.9


def test_few_labels_miss_no_target_either() -> None:
    found = drifts.thresholds_kept(Score.CALIBRATED, 0.95, control=350, draws=80, seed=3)
    assert found.missed <= 0.05


@pytest.mark.parametrize("target", [0.9, 0.95])
def test_a_score_that_says_nothing_is_never_certified(target: float) -> None:
    assert drifts.thresholds_kept(Score.NOISE, target, control=800, draws=20, seed=4).certified == 0


@pytest.mark.parametrize("precision", [0.95, 0.97])
def test_precision_at_or_above_the_target_raises_few_alarms_in_90_days(precision: float) -> None:
    assert drifts.precision_watched(precision, draws=600, seed=5).false <= 0.05


@pytest.mark.parametrize("day", [0, 30, 60])
def test_a_fall_to_90_is_seen_within_five_days(day: int) -> None:
    found = drifts.precision_watched(0.97, 0.90, day=day, draws=600, seed=6)
    assert found.half <= 5
    assert found.mean <= 6
    assert found.most <= 10.5


def test_no_rule_that_rings_as_seldom_is_much_faster() -> None:
    ours = drifts.precision_watched(0.97, 0.90, day=30, draws=600, seed=6)
    best = drifts.cusum_watched(0.97, 0.90, day=30, draws=600, seed=6)
    assert ours.mean <= 1.05 * best.mean


@pytest.mark.parametrize("days_differ", [0.0, 0.1, 0.3])
def test_shares_raise_at_most_one_alarm_in_90_days_of_hourly_checks(days_differ: float) -> None:
    assert sum(drifts.shares_watched(days_differ, items=400, seed=7).values()) <= 1


def test_a_doubled_share_is_seen() -> None:
    found = drifts.shares_watched(0.1, items=400, times=2.0, seed=8, every=24)
    assert found["soft"] > 0
    assert found["overrides"] > 0


@pytest.mark.parametrize(
    ("reference", "now", "digits"),
    [(20_000, 2_000, None), (20_000, 2_000, 2), (20_000, 100, None), (300, 300, None)],
)
def test_the_null_of_psi_holds(reference: int, now: int, digits: int | None) -> None:
    low, raised = drifts.psi_false(reference=reference, now=now, digits=digits, draws=400, seed=9)
    assert 0.01 <= low <= 0.08
    assert raised <= 0.01
