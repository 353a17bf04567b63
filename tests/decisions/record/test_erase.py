"""What an item said can go for good; that it went stays in the record, and the record stays whole."""

from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from decisions.exceptions import Forbidden, Invalid, NotFound, OnLegalHold
from decisions.models import Action, Body, Decision, Event, Item, Move, Request, Ruling, Task, User
from decisions.record import deep, erase, proof
from tests.databases import Clone
from tests.decisions.record.makers import arrive, decide
from tests.factories import NOON, make_queue, make_task, make_user

GIVEN: dict[str, Any] = {"why": "asked for it", "legal_basis": "GDPR Art. 17", "at": NOON}


def make_action(item: Item, **fields: Any) -> Action:
    return Action.objects.create(
        queue=item.queue, item=item, name="flag", body=b"{}", due_at=NOON, next_at=NOON, created_at=NOON, **fields
    )


@pytest.fixture
def item(db: None) -> Item:
    """A decided item with a task that waits, an action that was sent and one that was not."""
    (item,) = arrive(make_queue(), "one")
    decide(item)
    make_task(item.queue, item)
    make_action(item, state="delivered", result_detail="Moved the mail of Ann")
    make_action(item)
    return item


@pytest.fixture
def admin(db: None) -> User:
    return make_user("admin", email="admin@example.org")


def test_erasing_leaves_nothing_of_what_was_said(item: Item, admin: User) -> None:
    erase.erase(item_id=item.pk, by=admin, **GIVEN)
    assert Body.objects.filter(item=item, content=None, salt=None).exists()
    assert [Decision.objects.get().note, Ruling.objects.get().note] == ["", ""]
    assert list(Action.objects.values_list("body", "result_detail").distinct()) == [(None, "")]


def test_erasing_closes_what_nobody_can_do_any_more(item: Item, admin: User) -> None:
    task = Task.objects.get(state="waiting")
    unsent = Action.objects.get(state="pending")
    event = erase.erase(item_id=item.pk, by=admin, **GIVEN)
    task.refresh_from_db()
    assert (task.state, task.lease) == ("cancelled", 1)
    assert Move.objects.filter(task=task).latest("pk").kind == Move.Kind.CANCELLED
    assert not Action.objects.filter(state="pending").exists()
    entry = orjson.loads(event.entry)
    assert (entry["tasks_closed"], entry["actions_cancelled"]) == ([task.pk], [unsent.pk])


def test_answers_that_were_kept_for_a_second_call_go_too(item: Item, admin: User) -> None:
    kept = {"user": admin, "digest": b"d", "status": 200, "at": NOON}
    Request.objects.create(key="shown", answer=b'{"item":{"external_id":"one","payload":"hello"}}', **kept)
    Request.objects.create(key="note", answer=b'{"id":1,"item":%d,"note":"I know him"}' % item.pk, **kept)
    Request.objects.create(key="other", answer=b'{"external_id":"oneself","item":%d0}' % item.pk, **kept)
    event = erase.erase(item_id=item.pk, by=admin, **GIVEN)
    assert list(Request.objects.values_list("key", flat=True)) == ["other"]
    assert orjson.loads(event.entry)["answers_forgotten"] == 2


def test_erasing_says_who_why_and_on_what_basis(item: Item, admin: User) -> None:
    event = erase.erase(item_id=item.pk, by=admin, **GIVEN)
    entry = orjson.loads(event.entry)
    assert (event.kind, event.actor, event.item) == (Event.Kind.ITEM_ERASED, admin, item)
    assert (entry["why"], entry["legal_basis"], entry["notes"], entry["actions"]) == (
        "asked for it",
        "GDPR Art. 17",
        2,
        2,
    )


def test_the_record_stays_whole(item: Item, admin: User) -> None:
    erase.erase(item_id=item.pk, by=admin, **GIVEN)
    erase.erase(item_id=item.pk, by=admin, **GIVEN)
    assert proof.verify().bad == ()
    assert list(deep.verify()) == []


def test_legal_hold_forbids_it(item: Item, admin: User) -> None:
    auditor = make_user("auditor", item.queue)
    erase.hold(item_id=item.pk, is_held=True, by=auditor, why="a lawsuit", at=NOON)
    with pytest.raises(OnLegalHold):
        erase.erase(item_id=item.pk, by=admin, **GIVEN)
    with pytest.raises(DatabaseError, match="legal hold"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT decisions_erase_item(%s)", [item.pk])
    erase.hold(item_id=item.pk, is_held=False, by=auditor, why="it is over", at=NOON)
    erase.erase(item_id=item.pk, by=admin, **GIVEN)
    kinds = Event.objects.filter(item=item).order_by("seq").values_list("kind", flat=True)
    assert list(kinds)[-3:] == ["item.legal_hold", "item.legal_hold", "item.erased"]


@pytest.mark.parametrize("role", ["reviewer", "lead", "manager", "auditor"])
def test_only_an_administrator_erases(item: Item, role: str) -> None:
    with pytest.raises(Forbidden) as refused:
        erase.erase(item_id=item.pk, by=make_user(role, item.queue), **GIVEN)
    assert (refused.value.right, refused.value.queue_id) == ("erase", item.queue_id)


def test_a_stranger_and_an_unknown_item_look_the_same(item: Item, admin: User) -> None:
    with pytest.raises(NotFound):
        erase.erase(item_id=item.pk, by=make_user("admin", make_queue()), **GIVEN)
    with pytest.raises(NotFound):
        erase.erase(item_id=item.pk + 1, by=admin, **GIVEN)


@pytest.mark.parametrize("changes", [{"why": " "}, {"legal_basis": ""}, {"why": "x" * 201}])
def test_erasing_needs_words_for_why(item: Item, admin: User, changes: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        erase.erase(item_id=item.pk, by=admin, **{**GIVEN, **changes})
    assert [fault.field for fault in refused.value.faults] == list(changes)


def test_an_item_that_is_not_there_cannot_be_erased_in_sql(db: None) -> None:
    with pytest.raises(DatabaseError, match="no item 7"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT decisions_erase_item(7)")


def test_the_commands_erase_and_hold(item: Item, admin: User) -> None:
    out = StringIO()
    common = {"person": admin.email, "stdout": out}
    call_command("legal_hold", item.pk, "on", why="a lawsuit", **common)
    with pytest.raises(CommandError, match="legal hold"):
        call_command("erase", item.pk, why="asked", basis="GDPR", **common)
    call_command("legal_hold", item.pk, "off", why="over", **common)
    call_command("erase", item.pk, why="asked", basis="GDPR", **common)
    assert "Backups from before still hold the content" in out.getvalue()
    assert Body.objects.get(item=item).content is None


def test_a_command_without_the_right_is_refused_and_noted(committed_db: Clone) -> None:
    (item,) = arrive(make_queue(), "one")
    reviewer = make_user("reviewer", item.queue)
    with pytest.raises(CommandError, match="erase"):
        call_command("erase", item.pk, why="asked", basis="GDPR", person=reviewer.email)
    assert Event.objects.get(kind=Event.Kind.RIGHT_REFUSED).actor == reviewer
    with pytest.raises(CommandError, match="no active person"):
        call_command("erase", item.pk, why="asked", basis="GDPR", person="nobody@example.org")
