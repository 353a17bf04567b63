"""A day's audit budget falls to its frames to the unit, also on days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from decisions.routing import budget
from decisions.routing.budget import Day

BERLIN = ZoneInfo("Europe/Berlin")


# a day by the queue's clock, and its hours
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 28), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),  # the clock goes forward
        ("Europe/Berlin", date(2026, 10, 25), 25),  # and back
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # there is no midnight that day
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_what_the_queues_zone_says(zone: str, day: date, hours: float) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    found = Day.of(noon, ZoneInfo(zone))
    assert (found.end - found.start).total_seconds() / 3600 == hours
    assert Day.of(found.start, ZoneInfo(zone)) == Day.of(found.end - timedelta(microseconds=1), ZoneInfo(zone)) == found
    assert Day.of(found.end, ZoneInfo(zone)).start == found.end


@pytest.mark.parametrize("whole", [1, 7, 200, 2000, 99_991])
@pytest.mark.parametrize("at", [datetime(2026, m, d, 12, tzinfo=UTC) for m, d in [(3, 28), (3, 29), (10, 25)]])
def test_the_frames_of_a_day_have_its_whole_budget_between_them(whole: int, at: datetime) -> None:
    day = Day.of(at, BERLIN)
    length = day.end - day.start
    ends = [day.start, *(day.start + length * share for share in (0.1, 0.1001, 1 / 3, 0.7, 0.999_999)), day.end]
    shares = [day.share(whole, start, end) for start, end in pairwise(ends)]
    assert sum(shares) == whole
    assert all(share >= 0 for share in shares)
    assert shares[-1] >= 1


def test_a_share_follows_the_time_that_has_gone_by() -> None:
    day = Day.of(datetime(2026, 3, 29, 12, tzinfo=UTC), BERLIN)  # 23 hours
    assert day.spent(2300, day.start + timedelta(hours=10)) == 1000
    assert day.spent(10, day.start + timedelta(minutes=1)) == 0
    assert day.spent(10, day.end + timedelta(days=3)) == 10


# budget, passes of the rest and of the blind spots -> budgets
@pytest.mark.parametrize(
    ("whole", "passes", "budgets"),
    [
        (100, [1000], [100]),
        (100, [30], [30]),  # no more than there are
        (100, [900, 100], [81, 19]),  # a tenth, and a tenth of the rest
        (100, [500, 5], [95, 5]),  # all of a small blind spot
        (100, [20, 980], [2, 98]),
        (100, [20, 100_000], [1, 99]),  # none goes without
        (100, [20, 30], [20, 30]),
        (40, [20, 30], [15, 25]),
        (100, [10, 20], [10, 20]),
        (0, [10, 20], [0, 0]),
    ],
)
def test_blind_spots_get_a_tenth_besides_their_share(whole: int, passes: list[int], budgets: list[int]) -> None:
    assert budget.split(whole, passes) == budgets
