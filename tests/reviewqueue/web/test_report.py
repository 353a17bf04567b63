"""The report of a month: what it says, of which days, and with which links."""

from datetime import timedelta

import pytest
from django.test import Client

from decisions.models import Queue
from decisions.queues.spec import ValueFormula
from tests.decisions.measure.measured import HOUR, NEGATIVE, POSITIVE, counted, many, queue_of_last_week, ruled, soft
from tests.decisions.watch.alerting import make_alert
from tests.factories import NOON, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON + HOUR / 2)


def page(queue: Queue, role: str = "auditor", **query: str) -> str:
    client = Client()
    client.force_login(make_user(role, queue))
    answer = client.get(f"/policy/{queue.slug}/report/", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_month_says_what_came_was_decided_and_changed() -> None:
    queue = queue_of_last_week()
    many(queue, 2, 3)
    ruled(soft(queue), NEGATIVE, is_override=True, reason="content")
    make_policy(queue)
    make_alert(queue, NOON - HOUR)
    counted()
    text = page(queue, month="2026-03")
    assert "Messages: March 2026" in text
    assert "still running" in text
    assert "1 time people decided otherwise" in text
    assert "reason=content&amp;since=2026-03-01&amp;until=2026-04-01" in text
    assert "The content says so</a>: 1" in text
    assert "Policy 2: Approved" in text
    assert "/floor/alerts/" in text
    assert f"/policy/{queue.slug}/value/?from=2026-03-01&amp;to=2026-03-02" in text


def test_the_queues_own_clock_says_to_which_month_an_item_belongs() -> None:
    queue = queue_of_last_week(timezone="Pacific/Auckland")
    at = NOON.replace(month=2, day=28, hour=12)  # the 1st of March there
    soft(queue, POSITIVE, arrived_at=at)
    counted()
    assert "Nothing came and nothing was decided" in page(queue, month="2026-02")
    assert "Nothing came and nothing was decided" not in page(queue, month="2026-03")


@pytest.mark.parametrize(
    ("month", "said"),
    [("2026-13", "Write a month as 2026-11."), ("soon", "Write a month"), ("2026-04", "has not begun yet")],
)
def test_a_month_that_makes_no_sense_is_said_beside_its_field(month: str, said: str) -> None:
    assert said in page(make_queue(), month=month)


def test_a_month_that_is_over_says_so_and_has_the_next_one() -> None:
    text = page(make_queue(value=ValueFormula()), month="2026-02")
    assert "still running" not in text
    assert 'href="?month=2026-03"' in text
    assert 'href="?month=2026-01"' in text
    assert "has no value formula" in text
    assert "None was opened." in text


def test_an_alert_of_another_month_is_not_in_it() -> None:
    queue = make_queue()
    make_alert(queue, NOON - timedelta(days=40))
    assert "None was opened." in page(queue)
