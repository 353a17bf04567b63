"""Holding a task: the row lock under a live lease, the one way to write under it, and why a lease is lost."""

from datetime import datetime
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import AlreadyDecided, Conflict, LeaseLost, NotFound
from decisions.joins import Join
from decisions.measure import sla
from decisions.models import Item, Membership, Move, Policy, Queue, Task, User
from decisions.queues import live
from decisions.queues.spec import Spec
from decisions.work import why

HOLDING = (Task.State.CLAIMED, Task.State.HELD)

HELD = Join(task=Task, queue=Queue, item=Item, policy=Policy)
# The condition is checked again once the lock is granted, so a row that changed meanwhile is not returned.
LOCK = """
    SELECT {columns} FROM decisions_task task
    JOIN decisions_queue queue ON queue.id = task.queue_id
    JOIN decisions_item item ON item.id = task.item_id
    JOIN decisions_policy policy ON policy.id = item.policy_id
    WHERE task.id = %s AND task.lease = %s AND task.holder_id = %s AND task.state = ANY(%s)
    AND task.lease_until > clock_timestamp()
    FOR UPDATE OF task
"""


def lock(*, task_id: int, lease: int, person: User) -> Task:
    """Lock and return a task that this person holds under this lease, with its queue, item and policy.

    A lease that is over counts no longer, swept or not. Refuses with the true reason: LeaseLost, AlreadyDecided,
    Conflict for a task that was closed otherwise, NotFound for one that is not theirs to see.
    """
    found = HELD.read(LOCK.format(columns=HELD.columns), [task_id, lease, person.pk, list(HOLDING)])
    if not found:
        _explain(task_id, person)
    (held,) = found
    task: Task = held["task"]
    task.queue, task.item = held["queue"], held["item"]
    task.item.queue, task.item.policy = task.queue, held["policy"]
    return task


def write(task: Task, **changes: Any) -> None:
    """Change a task under its lease; LeaseLost when the row moved on."""
    held = Task.objects.filter(pk=task.pk, lease=task.lease, holder=task.holder_id)
    if not held.update(**changes):
        raise LeaseLost
    for name, value in changes.items():
        setattr(task, name, value)


def leave(task: Task, state: Task.State, **changes: Any) -> None:
    """Give a task up into a state in which nobody holds it."""
    write(task, state=state, holder=None, lease_until=None, **changes)


def let_go(task: Task, *, person: User | None, at: datetime, reason: str) -> None:
    """Give a locked, waiting task back to all which was kept for one person."""
    task.only_for, task.only_until = None, None
    task.save(update_fields=["only_for", "only_until"])
    move(task, Move.Kind.RETURNED, person=person, at=at, reason=reason)


def put_off(task: Task, until: datetime, at: datetime) -> dict[str, datetime]:
    """Return the deadline of a task that waits for information until a time: the time it waits does not count.

    What is past its deadline already stays so.
    """
    if task.due_at <= at:
        return {}
    spec = live.of(task.queue.slug).spec
    return {"due_at": sla.due(spec, sla.remaining(spec, task.due_at, at), until)}


def resumed(task: Task, at: datetime) -> dict[str, datetime]:
    """Return the deadline of a task whose wait for information ends before its time: only what it waited is added."""
    until = task.lease_until
    if task.state != Task.State.HELD or until is None or task.due_at <= until:
        return {}
    holds = Move.objects.filter(task=task, kind=Move.Kind.HELD).order_by("-id")
    if holds.values_list("reason", flat=True)[:1].get() != why.Hold.INFORMATION:
        return {}
    spec = live.of(task.queue.slug).spec
    return {"due_at": sla.due(spec, sla.remaining(spec, task.due_at, until), at)}


def move(task: Task, kind: Move.Kind, *, person: User | None, at: datetime, reason: str = "") -> Move:
    """Note a step of the task."""
    return Move.objects.create(task=task, kind=kind, person=person, lease=task.lease, reason=reason, at=at)


def open_escalation(task: Task, spec: Spec, at: datetime, *, is_late: bool = False) -> Task:
    """Open an escalation: due when the spec says, else it keeps the deadline and the place which the task had.

    One that is opened because that deadline passed has the queue's own SLA from now on, and keeps the place.
    It waits for experts where the queue has some, else for leads; one that an expert passes on waits for leads. Its
    parent is the task that asked first.
    """
    is_second_step = task.purpose == Task.Purpose.ESCALATION
    due_at, due_step = task.due_at, task.due_step
    if span := spec.deadlines.escalation or (spec.sla if is_late else None):
        due_at = sla.due(spec, span, at)
        due_step = task.due_step if is_late else sla.rounded_up(due_at, spec.sla_step)
    escalation = Task.objects.create(
        queue_id=task.queue_id,
        item_id=task.item_id,
        parent_id=task.parent_id if is_second_step else task.pk,
        purpose=Task.Purpose.ESCALATION,
        rank=Task.Rank.LEAD if is_second_step or not _has_experts(task.queue_id) else Task.Rank.EXPERT,
        needs=task.needs,
        value=task.value,
        is_demo=task.is_demo,
        opened_at=at,
        due_at=due_at,
        due_step=due_step,
        priority=task.priority,
    )
    move(escalation, Move.Kind.OPENED, person=None, at=at)
    return escalation


def _has_experts(queue_id: int) -> bool:
    experts = Membership.objects.on(queue_id).filter(role=Membership.Role.EXPERT, user__is_active=True)
    return experts.exists()


def _explain(task_id: int, person: User) -> NoReturn:
    task = Task.objects.filter(pk=task_id).first()
    if task is None or rights.standing(person, task.queue_id) is None:
        raise NotFound
    if task.state == Task.State.DECIDED:
        raise AlreadyDecided
    if task.state not in Task.OPEN:
        raise Conflict(_("This task is closed: %(state)s.") % {"state": Task.State(task.state).label})
    raise LeaseLost
