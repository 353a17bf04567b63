"""Backlog arithmetic against cases worked out by hand."""

from datetime import timedelta

import pytest

from decisions.measure import capacity
from decisions.measure.capacity import Span
from tests.factories import NOON

HOUR = timedelta(hours=1)


def span(start: float, end: float, people: int, rate: float | None = None) -> Span:
    return Span(NOON + HOUR * start, NOON + HOUR * end, people, rate)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0.0),
        ([span(0, 1, 2)], 20.0),  # two people, one hour, ten an hour
        ([span(-1, 0.5, 2)], 10.0),  # only the half hour inside counts
        ([span(0, 1, 2, rate=30.0)], 60.0),  # a planned rate beats the measured one
        ([span(1, 2, 5)], 0.0),  # starts when the window ends
        ([span(0, 1, 1), span(0, 1, 1)], 20.0),  # overlapping shifts add up
    ],
)
def test_decisions_are_people_times_rate_times_hours(spans: list[Span], expected: float) -> None:
    assert capacity.decisions(spans, NOON, NOON + HOUR, rate=10.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("backlog", "arrivals", "spans", "hours"),
    [
        (0, 5.0, [], 0.0),  # nothing waits
        (10, 0.0, [span(0, 8, 1)], 1.0),  # ten at ten an hour
        (10, 5.0, [span(0, 8, 1)], 2.0),  # a net five an hour
        (10, 0.0, [span(3, 8, 1)], 4.0),  # the shift starts in three hours
        (10, 20.0, [span(0, 8, 1)], None),  # more comes than goes
        (10, 0.0, [], None),  # nobody is there
    ],
)
def test_time_to_empty_follows_the_shifts(
    backlog: float, arrivals: float, spans: list[Span], hours: float | None
) -> None:
    found = capacity.time_to_empty(backlog, arrivals=arrivals, spans=spans, rate=10.0, at=NOON)
    assert found == (None if hours is None else pytest.approx(HOUR * hours, abs=timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("arrivals", "possible", "expected"), [(5.0, 10.0, 0.5), (5.0, 0.0, None), (0.0, 0.0, 0.0), (20.0, 10.0, 2.0)]
)
def test_utilisation_is_unknown_where_work_meets_no_capacity(
    arrivals: float, possible: float, expected: float | None
) -> None:
    assert capacity.utilisation(arrivals, possible) == expected


def test_the_expected_wait_is_littles_law() -> None:
    assert capacity.expected_wait(30, 10) == HOUR * 3
    assert capacity.expected_wait(30, 0) is None
    assert capacity.expected_wait(0, 0) == timedelta(0)
