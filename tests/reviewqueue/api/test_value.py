"""What is won and lost by call: the figures of the core, and what is refused."""

import pytest
from django.utils import timezone

from decisions.measure import valued
from decisions.measure.value import Route
from decisions.models import Queue
from decisions.queues.spec import ValueFormula
from tests.decisions.measure.measured import DAY, yesterday_measured
from tests.factories import make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return yesterday_measured()


def test_it_says_what_the_core_counted(queue: Queue) -> None:
    told = caller("auditor", queue, "read").get(f"queues/{queue.slug}/value/").json()
    now = timezone.now()
    found = valued.read(queue, now - DAY * 27, now, at=now)
    assert found is not None
    assert told["currency"] == "EUR"
    assert [one["route"] for one in told["routes"]] == ["hard", "soft", "pass"]
    assert told["routes"][1]["items"] == found.routes[Route.SOFT].items == 12
    assert told["routes"][0]["no_model"]["why"] == "few"
    assert "not measured" in told["total"]["no_model"]["sentence"]
    assert told["policies"][0]["name"] == "1"
    assert told["left_out"]["waiting"] == 0
    assert (told["labels"], told["people"]["seconds"]) == (16, None)


def test_a_queue_without_prices_has_no_amounts() -> None:
    queue = make_queue(value=ValueFormula())
    told = caller("auditor", queue, "read").get(f"queues/{queue.slug}/value/").json()
    assert (told["currency"], told["total"], told["routes"]) == ("", None, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [("from=x", "from"), ("to=2026-13-01", "to"), ("from=2000-01-02", "from"), ("from=2999-01-01", "to")],
)
def test_days_that_make_no_sense_are_refused(queue: Queue, query: str, field: str) -> None:
    answer = caller("auditor", queue, "read").get(f"queues/{queue.slug}/value/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert {fault["field"] for fault in answer.json()["errors"]} <= {field, "from"}
