"""People against work, with numbers that can be checked by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from decisions.measure.supposed import staffing
from decisions.measure.supposed.staffing import Staff

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STAFF = Staff(people=4, hours=5, handling_seconds=36)  # 100 an hour each


def test_capacity_is_people_times_hours_times_rate() -> None:
    assert STAFF.per_day == 2000
    assert STAFF.worked(500) == 5.0


def test_a_backlog_falls_by_what_is_left_of_the_day_and_never_below_nothing() -> None:
    found = staffing.path(3000, np.full(28, 1500.0), STAFF.per_day)
    assert found.middle[:6] == pytest.approx([2500, 2000, 1500, 1000, 500, 0], abs=120)
    assert found.middle[6] == 0
    assert (found.low <= found.middle).all()
    assert (found.middle <= found.high).all()


def test_a_backlog_grows_where_more_comes_than_can_be_done() -> None:
    assert staffing.path(0, np.full(28, 2500.0), STAFF.per_day).middle[-1] == pytest.approx(3500, rel=0.05)


def test_weekdays_come_back() -> None:
    days = np.tile([9000.0, 5000, 0, 0, 0, 0, 0], 4)  # the spans that began 28, 21, 14 and 7 days ago, and the next
    found = staffing.path(0, days, 1000)
    assert found.middle == pytest.approx([8000, 12000, 11000, 10000, 9000, 8000, 7000], rel=0.05)


def test_a_single_day_stands_for_all() -> None:
    assert staffing.path(0, np.array([1100.0]), 1000).middle[-1] == pytest.approx(700, rel=0.3)


def test_the_same_question_has_the_same_answer() -> None:
    one, other = (staffing.path(10, np.arange(28.0) * 100, 1500) for _ in range(2))
    assert (one.high == other.high).all()


def test_what_is_usual_takes_a_few_days() -> None:
    assert staffing.usual(np.arange(11.0)) == (1.0, 9.0)
    assert staffing.usual(np.array([1.0, 2.0])) is None


def test_time_to_empty() -> None:
    assert staffing.time_to_empty(1000, 1000, STAFF, NOON) == pytest.approx(timedelta(days=1), abs=timedelta(minutes=1))
    assert staffing.time_to_empty(1000, 2000, STAFF, NOON) is None
    assert staffing.time_to_empty(0, 5000, STAFF, NOON) == timedelta(0)
