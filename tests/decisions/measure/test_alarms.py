"""Alarms: a fair game against the target, and shares beside a baseline whose days differ."""

import itertools

import numpy as np
import pytest

from decisions.measure import alarms

TARGET = 0.95
BAD = np.array([0.0, 1.0, 0.0, 1.0, 1.0] * 20)  # precision .6


def test_the_game_is_fair_at_the_target() -> None:
    """Over every possible run of twelve labels the mean wealth is the stake, whatever was bet."""
    target = 0.6
    runs = np.array(list(itertools.product([0.0, 1.0], repeat=12)))
    chances = np.prod(np.where(runs == 1, target, 1 - target), axis=1)
    ends = np.array([alarms.precision(run, target).now for run in runs])
    assert len(np.unique(ends)) > 10  # something was bet
    assert chances @ ends == pytest.approx(1.0, abs=1e-9)


def test_weights_leave_the_game_fair() -> None:
    target = 0.6
    runs = np.array(list(itertools.product([0.0, 1.0], repeat=12)))
    chances = np.prod(np.where(runs == 1, target, 1 - target), axis=1)
    weights = np.tile([1.0, 0.5, 0.8], 4)
    ends = np.array([alarms.precision(run, target, weights=weights).now for run in runs])
    assert len(np.unique(ends)) > 10
    assert chances @ ends == pytest.approx(1.0, abs=1e-9)


def test_no_label_changes_the_wealth_before_it() -> None:
    whole = alarms.precision(BAD, TARGET).path
    for n in (1, 7, 50):
        assert alarms.precision(BAD[:n], TARGET).path == pytest.approx(whole[:n])


def test_an_alarm_names_its_row_and_stays() -> None:
    labels = np.concatenate([np.ones(100), BAD, np.ones(2000)])
    found = alarms.precision(labels, TARGET)
    assert found.is_alarm
    assert found.first is not None
    assert 100 < found.first < 130
    assert found.path[found.first] >= alarms.PAGE > found.path[found.first - 1]
    assert alarms.precision(labels[: found.first], TARGET).first is None


def test_a_bet_pays_what_errors_are_worth_if_they_doubled() -> None:
    path = alarms.precision(np.zeros(200), TARGET).path
    assert path[-1] / path[-2] == pytest.approx(2.0)  # an error is twice as likely then, and this bet has won by now
    path = alarms.precision(np.concatenate([np.zeros(200), np.ones(1)]), TARGET).path
    assert path[-1] / path[-2] == pytest.approx(0.90 / 0.95)


def test_good_labels_cost_nothing() -> None:
    found = alarms.precision(np.ones(5000), TARGET)
    assert (found.now, found.first) == (1.0, None)


def test_a_new_process_begins_where_the_caller_says() -> None:
    labels = np.concatenate([BAD, np.ones(50), BAD])
    days = np.arange(len(labels), dtype=np.float64)
    found = alarms.precision(labels, TARGET, at=days, since=120.0)
    assert found.began == 120
    assert len(found.path) == len(labels) - 120
    assert found.first is not None
    assert found.first >= 150  # the bad labels before do not count
    dates = np.datetime64("2026-11-22") + days.astype("timedelta64[h]")
    assert alarms.precision(labels, TARGET, at=dates, since=dates[120]).first == found.first
    assert alarms.precision(labels, TARGET, at=days, since=1e9).path.size == 0


def test_without_labels_there_is_the_stake() -> None:
    found = alarms.precision(np.empty(0), TARGET)
    assert (found.now, found.first, found.is_alarm) == (1.0, None, False)


def test_a_flood_of_errors_stays_a_number() -> None:
    assert np.isfinite(alarms.precision(np.zeros(20_000), TARGET).path).all()


@pytest.mark.parametrize("target", [0.01, 0.3, 0.5, 0.8, 0.999])
def test_any_target_can_be_bet_against(target: float) -> None:
    labels = np.concatenate([np.zeros(3000), np.ones(3000)])
    assert np.isfinite(alarms.precision(labels, target).path).all()


@pytest.mark.parametrize(
    ("labels", "target", "weights"),
    [
        ([1.0], 1.0, [1.0]),  # nothing can be as good
        ([0.5], 0.9, [1.0]),  # not a label
        ([1.0], 0.9, [2.0]),  # more than the whole stake
        ([1.0], 0.9, [0.0]),
    ],
)
def test_what_is_no_game_is_refused(labels: list[float], target: float, weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"must|parts"):
        alarms.precision(np.array(labels), target, weights=np.array(weights))


QUIET = [48, 52, 50, 47, 53, 50, 51, 49, 50, 50, 52, 48, 50, 50]  # of a thousand a day
WILD = [20, 95, 50, 30, 80, 45, 60, 35, 110, 50, 25, 70, 40, 55]


def test_the_share_of_the_baseline_is_no_news() -> None:
    found = alarms.share(50, 1000, QUIET, [1000] * 14)
    assert found.baseline == pytest.approx(0.05, abs=0.001)
    assert abs(found.effect) < 0.02
    assert found.p > 0.8
    assert not found.alarm


def test_the_same_count_is_an_alarm_after_quiet_days_and_none_after_wild_ones() -> None:
    quiet = alarms.share(160, 1000, QUIET, [1000] * 14)
    wild = alarms.share(160, 1000, WILD, [1000] * 14)
    assert quiet.alarm
    assert not wild.alarm
    assert quiet.days_differ < 0.05
    assert wild.days_differ > 0.3


def test_a_fall_is_an_alarm_too() -> None:
    found = alarms.share(5, 1000, QUIET, [1000] * 14)
    assert found.alarm
    assert found.effect < 0


def test_volume_alone_makes_no_small_change_an_alarm() -> None:
    found = alarms.share(55_000, 1_000_000, [50_000] * 14, [1_000_000] * 14)
    assert found.p < 1e-4
    assert not found.alarm  # a tenth more, for sure, and not worth a call


def test_a_share_and_its_complement_say_the_same() -> None:
    one = alarms.share(120, 1000, QUIET, [1000] * 14)
    other = alarms.share(880, 1000, [1000 - k for k in QUIET], [1000] * 14)
    assert other.statistic == pytest.approx(-one.statistic)


@pytest.mark.parametrize(
    ("hits", "total", "past", "totals"),
    [
        (0, 0, QUIET, [1000] * 14),  # nothing counted
        (100, 100, [], []),  # no baseline
        (100, 100, [1, 1, 1, 1], [100] * 4),  # too short
        (100, 100, [0] * 14, [0] * 14),  # days without anything
        (0, 10, [0] * 14, [1000] * 14),  # never seen before, nor now
        (1000, 1000, [1000] * 14, [1000] * 14),  # always
    ],
)
def test_where_nothing_can_be_said_there_is_no_alarm(hits: int, total: int, past: list[int], totals: list[int]) -> None:
    found = alarms.share(hits, total, past, totals)
    assert not found.alarm
    assert np.isfinite([found.share, found.baseline, found.effect, found.statistic, found.p, found.days_differ]).all()
