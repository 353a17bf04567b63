"""Overrides that a second person confirms: nothing holds before, and never by the one who asked."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from decisions import rights
from decisions.exceptions import Conflict, Forbidden, Invalid, NeedsSecond, NotFound, TooLate
from decisions.models import Action, Body, Event, Item, Membership, PendingOverride, Queue, Ruling, User
from decisions.queues.spec import Confirm
from decisions.record import erase, log
from decisions.work import rule, second
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, desk, hard_item, passed_item, rulings
from tests.factories import make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
ASKS = Confirm(reverse_hard=100.0, override_pass=0.0)


def asked_for() -> tuple[Queue, User, PendingOverride]:
    """Return a queue that asks for four eyes, a lead, and their override of a hard action that waits."""
    queue, lead = desk("lead", confirm=ASKS)
    asked = second.override(
        item_id=hard_item(queue, value=100.0).pk, person=lead, answer=Answer("ham", "other", "my words")
    )
    assert isinstance(asked, PendingOverride)
    return queue, lead, asked


def kinds(item: Item) -> list[str]:
    return list(Event.objects.filter(item=item).order_by("seq").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("make", "value", "waits"),
    [
        (hard_item, 99.9, False),  # below the value
        (hard_item, 100.0, True),
        (hard_item, None, True),  # unknown is above
        (passed_item, 0.0, True),  # always, for passes
    ],
)
def test_what_the_spec_asks_for_waits(make: Any, value: float | None, waits: bool) -> None:
    queue, lead = desk("lead", confirm=ASKS)
    item = make(queue, value=value)
    answer = HAM if make is hard_item else SPAM
    made = second.override(item_id=item.pk, person=lead, answer=answer)
    assert isinstance(made, PendingOverride if waits else Ruling)
    assert bool(rulings(item)) is not waits
    assert kinds(item) == ["override.asked" if waits else "item.overridden"]


def test_a_ruling_is_replaced_alone_where_only_hard_actions_need_two() -> None:
    queue, lead = desk("lead", confirm=ASKS)
    make_task(queue, value=500.0)
    first = answered(make_user("reviewer", queue), queue)
    assert isinstance(second.override(item_id=first.item_id, person=lead, answer=HAM), Ruling)


def test_nothing_changes_until_somebody_else_confirms() -> None:
    queue, lead, asked = asked_for()
    other = make_user("lead", queue)
    assert not Action.objects.exists()
    ruling = second.confirm(pending_id=asked.pk, person=other, why="I agree")
    asked.refresh_from_db()
    assert (asked.state, asked.closer, asked.ruling, asked.reply) == ("confirmed", other, ruling, "I agree")
    assert (ruling.person, ruling.outcome, ruling.note, ruling.source) == (lead, "ham", "my words", "override")
    assert Action.objects.get(ruling=ruling).name == "deliver"
    assert kinds(asked.item) == ["override.asked", "item.overridden"]
    event = Event.objects.get(kind="item.overridden")
    assert (event.actor, orjson.loads(event.entry)["asked_by"]) == (other, lead.pk)


def test_one_does_not_confirm_ones_own_nor_does_a_machine() -> None:
    queue, lead, asked = asked_for()
    robot = make_user("lead", queue, kind=User.Kind.SERVICE)
    for person in (lead, robot, make_user("reviewer", queue), make_user("lead", queue, value_limit=99.0)):
        with pytest.raises(Forbidden) as refused:
            second.confirm(pending_id=asked.pk, person=person)
        assert (refused.value.right, refused.value.item_id) == ("reverse_hard", asked.item_id)
        assert not second.may_confirm(asked, person)
    for person in (make_user("lead", make_queue()), make_user()):
        with pytest.raises(NotFound):
            second.confirm(pending_id=asked.pk, person=person)
    assert second.may_confirm(asked, make_user("manager", queue))
    assert not rulings(asked.item)


def test_it_is_refused_with_a_reason_or_withdrawn() -> None:
    queue, lead, asked = asked_for()
    other = make_user("manager", queue)
    with pytest.raises(Invalid):
        second.turn_down(pending_id=asked.pk, person=other, why=" ")
    assert second.turn_down(pending_id=asked.pk, person=other, why="not convinced").state == "refused"
    again = second.override(item_id=asked.item_id, person=lead, answer=HAM)
    assert isinstance(again, PendingOverride)
    with pytest.raises(Forbidden):
        second.turn_down(pending_id=again.pk, person=make_user("reviewer", queue), why="no")
    assert second.turn_down(pending_id=again.pk, person=lead, why="a slip").state == "withdrawn"
    for person in (lead, other):
        with pytest.raises(Conflict):
            second.turn_down(pending_id=again.pk, person=person, why="late")
    closed = Event.objects.filter(kind="override.closed").order_by("seq")
    assert [event.reason for event in closed] == ["refused", "withdrawn"]
    assert not rulings(asked.item)


def test_one_override_of_an_item_waits_at_a_time() -> None:
    queue, _lead, asked = asked_for()
    with pytest.raises(Conflict, match="waits for a second person already"):
        second.override(item_id=asked.item_id, person=make_user("lead", queue), answer=HAM)


def test_what_was_ruled_meanwhile_is_not_overridden() -> None:
    queue, _lead, asked = asked_for()
    other = make_user("lead", queue)
    Ruling.objects.create(
        queue=queue,
        item=asked.item,
        no=1,
        outcome="ham",
        truth="negative",
        source="outside",
        at=asked.asked_at,
        final_at=asked.asked_at,
    )
    with pytest.raises(Conflict, match="meanwhile"):
        second.confirm(pending_id=asked.pk, person=other)
    assert second.expire(log.now()) == 1
    asked.refresh_from_db()
    assert (asked.state, asked.closer) == ("overtaken", None)


def test_who_asked_must_still_have_the_right() -> None:
    queue, lead, asked = asked_for()
    Membership.objects.filter(user=lead).update(role="reviewer")
    with pytest.raises(Forbidden):
        second.confirm(pending_id=asked.pk, person=make_user("lead", queue))
    Membership.objects.filter(user=lead).delete()
    with pytest.raises(NotFound):
        second.confirm(pending_id=asked.pk, person=make_user("lead", queue))
    asked.refresh_from_db()
    assert asked.state == "waiting"


def test_it_expires() -> None:
    queue, _lead, asked = asked_for()
    assert asked.expires_at - asked.asked_at == timedelta(hours=72)
    assert second.expire(asked.expires_at - timedelta(seconds=1)) == 0
    assert second.expire(asked.expires_at) == 1
    asked.refresh_from_db()
    assert asked.state == "expired"
    event = Event.objects.get(kind="override.closed")
    assert (event.actor, event.reason) == (None, "expired")
    with pytest.raises(Conflict):
        second.confirm(pending_id=asked.pk, person=make_user("lead", queue))


def test_what_is_over_but_not_swept_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, _lead, asked = asked_for()
    monkeypatch.setattr(log, "now", lambda: asked.expires_at)
    with pytest.raises(TooLate):
        second.confirm(pending_id=asked.pk, person=make_user("lead", queue))


def test_nobody_goes_past_the_second_person() -> None:
    queue, lead = desk("lead", confirm=ASKS)
    with pytest.raises(NeedsSecond):
        rule.override(item_id=hard_item(queue, value=100.0).pk, person=lead, answer=HAM)


def test_a_task_that_waits_is_cancelled_only_when_it_is_confirmed() -> None:
    queue, lead = desk("lead", confirm=ASKS)
    item = hard_item(queue, value=100.0)
    task = make_task(queue, item)
    asked = second.override(item_id=item.pk, person=lead, answer=HAM)
    assert isinstance(asked, PendingOverride)
    task.refresh_from_db()
    assert task.state == "waiting"
    person = make_user("reviewer", queue)
    held = claimed(person, queue)
    with pytest.raises(Conflict, match="holds this item now"):
        second.confirm(pending_id=asked.pk, person=make_user("lead", queue))
    asked.refresh_from_db()
    assert (asked.state, held.pk) == ("waiting", task.pk)


def test_who_asked_or_answered_had_a_hand_in_the_item() -> None:
    queue, lead, asked = asked_for()
    other = make_user("lead", queue)
    second.turn_down(pending_id=asked.pk, person=other, why="no")
    task = make_task(queue, asked.item, purpose="appeal", rank=3)
    for person, hand in ((lead, True), (other, True), (make_user("lead", queue), False)):
        assert rights.has_hand(task, person) is hand


def test_erasing_the_item_takes_the_words_with_it() -> None:
    queue, _lead, asked = asked_for()
    second.turn_down(pending_id=asked.pk, person=make_user("lead", queue), why="I know him")
    by = make_user("admin", queue)
    erase.erase(item_id=asked.item_id, by=by, why="request", legal_basis="Art. 17", at=log.now())
    asked.refresh_from_db()
    assert (asked.note, asked.reply) == ("", "")
    assert Body.objects.get(item=asked.item).content is None
