"""Taking a decision back within its window."""

import json
from datetime import timedelta

import pytest

from decisions.exceptions import Conflict, Forbidden, NotFound, TooLate
from decisions.learning import labels
from decisions.models import Action, Decision, Event, Label, Move, PendingLabel
from decisions.work import claim, decide, rule
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, desk, moves, passed_item, rulings
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def test_undone_within_the_window_the_card_comes_back() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    ruling = rule.undo(decision_id=decision.pk, person=person)
    task = decision.task
    task.refresh_from_db()
    assert (task.state, task.holder, task.lease, task.round) == ("claimed", person, 2, 2)
    assert task.lease_until is not None
    assert (ruling.no, ruling.outcome, ruling.truth, ruling.source) == (2, "", "none", "undo")
    assert (ruling.was, ruling.replaces, ruling.decision) == ("spam", decision.rulings.get(no=1), decision)
    assert (ruling.is_override, ruling.is_reversal) == (False, False)
    assert Action.objects.get(item=decision.item).state == "cancelled"
    assert not PendingLabel.objects.exists()
    assert moves(task) == ["opened", "claimed", "decided", "reopened"]


def test_the_event_names_the_decision() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    rule.undo(decision_id=decision.pk, person=person)
    event = Event.objects.get(chain=queue.pk, kind="decision.undone")
    entry = json.loads(event.entry)
    assert (event.actor, event.item) == (person, decision.item)
    assert (entry["decision"], entry["was"], entry["outcome"]) == (decision.pk, "spam", "")


def test_the_card_is_decided_anew_in_its_next_round() -> None:
    queue, person = desk()
    make_task(queue)
    first = answered(person, queue)
    rule.undo(decision_id=first.pk, person=person)
    (task,) = claim.held(person, queue.pk)
    second = decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=HAM)
    assert (second.round, second.claimed_at) == (2, Move.objects.get(task=task, kind="reopened").at)
    assert rulings(first.item) == [(1, "spam", "decision"), (2, "", "undo"), (3, "ham", "decision")]
    assert second.rulings.get().is_reversal is False  # nothing held any more
    assert Action.objects.get(item=first.item, state="pending").name == "deliver"


def test_an_escalation_is_decided_anew_by_the_same_lead() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
    lead = make_user("lead", queue)
    rule.undo(decision_id=answered(lead, queue).pk, person=lead)
    (again,) = claim.held(lead, queue.pk)
    assert decide.decide(task_id=again.pk, lease=again.lease, person=lead, answer=HAM).round == 2


def test_what_held_before_holds_again() -> None:
    queue, person = desk()
    item = passed_item(queue)
    lead = make_user("lead", queue)
    rule.override(item_id=item.pk, person=lead, answer=SPAM)
    make_task(queue, item, purpose="audit")
    decision = answered(person, queue, HAM)
    ruling = rule.undo(decision_id=decision.pk, person=person)
    assert (ruling.outcome, ruling.truth) == ("spam", "positive")
    assert rule.meant(ruling) == item.rulings.get(no=1)
    assert Action.objects.get(item=item, state="pending").name == "quarantine"


def test_an_interim_action_that_was_set_aside_goes_on() -> None:
    queue, person = desk()
    item = make_item(queue)
    flag = Action.objects.create(
        queue=queue, item=item, name="flag", body=b"{}", due_at=NOON, next_at=NOON, created_at=NOON
    )
    make_task(queue, item)
    rule.undo(decision_id=answered(person, queue).pk, person=person)
    flag.refresh_from_db()
    assert flag.state == "pending"


def test_the_cap_does_not_stop_an_undo() -> None:
    queue, person = desk(cap=2)
    for _ in range(3):
        make_task(queue)
    decision = answered(person, queue)
    claim.next_tasks(queue_id=queue.pk, person=person, count=2)
    rule.undo(decision_id=decision.pk, person=person)
    assert len(claim.held(person, queue.pk)) == 3


def test_after_the_window_it_is_too_late() -> None:
    queue, person = desk(undo=timedelta(0))
    make_task(queue)
    decision = answered(person, queue)
    with pytest.raises(TooLate):
        rule.undo(decision_id=decision.pk, person=person)
    assert rulings(decision.item) == [(1, "spam", "decision")]


def test_too_late_is_too_late_also_for_an_answer_without_an_action() -> None:
    queue, person = desk(undo=timedelta(0))
    make_task(queue)
    decision = answered(person, queue, Answer("unclear", "content"))
    assert PendingLabel.objects.exists()  # not fed yet
    with pytest.raises(TooLate):
        rule.undo(decision_id=decision.pk, person=person)


@pytest.mark.parametrize("state", ["delivered", "pending"])
def test_an_action_that_is_on_its_way_cannot_be_called_back(state: str) -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    Action.objects.filter(item=decision.item).update(state=state, attempts=1)
    with pytest.raises(TooLate):
        rule.undo(decision_id=decision.pk, person=person)


def test_a_label_that_was_fed_cannot_be_called_back() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    labels.feed_due(decision.at + timedelta(hours=1))  # by a clock that is ahead
    assert Label.objects.filter(ruling__decision=decision).exists()
    with pytest.raises(TooLate):
        rule.undo(decision_id=decision.pk, person=person)
    assert Action.objects.get(item=decision.item).state == "pending"  # nothing is half undone


@pytest.mark.parametrize("role", ["reviewer", "lead", "manager", "auditor", "admin"])
def test_nobody_undoes_anothers_decision(role: str) -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    with pytest.raises(Forbidden) as refused:
        rule.undo(decision_id=decision.pk, person=make_user(role, queue))
    assert refused.value.right == "undo"


def test_foreign_and_missing_decisions_are_not_found() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    with pytest.raises(NotFound):
        rule.undo(decision_id=decision.pk, person=make_user("lead", make_queue()))
    with pytest.raises(NotFound):
        rule.undo(decision_id=0, person=person)


def test_twice_is_a_conflict() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    rule.undo(decision_id=decision.pk, person=person)
    with pytest.raises(Conflict):
        rule.undo(decision_id=decision.pk, person=person)


def test_a_decision_that_was_replaced_is_not_undone() -> None:
    queue, person = desk()
    make_task(queue)
    decision = answered(person, queue)
    rule.override(item_id=decision.item_id, person=make_user("lead", queue), answer=HAM)
    with pytest.raises(Conflict):
        rule.undo(decision_id=decision.pk, person=person)


def test_an_answer_that_only_measured_stays() -> None:
    queue, person = desk()
    make_task(queue, purpose="gold")
    decision = answered(person, queue)
    with pytest.raises(Conflict):
        rule.undo(decision_id=decision.pk, person=person)
    assert Decision.objects.get().round == 1
