"""Idempotency keys: sent twice, done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from decisions import requests
from decisions.intake import submit
from decisions.models import Item, Queue, Request, Task
from tests.databases import Clone
from tests.factories import make_queue, make_task, make_user
from tests.reviewqueue.api.caller import Caller, caller

GOOD = {"external_id": "m-1", "payload": {"text": "hello"}, "score": 0.6}


@pytest.fixture
def queue(db: None) -> Queue:
    return make_queue()


@pytest.fixture
def sender(queue: Queue) -> Caller:
    return caller("manager", queue)


def test_the_same_call_gets_the_same_answer(queue: Queue, sender: Caller) -> None:
    path, key = f"queues/{queue.slug}/items/", {"Idempotency-Key": "k-1"}
    first, again = sender.post(path, GOOD, **key), sender.post(path, GOOD, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert again["Content-Type"] == "application/json"


def test_without_a_key_nothing_is_kept(queue: Queue, sender: Caller) -> None:
    sender.post(f"queues/{queue.slug}/items/", GOOD)
    assert not Request.objects.exists()


def test_a_claim_is_given_once(queue: Queue, sender: Caller) -> None:
    make_task(queue)
    make_task(queue)
    key = {"Idempotency-Key": "k-1"}
    claims = [sender.post(f"queues/{queue.slug}/claim/", {"count": 1}, **key).json() for _ in range(2)]
    assert claims[0] == claims[1]
    assert Task.objects.filter(state=Task.State.CLAIMED).count() == 1


def test_an_empty_answer_is_replayed_as_such(queue: Queue, sender: Caller) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert sender.post(f"queues/{queue.slug}/claim/", **key).status_code == 204
    make_task(queue)
    again = sender.post(f"queues/{queue.slug}/claim/", **key)
    assert (again.status_code, again.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("queues/{}/items/", {**GOOD, "score": 0.7}),  # another body
        ("queues/{}/items/?x=1", GOOD),  # another query
        ("queues/{}/claim/", GOOD),  # another call
    ],
)
def test_a_key_is_for_one_call(queue: Queue, sender: Caller, path: str, sent: dict[str, Any]) -> None:
    key = {"Idempotency-Key": "k-1"}
    sender.post(f"queues/{queue.slug}/items/", GOOD, **key)
    answer = sender.post(path.format(queue.slug), sent, **key)
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


def test_people_have_keys_of_their_own(queue: Queue, sender: Caller) -> None:
    key = {"Idempotency-Key": "k-1"}
    other = caller("manager", queue)
    assert sender.post(f"queues/{queue.slug}/items/", GOOD, **key).status_code == 201
    assert other.post(f"queues/{queue.slug}/items/", {**GOOD, "external_id": "m-2"}, **key).status_code == 201


def test_refusals_are_not_kept(queue: Queue, sender: Caller) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert sender.post(f"queues/{queue.slug}/items/", {"external_id": "m-1"}, **key).status_code == 400
    assert sender.post(f"queues/{queue.slug}/items/", GOOD, **key).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "\xe9"])
def test_what_is_no_key_is_refused(queue: Queue, sender: Caller, key: str) -> None:
    answer = sender.post(f"queues/{queue.slug}/items/", GOOD, **{"Idempotency-Key": key})
    assert answer.status_code == 400
    assert not Item.objects.exists()


def test_keys_are_forgotten_after_a_day(queue: Queue, sender: Caller) -> None:
    sender.post(f"queues/{queue.slug}/items/", GOOD, **{"Idempotency-Key": "k-1"})
    assert requests.forget(timezone.now() + timedelta(hours=23)) == 0
    assert requests.forget(timezone.now() + timedelta(hours=25)) == 1
    assert not Request.objects.exists()


def test_the_effect_goes_if_its_answer_cannot_be_kept(
    queue: Queue, sender: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_kept: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(requests, "keep", broken)
    answer = sender.post(f"queues/{queue.slug}/items/", GOOD, **{"Idempotency-Key": "k-1"})
    assert (answer.status_code, answer.json()["code"]) == (500, "broken")
    assert not Item.objects.exists()


def test_the_same_call_in_flight_is_put_off(committed_db: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    person = caller("manager", queue)
    inside, go_on = Signal(), Signal()
    real = submit.one

    def slow(**asked: Any) -> dict[str, Any]:
        result = real(**asked)
        inside.set()
        assert go_on.wait(10)
        return result

    def send() -> Any:
        try:
            return person.post(f"queues/{queue.slug}/items/", GOOD, **{"Idempotency-Key": "k-1"})
        finally:
            connection.close()

    monkeypatch.setattr(submit, "one", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        assert inside.wait(10)
        second = person.post(f"queues/{queue.slug}/items/", GOOD, **{"Idempotency-Key": "k-1"})
        go_on.set()
        assert first.result(10).status_code == 201
    assert (second.status_code, second.json()["code"], second["Retry-After"]) == (409, "in_flight", "1")
    third = person.post(f"queues/{queue.slug}/items/", GOOD, **{"Idempotency-Key": "k-1"})
    assert third["Idempotency-Replayed"] == "true"
    assert Item.objects.count() == 1


def test_keys_of_two_people_do_not_wait_for_each_other(queue: Queue) -> None:
    person, other = make_user(), make_user()
    assert requests.recall(user=person, key="k", digest=b"") is None
    assert requests.recall(user=other, key="k", digest=b"") is None
