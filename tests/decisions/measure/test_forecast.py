"""Forecasts by weekday and hour on a queue's own clock, their bands with few weeks and many, and how they held."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from decisions.measure import forecast
from decisions.measure.forecast import Basis, History
from decisions.routing.policy import FloatArray

HOUR, WEEK = 3600, 168
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)  # 0 h
UTC_ZONE, BERLIN, KOLKATA = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def history(weeks: float, *, end: datetime = MONDAY, seed: int = 1, rate: FloatArray | None = None) -> History:
    """Make hours of Poisson counts up to a time, at a rate for each hour of the UTC week."""
    rate = np.full(WEEK, 20.0) if rate is None else rate
    start = until(end.timestamp(), round(weeks * WEEK))
    slot = ((start - MONDAY.timestamp()) // HOUR).astype(int) % WEEK
    return History(start, np.random.default_rng(seed).poisson(rate[slot]).astype(float))


def ahead(start: datetime, hours: int) -> FloatArray:
    return np.asarray(start.timestamp() + np.arange(hours) * HOUR, dtype=np.float64)


def until(end: float, hours: int) -> FloatArray:
    """Return the beginnings of the last hours before a time."""
    return np.asarray(end - np.arange(hours, 0, -1) * HOUR, dtype=np.float64)


def test_each_hour_is_told_from_its_own_weekday_and_hour() -> None:
    rate = np.zeros(WEEK)
    rate[50], rate[51] = 100.0, 900.0  # Wednesday 2 and 3 h
    found = forecast.predict(history(8, rate=rate), ahead(MONDAY, WEEK), UTC_ZONE)
    assert found.middle[50] == pytest.approx(100, rel=0.2)
    assert found.middle[51] == pytest.approx(900, rel=0.1)
    assert found.middle.sum() == pytest.approx(1000, rel=0.1)
    assert set(found.n.tolist()) == {8}
    assert set(found.basis) == {Basis.WEEKDAY}


def test_only_the_last_weeks_count() -> None:
    old = history(20, rate=np.full(WEEK, 500.0), end=MONDAY - timedelta(weeks=8))
    new = history(8)
    both = History(np.concatenate([old.start, new.start]), np.concatenate([old.count, new.count]))
    found = forecast.predict(both.before(MONDAY.timestamp()), ahead(MONDAY, 24), UTC_ZONE)
    assert found.high.max() < 60


def test_the_band_of_eight_weeks_reaches_from_the_smallest_to_the_largest_at_least() -> None:
    counts = np.array([3.0, 90, 40, 41, 42, 43, 44, 45])
    start = np.asarray(MONDAY.timestamp() - np.arange(8, 0, -1) * WEEK * HOUR, dtype=np.float64)
    found = forecast.predict(History(start, counts), ahead(MONDAY, 1), UTC_ZONE)
    assert (found.low[0], found.high[0]) == (3, 90)
    assert found.middle[0] == 42.5


@pytest.mark.parametrize("weeks", range(1, 9))
@pytest.mark.parametrize("rate", [0.4, 3.0, 40.0])
def test_bands_hold_with_one_week_as_with_eight(weeks: int, rate: float) -> None:
    """Eight hours of ten; where counts are small more, for a count cannot lie between two others."""
    inside = []
    for seed in range(12):
        past, next_week = (history(w, seed=s, rate=np.full(WEEK, rate)) for w, s in ((weeks, seed), (1, seed + 100)))
        told = forecast.predict(past, ahead(MONDAY, WEEK), UTC_ZONE)
        inside.append(((next_week.count >= told.low) & (next_week.count <= told.high)).mean())
    assert 0.79 <= np.mean(inside) <= (0.93 if rate > 1 else 1.0)


def test_a_queue_of_some_days_says_what_it_rests_on() -> None:
    found = forecast.predict(history(2 / 7), ahead(MONDAY, WEEK), UTC_ZONE)  # Saturday and Sunday only
    assert found.basis[0] == Basis.HOUR
    assert found.n[0] == 2
    assert found.basis[5 * 24] == Basis.WEEKDAY
    few = forecast.predict(history(3 / WEEK), ahead(MONDAY, WEEK), UTC_ZONE)
    assert (few.basis[10], few.n[10]) == (Basis.ANY, 3)
    none = forecast.predict(History(np.empty(0), np.empty(0)), ahead(MONDAY, 3), UTC_ZONE)
    assert set(none.basis) == {Basis.NOTHING}
    assert np.isnan(none.middle).all()
    assert set(none.n.tolist()) == {0}


def test_the_clock_on_the_wall_decides_across_a_change_of_time() -> None:
    """Berlin goes from UTC+1 to UTC+2 on 29 March 2026: nine o'clock is 8 h UTC before and 7 h after."""
    end = datetime(2026, 3, 29, 22, tzinfo=UTC)  # Monday 0 h in Berlin
    start = until(end.timestamp(), 8 * WEEK - 1)
    nine = [datetime.fromtimestamp(t, BERLIN).hour == 9 for t in start]
    found = forecast.predict(History(start, np.where(nine, 70.0, 0.0)), ahead(end, 24), BERLIN)
    assert [int(n) for n in found.middle] == [0] * 9 + [70] + [0] * 14


def test_an_hour_that_is_there_twice_and_one_that_is_not() -> None:
    """On 25 October 2026 Berlin has 2 h twice; on 29 March it has none."""
    autumn = datetime(2026, 10, 25, 22, tzinfo=UTC).timestamp()
    start = until(autumn, 25)  # one Sunday of 25 hours
    told = forecast.samples(History(start + HOUR, np.arange(25.0)), BERLIN)
    assert told.n[6 * 24 + 2] == 2
    spring = datetime(2026, 3, 29, 22, tzinfo=UTC).timestamp()
    start = until(spring, 23)
    told = forecast.samples(History(start, np.arange(23.0)), BERLIN)
    assert told.n[6 * 24 + 3] == 1
    assert told.basis[6 * 24 + 2] == Basis.ANY  # Sunday 2 h was never seen, and 2 h of no other day


def test_half_hours_between_zones() -> None:
    start = until(MONDAY.timestamp(), WEEK)
    found = forecast.predict(History(start, np.arange(168.0)), ahead(MONDAY, WEEK), KOLKATA)
    assert found.middle.tolist() == list(range(168))


def test_coverage_is_that_of_each_week_told_from_the_weeks_before_it() -> None:
    found = forecast.coverage(history(16), UTC_ZONE, MONDAY.timestamp())
    assert (found.hours, found.weeks) == (8 * WEEK, 8)
    assert found.share is not None
    assert 0.8 <= found.share <= 0.93
    assert found.above < found.hours - found.inside
    plain = 0
    whole = history(16)
    for back in range(8, 0, -1):
        begins = MONDAY.timestamp() - back * WEEK * HOUR
        came = whole.within(begins, begins + WEEK * HOUR)
        told = forecast.predict(whole.before(begins), came.start, UTC_ZONE)
        plain += sum(a <= n <= b for a, n, b in zip(told.low, came.count, told.high, strict=True))
    assert plain == found.inside


def test_a_week_that_is_unlike_the_others_shows_in_the_coverage() -> None:
    calm, busy = history(10, end=MONDAY - timedelta(weeks=1)), history(1, rate=np.full(WEEK, 60.0))
    both = History(np.concatenate([calm.start, busy.start]), np.concatenate([calm.count, busy.count]))
    found = forecast.coverage(both, UTC_ZONE, MONDAY.timestamp(), weeks=1)
    assert found.above > 0.95 * found.hours


def test_no_coverage_without_a_whole_week_before() -> None:
    assert forecast.coverage(history(1), UTC_ZONE, MONDAY.timestamp()).share is None
    assert forecast.coverage(history(2), UTC_ZONE, MONDAY.timestamp()).weeks == 1


def test_futures_keep_a_busy_day_busy_and_are_the_same_for_the_same_question() -> None:
    rate = np.full(WEEK, 30.0)
    calm, busy = history(4, rate=rate, end=MONDAY - timedelta(weeks=4)), history(4, rate=rate * 3)
    both = History(np.concatenate([calm.start, busy.start]), np.concatenate([calm.count, busy.count]))
    one, other = (forecast.futures(both, ahead(MONDAY, 48), UTC_ZONE, paths=400) for _ in range(2))
    assert (one == other).all()
    days = one.reshape(400, 2, 24).sum(axis=2)
    assert (np.abs(days / 24 - 60) > 15).all()  # a day is calm or busy, never a mixture
    assert 0.4 < (days[:, 0] > 24 * 60).mean() < 0.6
    assert abs(np.corrcoef(days[:, 0], days[:, 1])[0, 1]) < 0.15


def test_futures_of_nothing_are_nothing() -> None:
    assert forecast.futures(History(np.empty(0), np.empty(0)), ahead(MONDAY, 3), UTC_ZONE, paths=5).sum() == 0
