"""The ladder's page and call: what they say, who sees them, and what is not told to who is blind."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from decisions.measure import rollups
from decisions.models import Item, Queue
from decisions.queues.spec import Heuristic
from tests.factories import NOON, make_item, make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
AT = NOON + timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: AT)
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)


def broken(**fields: Any) -> Queue:
    """Make a queue with an item that its model scored and one that it could not."""
    queue = make_queue(heuristics=(Heuristic("words", ">=", 100, 0.4),))
    make_item(queue, rung=Item.Rung.MODEL)
    make_item(queue, rung=Item.Rung.HEURISTIC, reason="fallback", failures=["model:timeout"], **fields)
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON)
    rollups.roll_up(AT)
    return queue


def page(queue: Queue, role: str = "manager") -> str:
    client = Client()
    client.force_login(make_user(role, queue))
    answer = client.get(f"/policy/{queue.slug}/ladder/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_page_shows_each_rung_and_what_failed_last() -> None:
    queue = broken()
    shown = page(queue)
    item = Item.objects.get(queue=queue, rung="heuristic")
    assert "the model took too long" in shown
    assert f"/audit/{queue.slug}/items/{item.pk}/" in shown
    assert '<td class="number">1 <span class="quiet small">50' in shown
    assert "1 rule" in shown
    assert "none: the scores come from outside" in shown


def test_an_item_to_which_somebody_is_blind_is_not_named() -> None:
    queue = broken()
    item = Item.objects.get(queue=queue, rung="heuristic")
    make_task(queue, item, purpose="second")
    assert f"/items/{item.pk}/" not in page(queue, "lead")
    assert "the model took too long" in page(queue, "lead")


def test_a_queue_where_nothing_came_says_so() -> None:
    queue = make_queue()
    shown = page(queue)
    assert "Nothing failed" in shown
    assert "none: what no model scores goes to people without a score" in shown


def test_the_call_says_the_same() -> None:
    queue = broken()
    told = caller("auditor", queue).get(f"queues/{queue.slug}/ladder/").json()
    assert told["hours"][-1]["rungs"] == {"sent": 0, "model": 1, "simpler": 0, "heuristic": 1, "people": 0}
    assert told["days"][-1]["rungs"]["heuristic"] == 1
    assert (told["model"], told["simpler"], told["rules"]) == ("external", None, 1)
    (failure,) = told["failures"]
    assert (failure["code"], failure["day"], failure["month"]) == ("model:timeout", 1, 1)


def test_metrics_have_items_by_rung() -> None:
    queue = broken()
    answer = caller("manager", queue).get("/metrics")
    assert f'rq_items_by_rung{{queue="{queue.slug}",rung="heuristic"}} 1.0' in answer.content.decode()
