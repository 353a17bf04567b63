"""A person replaces what the machine did or what was ruled."""

import json
from datetime import timedelta

import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Action, Event, Item, PendingLabel, Queue, Ruling
from decisions.work import rule, sweep
from decisions.work.answer import Answer
from tests.decisions.work.makers import (
    HAM,
    SPAM,
    answered,
    claimed,
    control_task,
    desk,
    hard_item,
    moves,
    passed_item,
    rulings,
    scored_item,
)
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def told(item: Item, name: str, state: str = "pending") -> Action:
    """Store what the machine told the world about an item."""
    return Action.objects.create(
        queue=item.queue, item=item, name=name, state=state, due_at=NOON, next_at=NOON, created_at=NOON
    )


def test_a_hard_action_is_reversed_before_it_was_sent() -> None:
    queue, lead = desk("lead")
    item = hard_item(queue)
    quarantine = told(item, "quarantine")
    ruling = rule.override(item_id=item.pk, person=lead, answer=HAM)
    quarantine.refresh_from_db()
    assert quarantine.state == "cancelled"
    assert Action.objects.get(ruling=ruling).name == "deliver"
    assert (ruling.source, ruling.was, ruling.is_override, ruling.is_reversal) == ("override", "spam", True, False)
    assert (ruling.person, ruling.decision, ruling.no) == (lead, None, 1)
    assert PendingLabel.objects.filter(ruling=ruling).exists()


def test_a_hard_action_that_was_sent_is_followed_by_the_new_one() -> None:
    queue, lead = desk("lead")
    item = hard_item(queue)
    quarantine = told(item, "quarantine", "delivered")
    ruling = rule.override(item_id=item.pk, person=lead, answer=HAM)
    quarantine.refresh_from_db()
    assert quarantine.state == "delivered"
    assert Action.objects.get(ruling=ruling).state == "pending"


def test_a_pass_is_overridden() -> None:
    queue, lead = desk("lead")
    ruling = rule.override(item_id=passed_item(queue).pk, person=lead, answer=SPAM)
    assert (ruling.was, ruling.outcome, ruling.is_override) == ("ham", "spam", True)


def test_another_ones_ruling_is_reversed() -> None:
    queue, person = desk()
    lead = make_user("lead", queue)
    make_task(queue)
    first = answered(person, queue, SPAM).rulings.get()
    ruling = rule.override(item_id=first.item_id, person=lead, answer=HAM)
    assert (ruling.no, ruling.replaces, ruling.was) == (2, first, "spam")
    assert (ruling.is_override, ruling.is_reversal) == (True, True)


def test_back_to_what_the_machine_said_is_a_reversal_and_no_override() -> None:
    queue, person = desk()
    make_task(queue)
    first = answered(person, queue, HAM).rulings.get()
    ruling = rule.override(item_id=first.item_id, person=make_user("lead", queue), answer=SPAM)
    assert (ruling.is_override, ruling.is_reversal) == (False, True)


def test_an_expiry_rule_is_overridden_but_not_reversed() -> None:
    """A reversal turns round what a person said."""
    queue, lead = desk("lead", expire_to="ham")
    item = make_item(queue)
    make_task(queue, item)
    sweep.expire(NOON + timedelta(days=2))
    ruling = rule.override(item_id=item.pk, person=lead, answer=SPAM)
    assert (ruling.was, ruling.is_reversal) == ("ham", False)


def test_the_event_says_from_what_to_what() -> None:
    queue, lead = desk("lead")
    item = hard_item(queue)
    rule.override(item_id=item.pk, person=lead, answer=Answer("ham", "other", "my words"))
    event = Event.objects.get(chain=queue.pk)
    entry = json.loads(event.entry)
    assert (event.kind, event.actor, event.item, event.reason) == ("item.overridden", lead, item, "other")
    assert (entry["was"], entry["outcome"], entry["rows"][0][0]) == ("spam", "ham", "ruling")
    assert "my words" not in event.entry


@pytest.mark.parametrize(
    ("route", "right"), [("hard", "reverse_hard"), ("pass", "override_pass"), ("soft", "take_over")]
)
@pytest.mark.parametrize("role", ["reviewer", "auditor", "admin"])
def test_who_lacks_the_right_is_told_which(route: str, right: str, role: str) -> None:
    queue, person = desk(role)
    item = make_item(queue, route=route)
    with pytest.raises(Forbidden) as refused:
        rule.override(item_id=item.pk, person=person, answer=HAM)
    assert (refused.value.right, refused.value.queue_id) == (right, queue.pk)


def test_a_reviewer_reverses_their_own_ruling_and_no_other() -> None:
    queue, person = desk()
    other = make_user("reviewer", queue)
    make_task(queue)
    item = answered(person, queue, SPAM).item
    with pytest.raises(Forbidden) as refused:
        rule.override(item_id=item.pk, person=other, answer=HAM)
    assert refused.value.right == "reverse_ruling"
    assert rule.override(item_id=item.pk, person=person, answer=HAM).is_reversal


def test_undoing_does_not_make_anothers_ruling_ones_own() -> None:
    queue, person = desk()
    item = passed_item(queue)
    rule.override(item_id=item.pk, person=make_user("lead", queue), answer=SPAM)
    make_task(queue, item, purpose="audit")
    decision = answered(person, queue, HAM)
    rule.undo(decision_id=decision.pk, person=person)
    task = decision.task
    task.refresh_from_db()
    type(task).objects.filter(pk=task.pk).update(state="expired", holder=None, lease_until=None)
    with pytest.raises(Forbidden):
        rule.override(item_id=item.pk, person=person, answer=HAM)


def test_the_value_limit_binds() -> None:
    queue = make_queue()
    lead = make_user("lead", queue, value_limit=10.0)
    with pytest.raises(Forbidden):
        rule.override(item_id=hard_item(queue, value=11.0).pk, person=lead, answer=HAM)
    assert rule.override(item_id=hard_item(queue, value=10.0).pk, person=lead, answer=HAM)


def test_foreign_and_missing_items_are_not_found() -> None:
    _queue, lead = desk("lead")
    with pytest.raises(NotFound):
        rule.override(item_id=hard_item(make_queue()).pk, person=lead, answer=HAM)
    with pytest.raises(NotFound):
        rule.override(item_id=0, person=lead, answer=HAM)


def test_an_override_always_says_why() -> None:
    queue, lead = desk("lead")
    for item in (hard_item(queue), scored_item(queue, 0.6)):
        with pytest.raises(Invalid) as refused:
            rule.override(item_id=item.pk, person=lead, answer=Answer("ham"))
        assert [f.field for f in refused.value.faults] == ["reason"]


def test_what_holds_already_is_refused() -> None:
    queue, lead = desk("lead")
    with pytest.raises(Conflict):
        rule.override(item_id=hard_item(queue).pk, person=lead, answer=SPAM)


@pytest.mark.parametrize("purpose", ["soft", "control", "audit"])
def test_a_lead_takes_over_what_only_waits(purpose: str) -> None:
    queue, lead = desk("lead")
    task = control_task(queue) if purpose == "control" else make_task(queue, purpose=purpose)
    rule.override(item_id=task.item_id, person=lead, answer=HAM)
    task.refresh_from_db()
    assert (task.state, moves(task)) == ("cancelled", ["opened", "cancelled"])
    assert json.loads(Event.objects.get(chain=queue.pk).entry)["cancelled"] == [task.pk]


def test_what_somebody_holds_is_left_to_them() -> None:
    queue, lead = desk("lead")
    make_task(queue)
    task = claimed(make_user("reviewer", queue), queue)
    with pytest.raises(Conflict):
        rule.override(item_id=task.item_id, person=lead, answer=HAM)
    assert rulings(task.item) == []


def test_a_reviewer_does_not_go_round_the_queue() -> None:
    queue, person = desk()
    make_task(queue)
    item = answered(person, queue, SPAM).item
    task = make_task(queue, item, purpose="appeal", rank=3)
    with pytest.raises(Conflict):
        rule.override(item_id=item.pk, person=person, answer=HAM)
    task.refresh_from_db()
    assert task.state == "waiting"


def test_current_is_the_last_ruling() -> None:
    queue, lead = desk("lead")
    item = hard_item(queue)
    assert rule.current(item.pk) is None
    rule.override(item_id=item.pk, person=lead, answer=HAM)
    last = rule.override(item_id=item.pk, person=lead, answer=SPAM)
    assert rule.current(item.pk) == last
    assert rulings(item) == [(1, "ham", "override"), (2, "spam", "override")]


def test_a_number_that_was_taken_meanwhile_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    queue: Queue
    queue, lead = desk("lead")
    item = hard_item(queue)
    rule.override(item_id=item.pk, person=lead, answer=HAM)
    monkeypatch.setattr(rule, "current", lambda _item_id: None)  # as it was before the other one committed
    with pytest.raises(Conflict):
        rule.override(item_id=item.pk, person=lead, answer=HAM)
    assert Ruling.objects.filter(item=item).count() == 1
