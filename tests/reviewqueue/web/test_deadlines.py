"""The page and the call that tell how a queue keeps its deadlines."""

from datetime import timedelta

import pytest
from django.test import Client

from decisions.measure import rollups
from decisions.models import Queue
from decisions.record import log
from tests.factories import make_item, make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def busy() -> Queue:
    """Make a queue with one late task and two that nobody will do in time."""
    queue, at = make_queue(), log.now()
    for name, hours in (("gone", -1), ("soon", 2), ("sooner", 1.5)):
        make_task(queue, make_item(queue, external_id=name), due_at=at + HOUR * hours)
    rollups.roll_up(at)
    return queue


def page(queue: Queue, address: str = "", role: str = "manager") -> str:
    client = Client()
    client.force_login(make_user(role, queue))
    return client.get(f"/floor/{queue.slug}/deadlines/{address}").content.decode()


def test_the_page_lists_what_is_late_and_what_will_be() -> None:
    queue = busy()
    shown = page(queue)
    assert [name for name in ("gone", "sooner", "soon") if f"<bdi>{name}</bdi>" in shown] == ["gone", "sooner", "soon"]
    assert shown.index("gone") < shown.index("sooner") < shown.index("<bdi>soon</bdi>")
    assert shown.count("At risk") == 2


def test_an_empty_queue_says_so() -> None:
    shown = page(make_queue())
    assert "No open task is late" in shown
    assert "open tasks were not counted yet" in shown
    assert "none foreseen" in shown


@pytest.mark.parametrize("address", ["?by=hour&purpose=audit", "?by=week&purpose=x", "?after=x"])
def test_a_choice_that_is_none_reads_as_none(address: str) -> None:
    assert "Deadlines by" in page(busy(), address)


def test_the_floor_tells_of_the_first_breach() -> None:
    queue = busy()
    client = Client()
    client.force_login(make_user("reviewer", queue))
    assert "2 tasks will be late if people go on as they do." in client.get(f"/floor/{queue.slug}/").content.decode()


def test_the_call_says_the_same() -> None:
    queue = busy()
    reader = caller("lead", queue, "read")
    told = reader.get(f"queues/{queue.slug}/deadlines/?limit=2").json()
    assert (told["late"], told["at_risk"], len(told["history"])) == (1, 2, 28)
    assert [(one["external_id"], one["is_late"]) for one in told["tasks"]] == [("gone", True), ("sooner", False)]
    rest = reader.get(f"queues/{queue.slug}/deadlines/?by=hour&purpose=soft&after={told['next']}").json()
    assert ([one["external_id"] for one in rest["tasks"]], rest["next"], len(rest["history"])) == (["soon"], None, 48)


@pytest.mark.parametrize(
    ("query", "field"), [("by=week", "by"), ("purpose=x", "purpose"), ("limit=0", "limit"), ("after=12345", "after")]
)
def test_a_call_that_asks_for_what_is_not_there_is_told(query: str, field: str) -> None:
    queue = make_queue()
    answer = caller("lead", queue, "read").get(f"queues/{queue.slug}/deadlines/?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
