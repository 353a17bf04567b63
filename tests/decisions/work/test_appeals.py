"""Appeals: who judges them, how they end, and what is told of it."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from decisions import redact, rights
from decisions.effects import deliver, outbox
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound, OtherContent, TooLate
from decisions.learning import labels
from decisions.models import Action, Appeal, Event, Item, Label, PendingLabel, Queue, Ruling, Task, User
from decisions.queues.spec import Appeals
from decisions.record import erase, log
from decisions.work import appeals, claim, decide, rule, sweep
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, desk, hard_item, passed_item, rulings
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
WORDS = "It was an invoice"


def filed(queue: Queue, item: Item, **given: Any) -> Appeal:
    """File an appeal as the queue's own system does."""
    sender = make_user("auditor", queue, kind=User.Kind.SERVICE)
    appeal, _is_new = appeals.file(item_id=item.pk, by=sender, **{"statement": WORDS, **given})
    return appeal


def judged(queue: Queue, answer: Answer, person: User | None = None) -> Ruling:
    """Let a lead take the appeal and answer it."""
    task = claimed(person := person or make_user("lead", queue), queue)
    decision = decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=answer)
    ruling = rule.of(decision)
    assert ruling
    return ruling


def test_an_appeal_that_is_overturned() -> None:
    queue, _person = desk()
    item = hard_item(queue, value=7.0)
    appeal = filed(queue, item, reference="ticket-1")
    assert (appeal.held, appeal.ruling, appeal.state) == ("spam", None, "open")
    task = appeal.task
    assert (task.purpose, task.rank, task.value, task.state) == ("appeal", Task.Rank.LEAD, 7.0, "waiting")
    ruling = judged(queue, HAM)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.decision, appeal.closed_at) == ("overturned", ruling.decision, ruling.at)
    assert (ruling.source, ruling.outcome, ruling.was, ruling.is_override) == ("appeal", "ham", "spam", True)
    told = {action.name: orjson.loads(bytes(action.body or b"")) for action in Action.objects.filter(ruling=ruling)}
    assert set(told) == {"deliver", "appeal.overturned"}
    data = told["appeal.overturned"]
    assert data["type"] == "appeal.overturned"
    assert data["data"]["appeal"] == {"id": appeal.pk, "reference": "ticket-1"}
    assert (data["data"]["was"], data["data"]["outcome"], data["data"]["reason"]) == ("spam", "ham", "content")
    made = Event.objects.get(kind="decision.made")
    assert orjson.loads(made.entry)["result"] == "overturned"
    assert list(Event.objects.order_by("seq").values_list("kind", flat=True)) == ["appeal.filed", "decision.made"]


def test_what_is_upheld_is_not_done_again() -> None:
    queue, _person = desk()
    item = hard_item(queue)
    done = Action.objects.create(
        queue=queue, item=item, name="quarantine", due_at=NOON, next_at=NOON, created_at=NOON, body=b"{}"
    )
    appeal = filed(queue, item)
    ruling = judged(queue, SPAM)
    appeal.refresh_from_db()
    done.refresh_from_db()
    assert (appeal.state, done.state) == ("upheld", "pending")
    assert [action.name for action in Action.objects.filter(ruling=ruling)] == ["appeal.upheld"]
    assert rulings(item) == [(1, "spam", "appeal")]


def test_its_outcome_becomes_a_label() -> None:
    queue, _person = desk()
    filed(queue, hard_item(queue))
    ruling = judged(queue, HAM)
    labels.feed_due(ruling.final_at)
    label = Label.objects.get()
    assert (label.ruling, label.value, label.provenance, label.propensity) == (ruling, 0, "override", None)
    assert not PendingLabel.objects.exists()


def test_nobody_with_a_hand_in_the_item_judges_it() -> None:
    queue, _person = desk(undo=timedelta(0))
    judge, filer, other = make_user("lead", queue), make_user("lead", queue), make_user("manager", queue)
    make_task(queue)
    first = answered(judge, queue)
    appeal, _is_new = appeals.file(item_id=first.item_id, by=filer, statement=WORDS)
    for person in (judge, filer, make_user("reviewer", queue), make_user("expert", queue)):
        assert claim.next_tasks(queue_id=queue.pk, person=person) == []
        stands = rights.standing(person, queue.pk)
        assert stands
        assert not rights.may(stands, rights.Act.DECIDE, rights.case_of(appeal.task, person))
    (task,) = claim.next_tasks(queue_id=queue.pk, person=other)
    assert task == appeal.task


def test_both_answers_need_a_reason_and_cant_tell_is_none() -> None:
    queue, _person = desk()
    filed(queue, hard_item(queue))
    lead = make_user("lead", queue)
    task = claimed(lead, queue)
    for answer, field in ((Answer("spam"), "reason"), (Answer("unclear", "content"), "outcome")):
        with pytest.raises(Invalid) as caught:
            decide.decide(task_id=task.pk, lease=task.lease, person=lead, answer=answer)
        assert [fault.field for fault in caught.value.faults] == [field]
    with pytest.raises((Conflict, Forbidden)):
        claim.escalate(task_id=task.pk, lease=task.lease, person=lead, reason="expert")


def test_an_answer_that_is_undone_opens_the_appeal_again() -> None:
    queue, _person = desk(undo=timedelta(hours=1))
    appeal = filed(queue, hard_item(queue))
    lead = make_user("lead", queue)
    ruling = judged(queue, HAM, lead)
    assert ruling.decision
    rule.undo(decision_id=ruling.decision.pk, person=lead)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.decision, appeal.closed_at) == ("open", None, None)
    assert {action.state for action in Action.objects.filter(ruling=ruling)} == {"cancelled"}
    task = Task.objects.get(pk=appeal.task_id)
    decide.decide(task_id=task.pk, lease=task.lease, person=lead, answer=SPAM)
    appeal.refresh_from_db()
    assert appeal.state == "upheld"


def test_sent_twice_it_is_one_appeal() -> None:
    queue, _person = desk()
    item, by = hard_item(queue), make_user("manager", queue)
    first, is_new = appeals.file(item_id=item.pk, by=by, statement=WORDS, reference="t-1")
    again, is_new_again = appeals.file(item_id=item.pk, by=by, statement=WORDS, reference="t-1")
    assert (first, is_new, is_new_again) == (again, True, False)
    with pytest.raises(OtherContent):
        appeals.file(item_id=item.pk, by=by, statement="other words", reference="t-1")
    with pytest.raises(OtherContent):
        appeals.file(item_id=hard_item(queue).pk, by=by, statement=WORDS, reference="t-1")
    with pytest.raises(Conflict, match="open already"):
        appeals.file(item_id=item.pk, by=by, statement=WORDS, reference="t-2")
    assert Appeal.objects.count() == 1


def test_a_second_appeal_only_where_the_spec_allows_one() -> None:
    for most in (1, 2):
        queue, _person = desk(appeals=Appeals(most=most), undo=timedelta(0))
        item = hard_item(queue)
        filed(queue, item)
        judged(queue, HAM)
        if most == 1:
            with pytest.raises(Conflict, match="no more appeals"):
                filed(queue, item)
        else:
            second = filed(queue, item)
            assert (second.held, second.ruling and second.ruling.source) == ("ham", "appeal")
    queue, _person = desk(appeals=Appeals(most=0))
    with pytest.raises(Conflict, match="no more appeals"):
        filed(queue, hard_item(queue))


def test_what_cannot_be_appealed() -> None:
    queue, _person = desk(appeals=Appeals(within=timedelta(days=30)))
    waiting = make_item(queue)
    make_task(queue, waiting)
    with pytest.raises(Conflict, match="Nothing was decided"):
        filed(queue, waiting)
    with pytest.raises(TooLate):
        filed(queue, hard_item(queue, arrived_at=NOON - timedelta(days=3650)))
    fresh = hard_item(queue, arrived_at=log.now())
    assert filed(queue, fresh).state == "open"
    for wrong in ({"statement": " "}, {"statement": "x" * 4001}, {"statement": "a\0"}, {"reference": "a\nb"}):
        with pytest.raises(Invalid):
            filed(queue, hard_item(queue), **wrong)
    with pytest.raises(NotFound):
        filed(make_queue(), fresh)
    for role in ("reviewer", "auditor", "admin"):
        with pytest.raises(Forbidden, match="file_appeal"):
            appeals.file(item_id=fresh.pk, by=make_user(role, queue), statement=WORDS)


def test_a_pass_is_appealed_too() -> None:
    queue, _person = desk()
    assert filed(queue, passed_item(queue)).held == "ham"


def test_an_open_appeal_is_not_overridden_and_never_expires() -> None:
    queue, lead = desk("lead", expire_to="ham")
    appeal = filed(queue, hard_item(queue))
    with pytest.raises(Conflict, match="judged in its queue"):
        rule.override(item_id=appeal.item_id, person=lead, answer=HAM)
    sweep.expire(appeal.due_at + timedelta(days=9))
    appeal.refresh_from_db()
    assert (appeal.state, appeal.task.state) == ("open", "waiting")


def test_the_call_back_and_the_action_do_not_supersede_each_other() -> None:
    queue, _person = desk()
    filed(queue, hard_item(queue))
    ruling = judged(queue, HAM)
    assert outbox.supersede(item=ruling.item) == [Action.objects.get(name="deliver").pk]
    assert Action.objects.get(name="appeal.overturned").state == "pending"


def test_its_words_are_for_who_may_see_personal_data_and_go_with_the_item() -> None:
    queue, _person = desk()
    appeal = filed(queue, hard_item(queue))
    for role, seen in (("lead", WORDS), ("auditor", redact.HIDDEN)):
        person = make_user(role, queue)
        stands = rights.standing(person, queue.pk)
        assert stands
        sight = redact.for_person(appeal.item, standing=stands, user=person, spec=queue.spec)
        told = redact.appeal(appeal, sight)
        assert told
        assert told["statement"] == seen
    assert redact.appeal(appeal, redact.Sight(machine=True, history=False, personal=True)) is None
    by = make_user("admin", queue)
    erase.erase(item_id=appeal.item_id, by=by, why="request", legal_basis="Art. 17", at=log.now())
    appeal.refresh_from_db()
    assert (appeal.statement, appeal.state, appeal.task.state) == ("", "ended", "cancelled")


def test_what_is_told_of_an_appeal_cancels_no_action_and_is_cancelled_by_none() -> None:
    queue, _person = desk()
    filed(queue, hard_item(queue))
    judged(queue, HAM)
    pending = {action.name: action for action in Action.objects.order_by("pk")}
    action, callback = pending["deliver"], pending["appeal.overturned"]
    assert action.pk < callback.pk
    for told in (callback, action):
        taken = deliver.Taken(id=told.pk, queue_id=queue.pk, item_id=told.item_id, attempt=1, body=b"{}")
        assert deliver._supersede([taken]) == []
