"""What a person may see of an item, by role, purpose and whether their own answer is in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions import redact, rights
from decisions.models import Decision, Draw, Event, Item, Ruling, Task, User
from decisions.queues.spec import FieldType, PayloadField
from decisions.record import history
from decisions.record.history import What
from decisions.redact import HIDDEN, Sight
from decisions.rights import Standing
from decisions.work import claim, decide, rule
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, control_task, desk, passed_item, scored_item
from tests.factories import make_frame, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
ALL = Sight(machine=True, history=True, personal=True)
BLIND = Sight(machine=False, history=False, personal=True)
MEASURED = replace(BLIND, gold=False)  # of whom nobody should say which answers were to gold items
NOW = timedelta(0)  # an undo window that is over at once


def sight(item: Item, user: User) -> Sight:
    """Return what somebody sees of an item, but for gold: tests of its own tell that."""
    return replace(whole_sight(item, user), gold=True)


def whole_sight(item: Item, user: User) -> Sight:
    stands = rights.standing(user, item.queue_id)
    assert stands is not None
    return redact.for_person(item, standing=stands, user=user, spec=item.queue.spec)


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("reviewer", ALL),
        ("lead", ALL),
        ("manager", ALL),
        ("auditor", Sight(machine=True, history=True, personal=False)),
        ("admin", Sight(machine=False, history=True, personal=False)),
    ],
)
def test_what_a_role_sees_of_an_ordinary_item(role: str, seen: Sight) -> None:
    queue = make_queue()
    task = make_task(queue)
    assert sight(task.item, make_user(role, queue)) == seen


@pytest.mark.parametrize("role", ["reviewer", "lead", "manager"])
@pytest.mark.parametrize("purpose", ["control", "audit", "second"])
@pytest.mark.parametrize("state", ["waiting", "claimed"])
def test_who_may_decide_is_blind_while_an_unbiased_answer_is_due(role: str, purpose: str, state: str) -> None:
    """Not only the holder: whoever looks now may be asked next."""
    queue, holder = desk()
    item = passed_item(queue)
    make_task(queue, item, purpose=purpose)
    if state == "claimed":
        claimed(holder, queue)
    assert sight(item, make_user(role, queue)) == BLIND


def test_a_gold_item_veils_only_whom_it_measures() -> None:
    queue, person = desk()
    item = passed_item(queue)
    make_task(queue, item, purpose="gold", only_for=person)
    assert sight(item, person) == BLIND
    assert sight(item, make_user("lead", queue)) == ALL


@pytest.mark.parametrize(
    ("role", "told"), [("reviewer", False), ("lead", True), ("manager", False), ("auditor", True), ("admin", True)]
)
def test_who_is_measured_is_not_told_which_answers_were_to_gold_items(role: str, told: bool) -> None:
    queue, person = desk(undo=NOW)
    task = make_task(queue, passed_item(queue), purpose="gold", only_for=person)
    made = answered(person, queue)
    seen = whole_sight(task.item, person if role == "reviewer" else make_user(role, queue))
    shown = redact.decision(made, seen, user=person)
    assert shown is not None
    assert redact.purpose(task, seen) == shown["purpose"] == ("gold" if told else "review")
    entry = redact.entry(Event.objects.get(kind="decision.made"), replace(seen, machine=True))
    assert (entry is not None) is told


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_who_never_decides_is_never_blind(role: str) -> None:
    queue = make_queue()
    task = control_task(queue)
    assert sight(task.item, make_user(role, queue)).history is True


@pytest.mark.parametrize("purpose", ["soft", "appeal", "escalation"])
def test_ordinary_work_is_not_blind(purpose: str) -> None:
    queue, person = desk("lead")
    task = make_task(queue, purpose=purpose)
    assert sight(task.item, person) == ALL


@pytest.mark.parametrize("hide", [True, False])
def test_a_queue_may_hide_its_suggestion_until_the_answer(hide: bool) -> None:
    queue, person = desk(hide_suggestion=hide, undo=NOW)
    task = make_task(queue)
    assert sight(task.item, person) == (BLIND if hide else ALL)
    answered(person, queue)
    assert sight(task.item, person) == ALL


def test_ones_own_answer_opens_the_eyes_when_it_cannot_be_undone() -> None:
    """Else one could answer, look, take it back and answer again."""
    queue, person = desk()
    task = control_task(queue)
    decision = answered(person, queue)
    assert sight(task.item, person) == BLIND
    rule.undo(decision_id=decision.pk, person=person)
    assert sight(task.item, person) == BLIND
    over, other = desk(undo=NOW)
    task = control_task(over)
    answered(other, over)
    assert sight(task.item, other) == ALL


def test_an_undone_answer_is_not_in() -> None:
    queue, person = desk()
    task = control_task(queue)
    rule.undo(decision_id=answered(person, queue).pk, person=person)
    later = replace(queue.spec, undo=NOW)  # as if its window were over
    assert redact.for_person(task.item, standing=Standing("reviewer"), user=person, spec=later) == replace(
        BLIND, gold=False
    )


def test_an_undone_answer_is_not_in_when_somebody_else_answered_instead() -> None:
    queue, person = desk()
    task = control_task(queue)
    rule.undo(decision_id=answered(person, queue).pk, person=person)
    (again,) = claim.held(person, queue.pk)
    claim.release(task_id=again.pk, lease=again.lease, person=person)
    answered(make_user("reviewer", queue), queue)
    later = replace(queue.spec, undo=NOW)
    assert redact.for_person(task.item, standing=Standing("reviewer"), user=person, spec=later) == replace(
        BLIND, gold=False
    )


def test_reviewers_stay_blind_for_a_day_after_anothers_blind_answer_and_leads_do_not() -> None:
    queue, person = desk(undo=NOW)
    task = control_task(queue)
    answered(person, queue)
    assert sight(task.item, make_user("reviewer", queue)) == BLIND
    assert sight(task.item, make_user("lead", queue)) == ALL


def test_an_escalated_control_is_still_a_control() -> None:
    queue, person = desk()
    control_task(queue)
    task = claimed(person, queue)
    claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
    assert sight(task.item, make_user("lead", queue)) == BLIND


def test_an_escalated_soft_item_is_open_to_the_lead() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
    assert sight(task.item, make_user("lead", queue)) == ALL


def test_a_second_opinion_does_not_hide_an_item_from_who_gave_the_first() -> None:
    queue, person = desk(undo=NOW)
    make_task(queue)
    item = answered(person, queue).item
    make_task(queue, item, purpose="second")
    assert sight(item, person) == ALL
    assert sight(item, make_user("reviewer", queue)) == BLIND


def test_a_list_takes_one_query_more_however_long() -> None:
    queue, person = desk()
    items = [control_task(queue).item if n % 2 else make_item(queue) for n in range(6)]
    with CaptureQueriesContext(connection) as captured:
        seen = redact.for_many([i.pk for i in items], standing=Standing("reviewer"), user=person, spec=queue.spec)
    assert [seen[item.pk] == MEASURED for item in items] == [False, True] * 3
    assert len(captured) == 1


def test_an_item_in_full() -> None:
    queue = make_queue()
    item = make_item(queue, {"text": "buy", "amount": 3}, value=3.0, segment="s")
    seen = redact.item(item, ALL, spec=queue.spec)
    assert seen["payload"] == {"text": "buy", "amount": 3}
    assert (seen["score"], seen["band"], seen["route"], seen["suggestion"]) == (0.6, "soft", "soft", "spam")
    assert (seen["policy_version"], seen["model_version"], seen["redacted"]) == (1, "external", [])


@pytest.mark.parametrize("make", [control_task, lambda queue: make_task(queue, passed_item(queue), purpose="audit")])
def test_nothing_of_a_blind_item_tells(make: Any) -> None:
    """Two blind items and an ordinary one of a hiding queue look the same but for what was sent."""
    queue, person = desk()
    task = make(queue)
    seen = redact.item(task.item, sight(task.item, person), spec=queue.spec)
    assert set(seen) == {
        "id",
        "queue",
        "external_id",
        "source",
        "segment",
        "value",
        "payload",
        "subject",
        "is_erased",
        "redacted",
    }
    assert seen["redacted"] == ["machine", "history"]
    assert redact.purpose(task, sight(task.item, person)) == "review"


def test_a_purpose_is_told_to_who_is_not_blind() -> None:
    queue, person = desk("lead")
    task = make_task(queue, purpose="escalation", rank=3)
    assert redact.purpose(task, sight(task.item, person)) == "escalation"


def test_a_drawn_pass_tells_its_draw_s_propensity() -> None:
    queue = make_queue()
    item, other = passed_item(queue), passed_item(queue)
    Draw.objects.create(frame=make_frame(queue), item=item, pi=0.25)
    assert redact.item(item, ALL, spec=queue.spec)["propensity"] == 0.25
    assert redact.item(other, ALL, spec=queue.spec)["propensity"] is None
    assert redact.item(make_item(queue), ALL, spec=queue.spec)["propensity"] == 1.0


def test_personal_fields_are_masked_and_so_is_what_no_spec_knows() -> None:
    fields = (PayloadField("text", FieldType.TEXT, "Text"), PayloadField("name", FieldType.TEXT, "Name", personal=True))
    queue = make_queue(fields=fields, value_field="", value=make_queue().spec.value.__class__())
    item = make_item(queue, {"text": "hello", "name": "Ann", "extra": "0171"})
    seen = redact.item(item, Sight(machine=True, history=True, personal=False), spec=queue.spec)
    assert seen["payload"] == {"text": "hello", "name": HIDDEN, "extra": HIDDEN}
    assert redact.item(item, ALL, spec=queue.spec)["payload"]["name"] == "Ann"


def test_an_erased_item_says_so() -> None:
    queue = make_queue()
    item = make_item(queue)
    item.body.content = None
    assert redact.item(item, ALL, spec=queue.spec)["payload"] is None
    assert redact.item(item, ALL, spec=queue.spec)["is_erased"] is True


def made() -> tuple[Decision, Ruling, User, User]:
    """Return a decision and its ruling, who made it, and somebody else."""
    queue, person = desk()
    make_task(queue, scored_item(queue, 0.6))
    decision = answered(person, queue, HAM)
    return decision, decision.rulings.get(), person, make_user("reviewer", queue)


def test_the_blind_see_their_own_answer_without_what_the_machine_said() -> None:
    decision, ruling, person, other = made()
    mine = redact.decision(decision, BLIND, user=person)
    held = redact.ruling(ruling, BLIND, user=person)
    assert mine is not None
    assert held is not None
    assert (mine["outcome"], mine["purpose"], "suggested" in mine) == ("ham", "review", False)
    assert ("was" in held, "is_override" in held) == (False, False)
    assert redact.decision(decision, BLIND, user=other) is None
    assert redact.ruling(ruling, BLIND, user=other) is None


def test_who_is_not_blind_sees_what_was_said() -> None:
    decision, ruling, _person, other = made()
    seen = redact.decision(decision, ALL, user=other)
    held = redact.ruling(ruling, ALL, user=other)
    assert seen is not None
    assert held is not None
    assert (seen["suggested"], seen["was_shown"], seen["purpose"]) == ("spam", True, "soft")
    assert (held["was"], held["is_override"]) == ("spam", True)


def test_an_event_tells_the_blind_nothing() -> None:
    decision, _ruling, _person, _other = made()
    event = Event.objects.get(item=decision.item)
    assert redact.entry(event, BLIND) is None
    entry = redact.entry(event, ALL)
    assert entry is not None
    assert entry["outcome"] == "ham"


def test_the_blind_see_of_a_life_their_own_steps() -> None:
    queue, person = desk()
    control_task(queue)
    task = claimed(make_user("reviewer", queue), queue)
    claim.skip(task_id=task.pk, lease=task.lease, person=task.holder or person, reason="unclear")
    task = claimed(person, queue)
    steps = history.life(Item.objects.get(pk=task.item_id))
    seen = [step for step in steps if redact.is_seen(step, sight(task.item, person), user=person)]
    assert [step.what for step in seen] == [What.MOVED]
    assert seen[0].row.kind == "claimed"
    assert len([step for step in steps if redact.is_seen(step, ALL, user=person)]) == len(steps)


def test_a_card_decided_blind_is_stored_as_not_shown() -> None:
    queue, person = desk()
    make_task(queue, scored_item(queue, 0.6), purpose="gold")
    task: Task = claimed(person, queue)
    decision = decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=Answer("ham"))
    assert decision.was_shown is False
    assert SPAM.outcome == decision.suggested
