"""Claim, decide, leave, undo, override: over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from decisions.models import Decision, Item, Queue, Ruling, Task
from tests.factories import make_item, make_queue, make_task
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def reviewer(queue: Queue) -> Caller:
    return caller("reviewer", queue, "review")


def claimed(person: Caller, queue: Queue, task: Task | None = None) -> dict[str, Any]:
    """Open a task and claim it."""
    task or make_task(queue)
    (one,) = person.post(f"queues/{queue.slug}/claim/").json()["tasks"]
    return dict(one)


def test_claim_gives_the_task_and_what_may_be_seen(queue: Queue, reviewer: Caller) -> None:
    task = make_task(queue)
    answer = reviewer.post(f"queues/{queue.slug}/claim/", {"count": 2})
    assert answer.status_code == 200
    (one,) = answer.json()["tasks"]
    assert (one["id"], one["lease"], one["purpose"]) == (task.pk, 1, "soft")
    assert one["item"]["payload"] == {"text": "hello", "words": 1}
    assert one["item"]["suggestion"] == "spam"


def test_claim_hides_what_would_bias(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue, make_task(queue, purpose=Task.Purpose.CONTROL))
    assert one["purpose"] == "review"
    assert not {"score", "p", "band", "route", "reason", "suggestion", "propensity"} & one["item"].keys()


def test_claim_finds_nothing(queue: Queue, reviewer: Caller) -> None:
    answer = reviewer.post(f"queues/{queue.slug}/claim/")
    assert (answer.status_code, answer.content) == (204, b"")


def test_claim_stops_at_the_cap(queue: Queue, reviewer: Caller) -> None:
    for _ in range(6):
        make_task(queue)
    assert len(reviewer.post(f"queues/{queue.slug}/claim/", {"count": 50}).json()["tasks"]) == 5
    answer = reviewer.post(f"queues/{queue.slug}/claim/")
    assert (answer.status_code, answer.json()["code"]) == (409, "cap_reached")


@pytest.mark.parametrize("count", [0, 51, "many", None, [], 10**18])
def test_claim_refuses_a_count(queue: Queue, reviewer: Caller, count: Any) -> None:
    answer = reviewer.post(f"queues/{queue.slug}/claim/", {"count": count})
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == ["count"]


def test_claim_takes_no_body_at_all(queue: Queue, reviewer: Caller) -> None:
    make_task(queue)
    assert reviewer.send("POST", f"queues/{queue.slug}/claim/", b"").status_code == 200


def test_decide_answers_with_decision_and_ruling(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    answer = reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 1, "outcome": "spam", "active_seconds": 4.5})
    assert answer.status_code == 201
    decision, ruling = Decision.objects.get(), Ruling.objects.get()
    assert (answer.json()["decision"]["id"], answer.json()["ruling"]["id"]) == (decision.pk, ruling.pk)
    assert (decision.outcome, decision.active_seconds, decision.person) == ("spam", 4.5, reviewer.user)


def test_decide_keeps_the_note_as_it_was_typed(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    said = {"lease": 1, "outcome": "ham", "reason": "other", "note": "  two\nlines \U0001f600 "}
    assert reviewer.post(f"tasks/{one['id']}/decide/", said).status_code == 201
    assert Decision.objects.get().note == said["note"]


def test_decide_refuses_a_stale_lease(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    answer = reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 0, "outcome": "spam"})
    assert (answer.status_code, answer.json()["code"]) == (409, "lease_lost")


def test_decide_twice_is_told_so(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 1, "outcome": "spam"})
    answer = reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 1, "outcome": "spam"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"outcome": "spam"}, "lease"),  # no lease
    ({"lease": 1}, "outcome"),  # no outcome
    ({"lease": 1, "outcome": "eggs"}, "outcome"),  # not one of the queue's
    ({"lease": 1, "outcome": "ham"}, "reason"),  # against the suggestion, without a reason
    ({"lease": 1, "outcome": "ham", "reason": "other"}, "note"),  # this reason needs a note
    ({"lease": 1, "outcome": "spam", "active_seconds": -1}, "active_seconds"),  # before it began
    ({"lease": 1, "outcome": "spam", "score": 1}, "score"),  # a name nobody knows
    ({"lease": 2**40, "outcome": "spam"}, "lease"),  # no number of ours
]


@pytest.mark.parametrize(("sent", "field"), WRONG)
def test_decide_refuses_what_is_no_answer(queue: Queue, reviewer: Caller, sent: dict[str, Any], field: str) -> None:
    one = claimed(reviewer, queue)
    answer = reviewer.post(f"tasks/{one['id']}/decide/", sent)
    assert answer.status_code == 400
    assert field in [fault["field"] for fault in answer.json()["errors"]]


def test_a_foreign_task_is_not_there(queue: Queue, reviewer: Caller) -> None:
    task = make_task(make_queue())
    for step in ("decide", "release", "skip", "extend", "escalate", "hold"):
        said = {"decide": {"outcome": "spam"}, "skip": {"reason": "unclear"}, "escalate": {"reason": "expert"}}
        answer = reviewer.post(f"tasks/{task.pk}/{step}/", {"lease": 0, **said.get(step, {})})
        assert (step, answer.status_code) == (step, 404)


def test_a_token_limited_to_another_queue_finds_no_task(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    reviewer.token.queues.add(make_queue())
    assert reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 1, "outcome": "spam"}).status_code == 404


STEPS = [
    ("release", {}, Task.State.WAITING),
    ("skip", {"reason": "unclear"}, Task.State.WAITING),
    ("extend", {}, Task.State.CLAIMED),
    ("hold", {"reason": "colleague"}, Task.State.HELD),
    ("escalate", {"reason": "expert"}, Task.State.ESCALATED),
]


@pytest.mark.parametrize(("step", "said", "state"), STEPS)
def test_steps_change_the_task(queue: Queue, reviewer: Caller, step: str, said: dict[str, Any], state: str) -> None:
    one = claimed(reviewer, queue)
    answer = reviewer.post(f"tasks/{one['id']}/{step}/", {"lease": 1, **said})
    assert answer.status_code == 200
    assert Task.objects.get(pk=one["id"]).state == state


@pytest.mark.parametrize(("step", "said", "state"), STEPS)
def test_steps_need_the_lease(queue: Queue, reviewer: Caller, step: str, said: dict[str, Any], state: str) -> None:
    one = claimed(reviewer, queue)
    assert reviewer.post(f"tasks/{one['id']}/{step}/", {"lease": 7, **said}).status_code == 409
    assert reviewer.post(f"tasks/{one['id']}/{step}/", said).status_code == 400


@pytest.mark.parametrize("step", ["skip", "escalate"])
def test_leaving_needs_a_reason(queue: Queue, reviewer: Caller, step: str) -> None:
    one = claimed(reviewer, queue)
    assert reviewer.post(f"tasks/{one['id']}/{step}/", {"lease": 1, "reason": "because"}).status_code == 400


def test_hold_until_a_time(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    until = timezone.now() + timedelta(hours=3)
    answer = reviewer.post(f"tasks/{one['id']}/hold/", {"lease": 1, "until": until.isoformat()})
    assert answer.status_code == 200
    assert Task.objects.get().lease_until == until


def test_undo_hands_the_task_back(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    made = reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 1, "outcome": "spam"}).json()["decision"]
    answer = reviewer.post(f"decisions/{made['id']}/undo/")
    assert answer.status_code == 200
    assert (answer.json()["task"]["lease"], answer.json()["task"]["round"]) == (2, 2)
    assert answer.json()["ruling"]["outcome"] == ""
    assert reviewer.post(f"decisions/{made['id']}/undo/").status_code == 409


def test_undo_is_for_ones_own(queue: Queue, reviewer: Caller) -> None:
    one = claimed(reviewer, queue)
    made = reviewer.post(f"tasks/{one['id']}/decide/", {"lease": 1, "outcome": "spam"}).json()["decision"]
    answer = caller("reviewer", queue).post(f"decisions/{made['id']}/undo/")
    assert (answer.status_code, answer.json()["right"]) == (403, "undo")
    assert caller("reviewer", make_queue()).post(f"decisions/{made['id']}/undo/").status_code == 404


def test_a_lead_overrides_a_pass(queue: Queue) -> None:
    item = make_item(queue, score=0.1, band=Item.Band.PASS, route=Item.Route.PASS, propensity=None)
    said = {"outcome": "spam", "reason": "content", "note": ""}
    answer = caller("lead", queue).post(f"items/{item.pk}/override/", said)
    assert answer.status_code == 201
    assert (answer.json()["ruling"]["outcome"], answer.json()["ruling"]["source"]) == ("spam", "override")
    again = caller("lead", queue).post(f"items/{item.pk}/override/", said)
    assert again.status_code == 409


def test_a_reviewer_does_not_override_a_pass(queue: Queue, reviewer: Caller) -> None:
    item = make_item(queue, score=0.1, band=Item.Band.PASS, route=Item.Route.PASS, propensity=None)
    answer = reviewer.post(f"items/{item.pk}/override/", {"outcome": "spam", "reason": "content"})
    assert (answer.status_code, answer.json()["right"]) == (403, "override_pass")
    assert reviewer.post("items/999999/override/", {"outcome": "spam"}).status_code == 404
