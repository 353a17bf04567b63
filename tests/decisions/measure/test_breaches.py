"""Which deadlines will be missed, against sums done by hand."""

from datetime import timedelta

import pytest

from decisions.measure.breaches import Coming, Due, risks
from decisions.measure.capacity import Span
from tests.factories import NOON

HOUR = timedelta(hours=1)
DAY = HOUR * 24


def at(hours: float) -> Due:
    return Due(NOON + HOUR * hours, 10.0)


# late already, due (hours ahead, ten tasks each), coming (an hour, hours after arrival), decisions an hour -> late
CASES = [
    (0, [1, 2], [], 10, [0, 0]),  # just enough
    (0, [1, 2], [], 9, [1, 2]),  # one short each hour, and it adds up
    (5, [1, 2], [], 10, [5, 5]),  # what is late comes first and pushes the others back
    (0, [1, 4], [], 5, [5, 0]),  # a quiet span makes good for it
    (0, [1, 2], [(5, 0)], 10, [5, 10]),  # controls go to the front
    (0, [1, 2], [(5, 1)], 10, [0, 5]),  # what is due an hour after it came is in front of the second hour only
    (0, [1, 2], [(5, 24)], 10, [0, 0]),  # what comes later is due later
    (3, [1, 2], [], 0, [10, 10]),  # nobody works: all of them, and never more than there are
    (0, [], [], 0, []),
]


@pytest.mark.parametrize(("late", "due", "coming", "rate", "expected"), CASES)
def test_what_cannot_be_done_by_its_deadline_is_late(
    late: int, due: list[int], coming: list[tuple[float, float]], rate: float, expected: list[float]
) -> None:
    found = risks(
        late,
        [at(hours) for hours in due],
        [Coming(per_hour, HOUR * after) for per_hour, after in coming],
        [Span(NOON, NOON + DAY, people=1)],
        rate=rate,
        at=NOON,
    )
    assert [risk.breaching for risk in found] == expected


def test_a_shift_that_begins_later_helps_only_from_then_on() -> None:
    spans = [Span(NOON + HOUR, NOON + DAY, people=2, rate=10)]
    assert [risk.breaching for risk in risks(0, [at(1), at(2), at(3)], [], spans, rate=1, at=NOON)] == [10, 0, 0]
