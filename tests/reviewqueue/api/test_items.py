"""Items in: one, many, again, and wrong."""

import gzip
from typing import Any

import orjson
import pytest

from decisions.models import Intake, Item, Queue
from tests.factories import make_queue
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {"external_id": "m-1", "payload": {"text": "hello", "words": 3}, "score": 0.6}


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def sender(queue: Queue) -> Caller:
    return caller("manager", queue, "intake")


def test_an_item_is_routed(queue: Queue, sender: Caller) -> None:
    answer = sender.post(f"queues/{queue.slug}/items/", GOOD)
    assert answer.status_code == 201
    item = Item.objects.get()
    assert answer.json() == {
        "id": item.pk,
        "external_id": "m-1",
        "route": "soft",
        "band": "soft",
        "reason": "score",
        "score": 0.6,
        "policy_version": 1,
        "model_version": "external",
        "propensity": 1.0,
        "duplicate": False,
    }


def test_the_same_item_again_changes_nothing(queue: Queue, sender: Caller) -> None:
    first = sender.post(f"queues/{queue.slug}/items/", GOOD).json()
    again = sender.post(f"queues/{queue.slug}/items/", GOOD)
    assert again.status_code == 200
    assert again.json() == {**first, "duplicate": True}
    assert (Item.objects.count(), Intake.objects.count()) == (1, 1)


def test_other_content_under_the_same_id_is_a_conflict(queue: Queue, sender: Caller) -> None:
    sender.post(f"queues/{queue.slug}/items/", GOOD)
    answer = sender.post(f"queues/{queue.slug}/items/", {**GOOD, "payload": {"text": "other"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "other_content")


WRONG: list[tuple[Any, str]] = [
    ({**GOOD, "external_id": ""}, "external_id"),  # no name
    ({**GOOD, "payload": []}, "payload"),  # not an object
    ({**GOOD, "skore": 1}, "skore"),  # a name nobody knows
    ({**GOOD, "score": "high"}, "score"),  # not a number
    ({**GOOD, "occurred_at": "yesterday"}, "occurred_at"),  # not a time
    ([], ""),  # not an object at all
]


@pytest.mark.parametrize(("sent", "field"), WRONG)
def test_wrong_items_are_refused_with_their_place(queue: Queue, sender: Caller, sent: Any, field: str) -> None:
    answer = sender.post(f"queues/{queue.slug}/items/", sent)
    assert answer.status_code == 400
    assert field in [fault["field"] for fault in answer.json()["errors"]]
    assert not Item.objects.exists()


def test_another_media_type_is_refused(queue: Queue, sender: Caller) -> None:
    body = orjson.dumps(GOOD)
    path = f"queues/{queue.slug}/items/"
    assert sender.send("POST", path, body, content_type="text/plain").status_code == 415
    assert sender.send("POST", path, body, content_type="application/json; charset=utf-8").status_code == 201
    assert sender.send("POST", path, body, **{"Content-Encoding": "br"}).status_code == 415


def test_who_may_not_bring_items_in(queue: Queue) -> None:
    assert caller("reviewer", queue).post(f"queues/{queue.slug}/items/", GOOD).status_code == 403
    assert caller("manager", make_queue()).post(f"queues/{queue.slug}/items/", GOOD).status_code == 404


def test_a_batch_keeps_what_is_right(queue: Queue, sender: Caller) -> None:
    sender.post(f"queues/{queue.slug}/items/", GOOD)
    rows = [GOOD, {**GOOD, "external_id": "m-2", "score": 0.95}, {"external_id": "m-3"}, {**GOOD, "payload": {}}]
    answer = sender.lines(f"queues/{queue.slug}/items/batch/", *rows)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["accepted"], said["duplicates"], said["rejected"]) == (1, 1, 2)
    assert sum(said["routes"].values()) == 1
    assert [result["external_id"] for result in said["results"]] == ["m-1", "m-2"]
    assert [(error["line"], error["code"]) for error in said["errors"]] == [(3, "missing"), (4, "other_content")]


def test_a_batch_comes_as_gzip_and_answers_without_results(queue: Queue, sender: Caller) -> None:
    body = gzip.compress(b"\n".join(orjson.dumps({**GOOD, "external_id": f"m-{n}"}) for n in range(50)))
    answer = sender.send(
        "POST",
        f"queues/{queue.slug}/items/batch/?results=none",
        body,
        content_type="application/x-ndjson",
        **{"Content-Encoding": "gzip"},
    )
    assert answer.json()["accepted"] == 50
    assert "results" not in answer.json()


def test_a_gzip_bomb_is_refused(queue: Queue, sender: Caller) -> None:
    body = gzip.compress(b" " * 60_000_000)
    answer = sender.send(
        "POST",
        f"queues/{queue.slug}/items/batch/",
        body,
        content_type="application/x-ndjson",
        **{"Content-Encoding": "gzip"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_big")


@pytest.mark.parametrize("path", ["items/batch/", "items/"])
def test_more_than_twenty_megabytes_are_refused(queue: Queue, sender: Caller, path: str) -> None:
    kind = "application/x-ndjson" if "batch" in path else "application/json"
    body = b" " * (20 * 1024 * 1024 + 1)
    assert sender.send("POST", f"queues/{queue.slug}/{path}", body, content_type=kind).status_code == 413


def test_more_than_ten_thousand_lines_are_refused(queue: Queue, sender: Caller) -> None:
    answer = sender.send("POST", f"queues/{queue.slug}/items/batch/", b"{}\n" * 10_001, "application/x-ndjson")
    assert answer.status_code == 413


def test_what_to_list_is_all_or_none(queue: Queue, sender: Caller) -> None:
    answer = sender.lines(f"queues/{queue.slug}/items/batch/?results=some", GOOD)
    assert [fault["field"] for fault in answer.json()["errors"]] == ["results"]
