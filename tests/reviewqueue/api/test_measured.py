"""The operating point by call: the figures of the core, filters, and what is refused."""

from typing import Any

import pytest
from django.utils import timezone

from decisions.measure import operating, summary
from decisions.models import Queue
from reviewqueue.api import examples_measured
from tests.decisions.measure.measured import yesterday_measured
from tests.factories import make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return yesterday_measured()


def test_it_says_what_the_core_measured(queue: Queue) -> None:
    told = caller("manager", queue, "read").get(f"queues/{queue.slug}/operating-point/").json()
    point = operating.point(queue.pk, timezone.now())
    assert told["sentence"] == summary.sentence(point, queue.spec)
    assert told["recall"]["value"] == point.recall.value == pytest.approx(15 / 17)
    assert (told["recall"]["low"], told["recall"]["high"]) == (point.recall.low, point.recall.high)
    assert told["precision"]["hard"]["labels"] == 6
    assert (told["precision"]["soft"]["value"], told["precision"]["soft"]["sampled"]) == (0.5, "census")
    assert told["missed"]["settled"]["value"] == 2
    assert (told["labels"]["total"], told["labels"]["audit"]["answered"]) == (16, 4)
    assert (told["hard_items"], len(told["measured"])) == (12, 1)


def test_it_can_be_narrowed(queue: Queue) -> None:
    person, path = caller("manager", queue, "read"), f"queues/{queue.slug}/operating-point/"
    assert person.get(f"{path}?segment=north").json()["precision"]["soft"]["labels"] == 3
    assert person.get(f"{path}?model=external&policy=1&window=1d").json()["policy"] == 1
    assert person.get(f"{path}?segment=nowhere").json()["precision"]["soft"]["why"] == "no_labels"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("window=28", "window"),  # no unit
        ("window=0d", "window"),
        ("window=91d", "window"),  # too long
        ("window=1%00d", "window"),
        ("policy=x", "policy"),
        ("policy=99999999999999999999", "policy"),  # no number that the database has
        ("policy=99", "policy"),  # not there
        ("model=nobody", "model"),
    ],
)
def test_what_makes_no_sense_is_refused(queue: Queue, query: str, field: str) -> None:
    answer = caller("manager", queue, "read").get(f"queues/{queue.slug}/operating-point/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_hostile_filters_find_nothing(queue: Queue) -> None:
    person, path = caller("manager", queue, "read"), f"queues/{queue.slug}/operating-point/"
    for text in ("'; DROP TABLE x; --", "%25s", "%00", "%27%7C%7C", "\u2028"):
        assert person.get(f"{path}?segment={text}").status_code in (200, 400)


def test_a_new_queue_has_advice_and_no_figures() -> None:
    queue = make_queue()
    told = caller("manager", queue, "read").get(f"queues/{queue.slug}/operating-point/").json()
    assert (told["recall"]["value"], told["recall"]["why"], told["fresh_at"]) == (None, "no_labels", None)
    assert told["advice"]


def test_it_is_not_for_who_works_the_queue(queue: Queue) -> None:
    answer = caller("reviewer", queue, "read").get(f"queues/{queue.slug}/operating-point/")
    assert (answer.status_code, answer.json()["right"]) == (403, "read_record")
    assert caller("manager", queue, "read").get("queues/nowhere/operating-point/").status_code == 404
    assert caller("manager", queue, "manage").get(f"queues/{queue.slug}/operating-point/").status_code == 403


def test_the_example_has_the_calls_form(queue: Queue) -> None:
    told = caller("manager", queue, "read").get(f"queues/{queue.slug}/operating-point/").json()
    assert form(examples_measured.OPERATING_POINT[0].value) == form({**told, "apart": []})


def form(value: Any) -> Any:
    """Return the names in an object, and below."""
    return {name: form(inner) for name, inner in value.items()} if isinstance(value, dict) else None
