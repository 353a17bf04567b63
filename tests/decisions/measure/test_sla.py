"""Deadlines in business hours, held against a plain walk through the minutes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.measure import sla
from decisions.queues import units
from decisions.queues.spec import Spec
from decisions.queues.spec_time import Calendar, Deadlines, Holiday
from tests.factories import make_spec

OFFICE = ("09:00-12:30", "13:30-18:00")
WEEK = Calendar(mon=OFFICE, tue=OFFICE, wed=OFFICE, thu=OFFICE, fri=("09:00-15:00",))
XMAS = replace(
    WEEK,
    fri=OFFICE,
    holidays=(Holiday(date(2026, 12, 24), "Christmas Eve", ("09:00-12:00",)), Holiday(date(2026, 12, 25), "Christmas")),
)
DARK = ("00:00-06:00", "22:00-24:00")
NIGHT = Calendar(DARK, DARK, DARK, DARK, DARK, DARK, DARK)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

# opening hours, zone, arrival and hours to go -> deadline, both by the zone's clock
CASES = [
    (Calendar(), "Europe/Madrid", "2026-11-27 17:00", 48, "2026-11-29 17:00"),  # around the clock
    (WEEK, "Europe/Madrid", "2026-11-26 10:00", 1, "2026-11-26 11:00"),  # within a morning
    (WEEK, "Europe/Madrid", "2026-11-26 12:00", 1, "2026-11-26 14:00"),  # over lunch
    (WEEK, "Europe/Madrid", "2026-11-27 14:00", 2, "2026-11-30 10:00"),  # over the weekend, Friday is short
    (WEEK, "Europe/Madrid", "2026-11-28 03:00", 1, "2026-11-30 10:00"),  # came while it was closed
    (WEEK, "Europe/Madrid", "2026-11-26 17:00", 1, "2026-11-26 18:00"),  # by closing time, not by next morning
    (XMAS, "Europe/Madrid", "2026-12-24 11:00", 3, "2026-12-28 11:00"),  # half a day, a holiday, a weekend
    (XMAS, "Europe/Madrid", "2026-12-31 17:30", 1, "2027-01-01 09:30"),  # into the next year
    (NIGHT, "Europe/Madrid", "2026-03-29 01:00", 3, "2026-03-29 05:00"),  # a night that lacks an hour
    (NIGHT, "Europe/Madrid", "2026-10-25 01:00", 3, "2026-10-25 03:00"),  # a night that has one more
    (NIGHT, "America/Santiago", "2026-09-05 23:00", 2, "2026-09-06 02:00"),  # the clock jumps at midnight
    (WEEK, "Asia/Kathmandu", "2026-11-26 10:00", 1, "2026-11-26 11:00"),  # a zone of three quarters of an hour
]


def clock(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def spec(calendar: Calendar, zone: str = "Europe/Madrid") -> Spec:
    return make_spec(calendar=calendar, timezone=zone)


def is_open(at: datetime, calendar: Calendar, zone: str) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    minute = 60 * local.hour + local.minute
    spans = map(units.hours, calendar.hours_on(local.date()))
    return any(opens <= minute < closes for opens, closes in spans)


def walked(at: datetime, minutes: int, calendar: Calendar, zone: str) -> datetime:
    """Return the deadline by going from minute to minute."""
    while minutes:
        minutes -= is_open(at, calendar, zone)
        at += MINUTE
    return at


@pytest.mark.parametrize(("calendar", "zone", "arrival", "hours", "expected"), CASES)
def test_a_deadline_counts_opening_hours_only(
    calendar: Calendar, zone: str, arrival: str, hours: int, expected: str
) -> None:
    found = sla.due(spec(calendar, zone), HOUR * hours, clock(arrival, zone))
    assert found == clock(expected, zone)


@settings(max_examples=60)
@given(
    st.sampled_from([WEEK, XMAS, NIGHT]),
    st.sampled_from(["Europe/Madrid", "America/Santiago", "Australia/Lord_Howe"]),
    st.integers(0, 500_000),
    st.integers(1, 3_000),
)
def test_it_is_what_a_walk_through_the_minutes_finds(calendar: Calendar, zone: str, start: int, minutes: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + MINUTE * start
    expected = walked(at, minutes, calendar, zone)
    found = sla.due(spec(calendar, zone), MINUTE * minutes, at)
    assert found == expected
    assert sla.remaining(spec(calendar, zone), found, at) == MINUTE * minutes


def test_what_is_over_has_less_than_nothing_left() -> None:
    friday, monday = clock("2026-11-27 14:00", "Europe/Madrid"), clock("2026-11-30 10:00", "Europe/Madrid")
    assert sla.remaining(spec(WEEK), friday, monday) == -2 * HOUR
    assert sla.remaining(spec(Calendar()), friday, monday) == friday - monday


def test_many_at_once_are_each_as_alone() -> None:
    day = clock("2026-11-26 10:00", "Europe/Madrid")
    starts = [day + 37 * MINUTE * n for n in range(500)]
    at = np.array([(one - sla.EPOCH) // sla.MICROSECOND for one in starts], dtype=np.int64)
    found = sla.after(at, np.array(5 * HOUR // sla.MICROSECOND), WEEK, "Europe/Madrid")
    assert [sla.EPOCH + int(one) * sla.MICROSECOND for one in found] == [
        sla.due(spec(WEEK), 5 * HOUR, one) for one in starts
    ]
    back = sla.left(at, found, WEEK, "Europe/Madrid")
    assert set(back.tolist()) == {5 * HOUR // sla.MICROSECOND}
    assert sla.after(at[:0], found[:0], WEEK, "Europe/Madrid").shape == (0,)


def test_hours_that_the_clock_jumps_over_have_no_length() -> None:
    gap = Calendar(sun=("02:10-02:50", "03:10-04:00"))
    assert sla.due(spec(gap), 50 * MINUTE, clock("2026-03-29 00:00", "Europe/Madrid")) == clock(
        "2026-03-29 04:00", "Europe/Madrid"
    )


def test_two_years_of_one_hour_a_week_can_be_waited_for() -> None:
    rare = Calendar(wed=("09:00-10:00",))
    assert sla.due(spec(rare), 104 * HOUR, clock("2026-01-01 00:00", "Europe/Madrid")) == clock(
        "2027-12-29 10:00", "Europe/Madrid"
    )


def test_lots_are_spread_over_the_hours() -> None:
    queue = spec(WEEK)
    at = clock("2026-11-26 17:00", "Europe/Madrid")
    first, middle, last = sla.spread(queue, 4 * HOUR, at, [0.0, 0.5, 0.999])
    assert first == at
    assert middle == clock("2026-11-27 10:00", "Europe/Madrid")
    assert last == clock("2026-11-27 12:00", "Europe/Madrid")


def test_a_purpose_without_a_deadline_of_its_own_has_the_queues() -> None:
    own = make_spec(sla=HOUR * 24, deadlines=Deadlines(audit=HOUR * 72, soft=HOUR * 2))
    told = {purpose: own.sla_of(purpose) // HOUR for purpose in ("soft", "gold", "audit", "second", "escalation")}
    assert told == {"soft": 2, "gold": 2, "audit": 72, "second": 24, "escalation": 24}
