"""Error rates of people, and what follows from how sure they are."""

import numpy as np
import pytest

from decisions.measure import accuracy
from decisions.measure.accuracy import Rate


def test_under_30_answers_there_is_an_interval_and_no_rate() -> None:
    assert Rate(29, 29).value is None
    assert Rate(29, 29).low == pytest.approx(0.025 ** (1 / 29))
    assert Rate(27, 30).value == 0.9
    assert Rate().limits == (0.0, 1.0)


def test_exact_limits_are_the_textbooks() -> None:
    """Clopper and Pearson for 1 of 10: .0025 to .4450."""
    assert Rate(1, 10).limits == pytest.approx((0.0025, 0.4450), abs=5e-5)


def test_who_is_new_or_errs_is_checked_more() -> None:
    def share(wrong: int, n: int) -> float:
        return accuracy.share(wrong, n, least=0.02, most=0.2, limit=0.2)

    assert share(0, 0) == 0.2
    assert share(0, 60) < share(0, 20) < share(0, 0)  # surer
    assert share(0, 60) < share(3, 60) < share(9, 60) <= 0.2  # worse
    assert share(0, 10**7) == pytest.approx(0.02, abs=1e-5)
    assert share(50, 50) == 0.2


def test_the_share_is_bounded_and_can_be_off() -> None:
    assert accuracy.share(5, 9, least=0.0, most=0.5) == 0.0
    assert accuracy.share(5, 9, least=0.3, most=0.1) == 0.3
    for n in (0, 5, 500):
        assert 0.05 <= accuracy.share(n // 5, n, least=0.05, most=0.25) <= 0.25


# wrong, of, and whether that is surely above 20 %
@pytest.mark.parametrize(
    ("wrong", "n", "paused"),
    [(0, 0, False), (1, 1, False), (3, 3, True), (10, 30, False), (13, 30, True), (6, 30, False)],
)
def test_somebody_is_paused_only_when_it_is_sure(wrong: int, n: int, paused: bool) -> None:
    assert accuracy.is_too_wrong(wrong, n, 0.2) is paused
    assert not accuracy.is_too_wrong(wrong, n, None)


def test_looking_again_and_again_seldom_pauses_who_is_at_the_limit() -> None:
    numbers, paused = np.random.default_rng(11), 0
    for _ in range(400):
        wrong = np.cumsum(numbers.random(300) < 0.15)
        paused += any(accuracy.is_too_wrong(int(wrong[n - 1]), n, 0.2) for n in range(5, 301, 5))
    assert paused / 400 < 0.05
