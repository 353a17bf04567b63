"""A person's answer to a task: decision, ruling, action, label and event in one transaction."""

from datetime import datetime

from django.db import connection, transaction

from decisions import redact, rights
from decisions.models import Decision, Event, Move, Ruling, Task, User
from decisions.queues import live
from decisions.record import log
from decisions.rights import Act
from decisions.work import answer as answers
from decisions.work import appeals, gold, onboarding, quality, rule, suggest
from decisions.work import lease as leases
from decisions.work.answer import Answer

BEGUN = "SELECT at FROM decisions_move WHERE task_id = %s AND lease = %s AND kind IN ('claimed', 'reopened')"


@transaction.atomic
def decide(*, task_id: int, lease: int, person: User, answer: Answer) -> Decision:
    """Record what the person concluded, close the task and let it hold.

    Strict about time: a lease that is over is lost, swept or not. Refuses as `lease.lock` does, with Forbidden what is
    out of the person's reach by now, and with Invalid an answer that the spec in force does not take.
    """
    task = leases.lock(task_id=task_id, lease=lease, person=person)
    stands = rights.require(
        person, Act.DECIDE, queue_id=task.queue_id, case=rights.case_of(task, person), item_id=task.item_id
    )
    queue = live.of(task.queue.slug)
    suggested = suggest.suggestion(task.item, task.item.policy, queue.spec)
    sight = redact.for_person(task.item, standing=stands, user=person, spec=queue.spec)
    shown = suggested if sight.machine else ""
    is_told = task.purpose == Task.Purpose.APPEAL and sight.history  # upholding needs a reason too
    outcome = answers.check(answer, queue.spec, against="?" if is_told else shown)
    appeals.check(task, outcome)
    sealed = answers.commit(answer.note, task.item_id)
    at = log.now()
    claimed_at = _claimed_at(task)
    leases.leave(task, Task.State.DECIDED)
    decision = Decision.objects.create(
        queue=task.queue,
        item=task.item,
        task=task,
        round=task.round,
        purpose=task.purpose,
        queue_version_id=queue.version_id,
        person=person,
        outcome=outcome.key,
        reason=answer.reason,
        note=answer.note,
        note_digest=sealed,
        suggested=suggested,
        was_shown=bool(shown),
        # As it is read back, for the record's digests: a whole number of seconds would digest otherwise.
        active_seconds=None if answer.active_seconds is None else float(answer.active_seconds),
        claimed_at=claimed_at,
        at=at,
    )
    ruling = rule.from_decision(decision, item=task.item, outcome=outcome, spec=queue.spec)
    appeal = appeals.close(decision, ruling)
    leases.move(task, Move.Kind.DECIDED, person=person, at=at)
    escalation = quality.follow(decision, stands, queue)
    gold.follow(decision, stands, queue.spec)
    log.append(
        Event.Kind.DECISION_MADE,
        chain=task.queue_id,
        actor=person,
        at=at,
        item=task.item,
        reason=answer.reason,
        entry=_entry(decision, ruling) | ({"appeal": appeal.pk, "result": appeal.state} if appeal else {}),
        rows=(decision, ruling) if ruling else (decision,),
    )
    if escalation:
        quality.note_dispute(decision, escalation)
    onboarding.follow(decision, stands, queue.spec)
    return decision


def _claimed_at(task: Task) -> datetime:
    """Return when this lease began: claimed, or handed back by an undo."""
    with connection.cursor() as cursor:
        cursor.execute(BEGUN, [task.pk, task.lease])
        at: datetime = cursor.fetchone()[0]
        return at


def _entry(decision: Decision, ruling: Ruling | None) -> dict[str, object]:
    entry: dict[str, object] = {
        "task": decision.task_id,
        "round": decision.round,
        "purpose": decision.purpose,
        "outcome": decision.outcome,
        "suggested": decision.suggested,
        "was_shown": decision.was_shown,
    }
    if ruling:
        entry |= {"was": ruling.was, "is_override": ruling.is_override, "is_reversal": ruling.is_reversal}
    return entry
