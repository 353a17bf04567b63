"""Days as people ask for them, by the queue's own clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from decisions.exceptions import Invalid
from decisions.measure import dates

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")
AT = datetime(2026, 3, 30, 20, 0, tzinfo=UTC)  # already the 31st in Tokyo


def test_the_usual_days_end_today_by_the_queues_clock() -> None:
    found = dates.days(None, None, TOKYO, AT, usual=28, most=92)
    assert (found.first, found.last, found.count) == (date(2026, 3, 4), date(2026, 3, 31), 28)
    assert found.start == datetime(2026, 3, 3, 15, 0, tzinfo=UTC)


def test_a_day_on_which_clocks_change_has_its_own_length() -> None:
    found = dates.days("2026-03-29", "2026-03-29", BERLIN, AT, usual=28, most=92)
    assert (found.end - found.start).total_seconds() == 23 * 3600


def test_the_last_day_may_be_to_come_but_ends_today() -> None:
    assert dates.days("2026-03-01", "2026-04-20", BERLIN, AT, usual=28, most=92).last == date(2026, 3, 30)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("x", None, "from"),
        ("2026-02-30", None, "from"),  # no such day
        ("2026-03-10", "yesterday", "to"),
        ("1999-01-01", None, "from"),  # before anything
        ("2026-04-02", "2026-04-03", "from"),  # to come
        ("2026-03-10", "2026-03-09", "from"),  # the wrong way round
        ("2025-01-01", None, "from"),  # too many
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(first: str, last: str | None, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        dates.days(first, last, BERLIN, AT, usual=28, most=92)
    assert [fault.field for fault in refusal.value.faults] == [field]
