"""The page of what is won and lost: what it says, and in which state."""

import pytest
from django.test import Client

from decisions.models import Queue
from decisions.queues.spec import Money, ValueFormula
from tests.decisions.measure.measured import (
    HOUR,
    NEGATIVE,
    POSITIVE,
    control,
    counted,
    hard,
    many,
    queue_of_last_week,
    ruled,
    simulated_person,
    soft,
)
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db

FLAT = ValueFormula("EUR", tp=Money(1.0), fp=Money(-8.0), fn=Money(-3.0))


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON + HOUR / 2)


def page(queue: Queue, **query: str) -> str:
    client = Client()
    client.force_login(make_user("auditor", queue))
    answer = client.get(f"/policy/{queue.slug}/value/", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_it_says_first_what_all_of_it_won_and_between_what_that_lies() -> None:
    queue = queue_of_last_week(value=FLAT)
    many(queue, 10, 30)
    for k in range(40):
        control(queue, POSITIVE if k < 36 else NEGATIVE)
        hard(queue)
    ruled(soft(queue), POSITIVE, by=simulated_person())
    counted()
    text = page(queue)
    assert "All of it together won 300" in text
    assert "95 % between" in text
    assert "1 of them by simulated reviewers" in text
    assert "People&#x27;s decisions won 188" in text
    assert "for too few gold items and second opinions say how often people err" in text
    assert "not measured" in text
    assert "Policy 1" in text
    assert "The same as a table" in text


def test_days_come_from_the_address() -> None:
    queue = queue_of_last_week(value=FLAT)
    many(queue, 2, 0)
    counted()
    assert "won 8.00" in page(queue)
    assert "Nothing arrived in this window." in page(queue, **{"from": "2026-02-20", "to": "2026-02-21"})


def test_days_that_make_no_sense_are_said_beside_their_field() -> None:
    queue = queue_of_last_week(value=FLAT)
    counted()
    text = page(queue, **{"from": "2026-03-02", "to": "2026-03-01"})
    assert "The first day is after the last one." in text


def test_a_queue_without_prices_says_where_they_belong() -> None:
    assert "has no value formula" in page(make_queue(value=ValueFormula()))


def test_before_anything_was_counted_it_says_so() -> None:
    assert "Nothing was counted yet" in page(make_queue(value=FLAT))
