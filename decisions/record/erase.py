"""Empties what an item said, and forbids to: erasure and legal hold."""

from datetime import datetime

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import hints, rights
from decisions.effects import outbox
from decisions.exceptions import Fault, Invalid, NotFound, OnLegalHold
from decisions.models import Appeal, Body, Event, Item, Move, Task, User
from decisions.record import log
from decisions.rights import Act

LONGEST = 200
ERASED = "erased"  # the reason of a move that closes a task because of it


@transaction.atomic
def erase(*, item_id: int, by: User, why: str, legal_basis: str, at: datetime) -> Event:
    """Empty an item's body, salt and notes and what was kept of its actions; close its tasks and cancel unsent actions.

    Answers kept for calls that come twice go too; data sets on disk follow (`datasets.forget_erased`). Refuses with
    OnLegalHold, and without words for why and on what basis: a line each that names nobody, for they stay in the
    record. The chain keeps verifying: it holds commitments only, which say nothing without the salt. Doing it twice is
    harmless and leaves two events. Backups from before hold the content until they are deleted.
    """
    _demand_words(why=why, legal_basis=legal_basis)
    item = _locked(item_id, by, Act.ERASE)
    if item.body.is_held:
        raise OnLegalHold
    closed, cancelled = _close_tasks(item, at), outbox.supersede(item=item)
    with connection.cursor() as cursor:
        cursor.execute("SELECT notes, actions FROM decisions_erase_item(%s)", [item.pk])
        notes, actions = cursor.fetchone()
    entry = {
        "why": why,
        "legal_basis": legal_basis,
        "notes": notes,
        "actions": actions,
        "tasks_closed": closed,
        "actions_cancelled": cancelled,
        "answers_forgotten": _forget_answers(item),
    }
    hints.on_commit("freeze_data_sets")  # which takes the item out of those on disk
    hints.on_commit("keep_similar")  # and this out of the examples there
    return log.append(Event.Kind.ITEM_ERASED, chain=item.queue_id, actor=by, at=at, item=item, entry=entry)


@transaction.atomic
def hold(*, item_id: int, is_held: bool, by: User, why: str, at: datetime) -> Event:
    """Put an item on legal hold, which forbids to erase it, or end that. Nobody may be named in `why`."""
    _demand_words(why=why)
    item = _locked(item_id, by, Act.LEGAL_HOLD)
    before = item.body.is_held
    Body.objects.filter(item=item).update(is_held=is_held)
    entry = {"before": before, "after": is_held, "why": why}
    return log.append(Event.Kind.ITEM_HELD, chain=item.queue_id, actor=by, at=at, item=item, entry=entry)


def _demand_words(**words: str) -> None:
    """Refuse an answer that is missing, or longer than a line."""
    faults = [
        Fault(name, "length", _("Between 1 and %(most)d characters.") % {"most": LONGEST})
        for name, text in words.items()
        if not 1 <= len(text.strip()) <= LONGEST
    ]
    if faults:
        raise Invalid(faults=faults)


def _locked(item_id: int, by: User, act: Act) -> Item:
    """Return an item whose tasks and body nobody else changes meanwhile; refuses who lacks the right."""
    item = Item.objects.filter(pk=item_id).first()
    if item is None:
        raise NotFound
    rights.require(by, act, queue_id=item.queue_id, item_id=item.pk)
    # The tasks first, as everywhere: a decision that is being written is waited for, and its note goes too.
    list(Task.objects.open().filter(item=item).select_for_update().order_by("pk"))
    item.body = Body.objects.select_for_update().get(item=item)
    return item


def _close_tasks(item: Item, at: datetime) -> list[int]:
    """Cancel the tasks on an item whose content nobody can read any more; return their ids."""
    tasks = list(Task.objects.open().filter(item=item).order_by("pk"))
    for task in tasks:
        task.state, task.holder, task.lease_until, task.lease = Task.State.CANCELLED, None, None, task.lease + 1
    Task.objects.bulk_update(tasks, ["state", "holder", "lease_until", "lease"])
    Move.objects.bulk_create(
        Move(task=task, kind=Move.Kind.CANCELLED, lease=task.lease, reason=ERASED, at=at) for task in tasks
    )
    Appeal.objects.filter(item=item, state=Appeal.State.OPEN).update(state=Appeal.State.ENDED, closed_at=at)
    return [task.pk for task in tasks]


def _forget_answers(item: Item) -> int:
    """Delete the kept answers that speak of an item: they may show its content or a note; return how many."""
    needles = [b'"external_id":' + orjson.dumps(item.external_id), b'"item":%d,' % item.pk, b'"item":%d}' % item.pk]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM decisions_request WHERE EXISTS"
            " (SELECT 1 FROM unnest(%s::bytea[]) AS needle WHERE position(needle IN answer) > 0)",
            [needles],
        )
        gone: int = cursor.rowcount
    return gone
