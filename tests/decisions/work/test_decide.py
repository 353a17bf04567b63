"""One answer: everything that comes of it, and nothing when it is refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from decisions.exceptions import AlreadyDecided, Conflict, Forbidden, Invalid, LeaseLost, NotFound
from decisions.models import Action, Body, Decision, Event, Membership, PendingLabel, Queue, Ruling, Task, User
from decisions.record import digest
from decisions.work import claim, decide
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, control_task, desk, moves, rulings, scored_item
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def test_a_decision_leaves_all_that_comes_of_it() -> None:
    queue, person = desk()
    make_task(queue, scored_item(queue, 0.6))
    decision = answered(person, queue, Answer("ham", "other", "a friend", 12.5))
    task = decision.task
    task.refresh_from_db()
    ruling = Ruling.objects.get(decision=decision)
    action = Action.objects.get(ruling=ruling)
    assert (task.state, task.holder, task.lease_until, task.lease) == ("decided", None, None, 1)
    assert (decision.round, decision.purpose, decision.outcome, decision.reason) == (1, "soft", "ham", "other")
    assert (decision.suggested, decision.was_shown, decision.active_seconds) == ("spam", True, 12.5)
    assert decision.claimed_at < decision.at
    assert (ruling.no, ruling.outcome, ruling.truth, ruling.source) == (1, "ham", "negative", "decision")
    assert (ruling.was, ruling.is_override, ruling.is_reversal, ruling.replaces) == ("spam", True, False, None)
    assert ruling.final_at == decision.at + queue.spec.undo
    assert (action.name, action.due_at, action.state) == ("deliver", ruling.final_at, "pending")
    assert PendingLabel.objects.get(ruling=ruling).due_at == ruling.final_at
    assert moves(task) == ["opened", "claimed", "decided"]


def test_the_event_speaks_of_decision_and_ruling_by_digest() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue, Answer("ham", "other", "secret words"))
    event = Event.objects.get(chain=queue.pk)
    entry = json.loads(event.entry)
    ruling = decision.rulings.get()
    assert (event.kind, event.actor, event.item, event.reason) == ("decision.made", person, decision.item, "other")
    assert entry["rows"] == [
        ["decision", decision.pk, digest.of_row(decision).hex()],
        ["ruling", ruling.pk, digest.of_row(ruling).hex()],
    ]
    assert "secret" not in event.entry


def test_a_note_is_committed_to_under_the_bodys_salt() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue, Answer("spam", note="why not"))
    salt = Body.objects.get(item=decision.item).salt
    assert salt is not None
    assert decision.note_digest == digest.commitment(bytes(salt), b"why not")
    assert bytes(decision.rulings.get().note_digest or b"") == decision.note_digest


def test_what_was_digested_is_what_is_read_back() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue, Answer("ham", "other", "a note", active_seconds=12))
    rows = json.loads(Event.objects.get(chain=queue.pk).entry)["rows"]
    stored = (Decision.objects.get(pk=decision.pk), Ruling.objects.get(decision=decision))
    assert [said for _name, _pk, said in rows] == [digest.of_row(row).hex() for row in stored]


def test_no_note_no_commitment() -> None:
    queue, person = desk()
    make_task(queue)
    assert answered(person, queue, Answer("spam")).note_digest is None


@pytest.mark.parametrize(
    ("score", "outcome", "is_override", "was"),
    [
        (0.6, "spam", False, "spam"),  # agreed
        (0.6, "ham", True, "spam"),  # overridden
        (0.6, "unclear", True, "spam"),  # "can't tell" is not what was suggested either
        (0.4, "spam", True, "ham"),
        (None, "spam", False, ""),  # nothing was suggested, so there is nothing to override
    ],
)
def test_an_override_differs_from_the_suggestion(
    score: float | None, outcome: str, is_override: bool, was: str
) -> None:
    queue, person = desk()
    make_task(queue, make_item(queue, score=score, p=score))
    ruling = answered(person, queue, Answer(outcome, "content")).rulings.get()
    assert (ruling.is_override, ruling.was) == (is_override, was)


def test_cant_tell_causes_no_action_but_is_a_label() -> None:
    queue, person = desk()
    make_task(queue)
    ruling = answered(person, queue, Answer("unclear", "content")).rulings.get()
    assert not Action.objects.filter(item=ruling.item).exists()
    assert (ruling.truth, PendingLabel.objects.filter(ruling=ruling).exists()) == ("none", True)


def test_the_answer_takes_the_place_of_an_interim_action_nobody_was_told_of() -> None:
    queue, person = desk()
    item = make_item(queue)
    make_task(queue, item)
    flag = Action.objects.create(queue=queue, item=item, name="flag", due_at=NOON, next_at=NOON, created_at=NOON)
    answered(person, queue)
    flag.refresh_from_db()
    assert flag.state == "cancelled"
    assert Action.objects.get(item=item, state="pending").name == "quarantine"


@pytest.mark.parametrize("purpose", ["soft", "control", "audit", "escalation", "appeal"])
def test_what_people_decide_holds(purpose: str) -> None:
    queue, person = desk("lead")
    item = make_item(queue)
    make_task(queue, item, purpose=purpose)
    answered(person, queue)
    assert rulings(item) == [(1, "spam", "appeal" if purpose == "appeal" else "decision")]


@pytest.mark.parametrize("purpose", ["second", "gold"])
def test_what_measures_people_changes_nothing(purpose: str) -> None:
    queue, person = desk()
    item = make_item(queue)
    make_task(queue, item, purpose=purpose)
    decision = answered(person, queue)
    assert rulings(item) == []
    assert Event.objects.get(chain=queue.pk).kind == "decision.made"
    assert decision.purpose == purpose


@pytest.mark.parametrize("purpose", ["control", "audit", "second", "gold"])
def test_the_blind_never_saw_the_suggestion_and_owe_no_reason(purpose: str) -> None:
    queue, person = desk()
    make_task(queue, scored_item(queue, 0.95), purpose=purpose)
    decision = answered(person, queue, Answer("ham"))
    assert (decision.suggested, decision.was_shown) == ("spam", False)


def test_a_queue_that_hides_its_suggestion_shows_it_to_nobody() -> None:
    queue, person = desk(hide_suggestion=True)
    make_task(queue)
    decision = answered(person, queue, Answer("ham"))
    assert (decision.suggested, decision.was_shown) == ("spam", False)


def test_an_escalated_control_stays_blind() -> None:
    queue, person = desk()
    control_task(queue)
    task = claimed(person, queue)
    claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
    decision = answered(make_user("lead", queue), queue, Answer("ham"))
    assert (decision.purpose, decision.was_shown) == ("escalation", False)


def test_the_answer_to_a_control_is_the_ruling() -> None:
    queue, person = desk()
    task = control_task(queue)
    ruling = answered(person, queue, HAM).rulings.get()
    assert (ruling.was, ruling.is_override) == ("spam", True)
    assert Action.objects.get(item=task.item).name == "deliver"


def test_a_later_answer_that_differs_is_a_reversal() -> None:
    queue, person = desk()
    item = make_item(queue)
    make_task(queue, item)
    first = answered(person, queue, SPAM).rulings.get()
    make_task(queue, item, purpose="appeal", rank=3)
    second = answered(make_user("lead", queue), queue, HAM).rulings.get()
    assert (second.no, second.replaces, second.was, second.is_reversal) == (2, first, "spam", True)


def test_a_later_answer_that_agrees_is_none() -> None:
    queue, person = desk()
    item = make_item(queue)
    make_task(queue, item)
    answered(person, queue, SPAM)
    make_task(queue, item, purpose="appeal", rank=3)
    assert answered(make_user("lead", queue), queue, SPAM).rulings.get().is_reversal is False


def stale(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    return {"lease": task.lease - 1}


def taken_over(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    Task.objects.filter(pk=task.pk).update(holder=make_user("reviewer", queue), lease=task.lease + 1)
    return {}


def over_but_not_swept(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    Task.objects.filter(pk=task.pk).update(lease_until=NOON)
    return {}


def decided(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM)
    return {}


def released(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    claim.release(task_id=task.pk, lease=task.lease, person=person)
    return {}


def escalated(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
    return {}


def demoted(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    Membership.objects.filter(user=person).update(role="auditor")
    return {}


def limited(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    Membership.objects.filter(user=person).update(value_limit=1.0)
    return {}


def gone(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    Membership.objects.filter(user=person).delete()
    return {}


def nonsense(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    return {"answer": Answer("nonsense")}


def erased(task: Task, person: User, queue: Queue) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT decisions_erase_item(%s)", [task.item_id])
    return {"answer": Answer("spam", note="there is no salt left to commit with")}


@pytest.mark.parametrize(
    ("happened", "refusal"),
    [
        (stale, LeaseLost),
        (taken_over, LeaseLost),
        (over_but_not_swept, LeaseLost),  # strict: the clock decides, not the sweep
        (decided, AlreadyDecided),  # double submit
        (released, LeaseLost),
        (escalated, Conflict),
        (demoted, Forbidden),
        (limited, Forbidden),
        (gone, NotFound),
        (nonsense, Invalid),
        (erased, Invalid),
    ],
)
def test_a_refused_decision_leaves_nothing(
    happened: Callable[[Task, User, Queue], dict[str, Any]], refusal: type[Exception]
) -> None:
    queue, person = desk()
    make_task(queue, make_item(queue, value=5.0))
    task = claimed(person, queue)
    given: dict[str, Any] = {"task_id": task.pk, "lease": task.lease, "person": person, "answer": SPAM}
    given |= happened(task, person, queue)
    tables = (Decision, Ruling, Action, PendingLabel, Event)
    before = [table._default_manager.count() for table in tables]
    with pytest.raises(refusal) as refused:
        decide.decide(**given)
    assert type(refused.value) is refusal
    assert [table._default_manager.count() for table in tables] == before


def test_a_task_that_never_was_is_not_found() -> None:
    _queue, person = desk()
    with pytest.raises(NotFound):
        decide.decide(task_id=1, lease=1, person=person, answer=SPAM)


def test_another_queues_task_is_not_found() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    with pytest.raises(NotFound):
        decide.decide(task_id=task.pk, lease=1, person=make_user("lead", make_queue()), answer=SPAM)


def test_what_is_on_hold_can_be_decided() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    claim.hold(task_id=task.pk, lease=task.lease, person=person)
    assert decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM).claimed_at < NOON + timedelta(
        days=10_000
    )
