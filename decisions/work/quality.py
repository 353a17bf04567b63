"""Second opinions: on each positive audit by a second person, blind, on a few negative ones, and on some soft answers.

What the first person answered holds meanwhile. The same truth from the second one confirms it; another one, "can't
tell" included, is a dispute: an expert, or a lead, who is told neither answer rules, and that ruling stands. A second
opinion that nobody takes in time ends without effect. An audit answered "can't tell" gets none, for there is nothing to
confirm. Which soft answers get one is drawn by the share of their person (`grading`), whatever they say, and the chance
is logged. What somebody of the crowd answered is looked at by a reviewer at least.
"""

from datetime import datetime

from django.db.models import F

from decisions.exceptions import TooLate
from decisions.measure import sla
from decisions.models import Decision, Event, Lot, Membership, Move, Task, User
from decisions.queues import needs
from decisions.queues.live import Live
from decisions.queues.spec import Spec, Truth
from decisions.record import log
from decisions.rights import Standing
from decisions.routing import sampling
from decisions.routing.sampling import Purpose
from decisions.work import grading
from decisions.work import lease as leases

SECONDED = (Task.Purpose.AUDIT, Task.Purpose.SOFT)
NEGATIVES = 0.03  # of the negative audits that get a second opinion


def follow(decision: Decision, stands: Standing, queue: Live) -> Task | None:
    """Open the second opinion that an answer calls for; return the task that settles it where one disputes another.

    While an overload rule of the queue stops second opinions only answers of the crowd get one, for somebody has to
    look after them; what was asked before is settled all the same.
    """
    spec, is_by_crowd = queue.spec, stands.role == Membership.Role.CROWD
    is_open = is_by_crowd or not queue.relief.seconds
    if decision.purpose == Task.Purpose.AUDIT and is_open and _needs_second(decision, spec):
        _open_second(decision, spec, is_by_crowd=is_by_crowd)
    elif decision.purpose == Task.Purpose.SOFT and is_open and (lot := grading.lot(decision, spec, Purpose.CHECK)):
        second = _open_second(decision, spec, is_by_crowd=is_by_crowd)
        Lot.objects.create(task=second, pi=lot.pi, u=lot.u, u_secret=lot.u_secret)
    if decision.purpose == Task.Purpose.SECOND and _is_disputed(decision, spec):
        return _settling(decision, spec)
    return None


def note_dispute(decision: Decision, escalation: Task) -> None:
    """Note that two people answered differently, and which task settles it."""
    log.append(
        Event.Kind.ITEM_DISPUTED,
        chain=decision.queue_id,
        actor=decision.person,
        at=decision.at,
        item=decision.item,
        entry={"task": decision.task_id, "first": decision.task.parent_id, "escalation": escalation.pk},
    )


def withdraw(task: Task, person: User, at: datetime) -> None:
    """Cancel the second opinion on an answer that is taken back; TooLate when it was given already."""
    if task.purpose not in SECONDED:
        return
    seconds = Task.objects.filter(parent=task, purpose=Task.Purpose.SECOND).select_for_update().order_by("-pk")
    second = seconds.first()
    if second is None or second.state in (Task.State.EXPIRED, Task.State.CANCELLED):
        return
    if second.state not in Task.OPEN:
        raise TooLate
    Task.objects.filter(pk=second.pk).update(
        state=Task.State.CANCELLED, holder=None, lease_until=None, lease=F("lease") + 1
    )
    leases.move(second, Move.Kind.CANCELLED, person=person, at=at, reason="undo")


def settles(task: Task) -> bool:
    """Tell whether an answer to this task settles a dispute, or stands for a second opinion that was escalated."""
    return (
        task.purpose == Task.Purpose.ESCALATION
        and task.parent is not None
        and task.parent.purpose == Task.Purpose.SECOND
    )


def is_of_gold(task: Task) -> bool:
    """Tell whether a task is a gold item that was escalated: its answer measures, as the gold item's would have."""
    return (
        task.purpose == Task.Purpose.ESCALATION and task.parent is not None and task.parent.purpose == Task.Purpose.GOLD
    )


def _needs_second(decision: Decision, spec: Spec) -> bool:
    truth = _truth(decision, spec)
    if truth != Truth.NEGATIVE:
        return truth == Truth.POSITIVE
    (lot,) = sampling.lots(decision.queue.slug, [decision.item.external_id], Purpose.SECOND)
    return lot < NEGATIVES


def _is_disputed(decision: Decision, spec: Spec) -> bool:
    first = Decision.objects.filter(task=decision.task.parent_id).order_by("-round").first()
    return first is not None and _truth(first, spec) != _truth(decision, spec)


def _truth(decision: Decision, spec: Spec) -> str:
    outcome = spec.outcome(decision.outcome)
    return outcome.truth if outcome else Truth.NONE


def _open_second(decision: Decision, spec: Spec, *, is_by_crowd: bool) -> Task:
    """Open a second opinion, at a place by lot as audits have theirs."""
    task, at = decision.task, decision.at
    (lot,) = sampling.lots(decision.queue.slug, [decision.item.external_id], Purpose.PLACE)
    span = spec.sla_of(Task.Purpose.SECOND)
    (step,) = sla.spread(spec, span, at, [lot])
    second = Task.objects.create(
        queue_id=task.queue_id,
        item_id=task.item_id,
        parent=task,
        purpose=Task.Purpose.SECOND,
        rank=Task.Rank.REVIEWER if is_by_crowd else needs.rank(Task.Purpose.SECOND, task.value, spec),
        needs=task.needs,
        value=task.value,
        is_demo=task.is_demo,
        opened_at=at,
        due_at=sla.due(spec, span, at),
        due_step=step,
        priority=task.priority,
    )
    leases.move(second, Move.Kind.OPENED, person=None, at=at)
    return second


def _settling(decision: Decision, spec: Spec) -> Task:
    """Return the task that settles a dispute; where the item is escalated already, that answer is enough."""
    waiting = Task.objects.open().filter(item=decision.item_id, purpose=Task.Purpose.ESCALATION).first()
    return waiting or leases.open_escalation(decision.task, spec, decision.at)
