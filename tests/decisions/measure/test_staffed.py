"""Numbers of people, names that fill them, and who is away."""

from datetime import timedelta

import pytest

from decisions.measure import staff
from decisions.measure.capacity import Away, Named, Span, staffed
from decisions.models import Absence, Shift
from tests.factories import NOON, make_queue, make_user

HOUR = timedelta(hours=1)


def at(hours: float) -> object:
    return NOON + hours * HOUR


def span(start: float, end: float, people: int, rate: float | None = None) -> Span:
    return Span(NOON + start * HOUR, NOON + end * HOUR, people, rate)


def named(person: int, start: float, end: float) -> Named:
    return Named(person, NOON + start * HOUR, NOON + end * HOUR)


def away(person: int, start: float, end: float) -> Away:
    return Away(person, NOON + start * HOUR, NOON + end * HOUR)


def hours(spans: list[Span], start: float, end: float) -> float:
    return sum(one.people * one.hours_in(NOON + start * HOUR, NOON + end * HOUR) for one in spans)


def test_without_names_the_numbers_stay_as_they_are() -> None:
    counts = [span(0, 8, 5), span(4, 6, 2, 30.0)]
    assert staffed(counts, [], [away(1, 0, 8)]) == counts


def test_a_name_fills_a_place_and_who_is_away_leaves_it_empty() -> None:
    counts, names = [span(0, 8, 5)], [named(1, 0, 8), named(2, 0, 8), named(3, 0, 8)]
    assert hours(staffed(counts, names, []), 0, 8) == 40
    found = staffed(counts, names, [away(3, 2, 4)])
    assert [hours(found, h, h + 1) for h in (1, 2, 3, 4)] == [5, 4, 4, 5]


def test_names_beyond_the_numbers_add_to_them() -> None:
    assert hours(staffed([span(0, 8, 1)], [named(1, 0, 8), named(2, 6, 10)], []), 0, 10) == 8 + 4


def test_a_place_is_taken_from_the_first_span_and_keeps_the_rate_of_the_others() -> None:
    found = staffed([span(0, 1, 1, 10.0), span(0, 1, 1, 20.0)], [named(1, 0, 1)], [])
    assert sorted((one.people, one.rate) for one in found if one.rate) == [(1, 20.0)]
    assert hours(found, 0, 1) == 2


@pytest.mark.django_db
def test_the_plan_of_a_queue_counts_names_and_leaves_out_who_is_away() -> None:
    queue, person = make_queue(), make_user()
    given = {"queue": queue, "made_by": person, "starts_at": NOON, "ends_at": NOON + 8 * HOUR}
    Shift.objects.create(people=3, **given)
    Shift.objects.create(people=1, person=person, **given)
    Absence.objects.create(person=person, made_by=person, starts_at=NOON, ends_at=NOON + 2 * HOUR)
    found = staff.planned(queue.pk, NOON, NOON + 8 * HOUR)
    assert [hours(found, h, h + 1) for h in (0, 1, 2)] == [2, 2, 3]
