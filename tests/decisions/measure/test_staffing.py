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


def test_what_is_usual_takes_a_few_days() -> None:
    assert staffing.usual(np.arange(11.0)) == (1.0, 9.0)
    assert staffing.usual(np.array([1.0, 2.0])) is None


def test_time_to_empty() -> None:
    assert staffing.time_to_empty(1000, 1000, STAFF, NOON) == pytest.approx(timedelta(days=1), abs=timedelta(minutes=1))
    assert staffing.time_to_empty(1000, 2000, STAFF, NOON) is None
    assert staffing.time_to_empty(0, 5000, STAFF, NOON) == timedelta(0)
