"""Typed times on a clock that is put forward and back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from decisions.exceptions import Invalid
from decisions.work import clock

MADRID = ZoneInfo("Europe/Madrid")


@pytest.mark.parametrize(
    ("typed", "is_end", "moment"),
    [
        ("2026-07-01T09:00", False, datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("2026-10-25T02:30", False, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # shown twice: the first
        ("2026-10-25T02:30", True, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # an end: the second
        ("2026-03-29T03:00", False, datetime(2026, 3, 29, 1, tzinfo=UTC)),  # right after the gap
    ],
)
def test_a_typed_time_is_a_moment(typed: str, is_end: bool, moment: datetime) -> None:
    assert clock.moment(datetime.fromisoformat(typed), MADRID, field="starts_at", is_end=is_end) == moment


@pytest.mark.parametrize("minute", ["00", "30", "59"])
def test_a_time_that_the_clock_skips_is_refused_with_its_reason(minute: str) -> None:
    with pytest.raises(Invalid, match=f"There is no 2026-03-29 02:{minute} in Europe/Madrid") as refused:
        clock.moment(datetime.fromisoformat(f"2026-03-29T02:{minute}"), MADRID, field="ends_at", is_end=True)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("ends_at", "gap")]
