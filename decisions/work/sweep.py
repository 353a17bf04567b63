"""What time does to tasks: leases run out, deadlines pass. Each batch is a transaction; two sweepers are fine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from decisions.models import Event, Move, Queue, Ruling, Task
from decisions.queues import live
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.work import expiry
from decisions.work import lease as leases
from decisions.work import rule as rulings
from decisions.work.expiry import Rule
from decisions.work.why import Expiry as Word

Rules = Mapping[Task.Purpose, Rule]

LEASES = 1_000  # a batch
TASKS = 100

LAPSE = """
WITH gone AS MATERIALIZED (
    SELECT id, holder_id FROM decisions_task
    WHERE state IN ('claimed', 'held') AND lease_until <= %s
    ORDER BY lease_until LIMIT %s
    FOR UPDATE SKIP LOCKED
), lapsed AS (
    UPDATE decisions_task t SET state = 'waiting', holder_id = NULL, lease_until = NULL, lease = t.lease + 1
    FROM gone WHERE t.id = gone.id
    RETURNING t.id, t.lease, gone.holder_id
)
INSERT INTO decisions_move (task_id, kind, person_id, lease, reason, at)
SELECT id, 'lapsed', holder_id, lease, '', %s FROM lapsed
"""
# What was kept for somebody and is everybody's again.
FREE = """
WITH over AS MATERIALIZED (
    SELECT id, only_for_id FROM decisions_task WHERE state = 'waiting' AND only_until <= %s
    ORDER BY only_until LIMIT %s
    FOR UPDATE SKIP LOCKED
), freed AS (
    UPDATE decisions_task t SET only_for_id = NULL, only_until = NULL
    FROM over WHERE t.id = over.id
    RETURNING t.id, t.lease, over.only_for_id
)
INSERT INTO decisions_move (task_id, kind, person_id, lease, reason, at)
SELECT id, 'returned', only_for_id, lease, 'time', %s FROM freed
"""


@dataclass(frozen=True)
class Expired:
    """A task that ran out of time, and what came of it."""

    task: Task
    rule: Rule
    ruling: Ruling | None = None
    escalation: Task | None = None


def lapse(at: datetime) -> int:
    """Put tasks back whose lease or hold is over; returns how many. The lease grows, so who had them is fenced off."""
    return _batches(LAPSE, at)


def free(at: datetime) -> int:
    """Give back to all what was assigned to a person who did not take it in time; returns how many tasks."""
    return _batches(FREE, at)


def _batches(statement: str, at: datetime) -> int:
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [at, LEASES, at])
            count: int = cursor.rowcount
        total += count
        if count < LEASES:
            return total


def expire(at: datetime) -> int:
    """Close tasks past their deadline; returns how many.

    Each purpose follows its rule (`expiry.rules`): an item is passed, acted on, left to a lead or waits on, so that
    none is left without an end; an audit or a second opinion ends without an answer or goes to a lead, for something
    holds already. Work in progress is left alone.
    """
    return sum(_expire_queue(slug, at) for slug in Queue.objects.exclude(version=None).values_list("slug", flat=True))


def _expire_queue(slug: str, at: datetime) -> int:
    spec = live.of(slug).spec
    rules = expiry.rules(spec)
    total = 0
    while True:
        count = _expire_batch(slug, spec, rules, at)
        total += count
        if count < TASKS:
            return total


@transaction.atomic
def _expire_batch(slug: str, spec: Spec, rules: Rules, at: datetime) -> int:
    overdue = Task.objects.filter(
        Q(state__in=(Task.State.WAITING, Task.State.HELD)) | Q(state=Task.State.CLAIMED, lease_until__lte=at),
        queue__slug=slug,
        purpose__in=list(rules),
        due_at__lte=at,
    )
    tasks = list(
        overdue.select_for_update(of=("self",), skip_locked=True)
        .select_related("item__policy", "queue")
        .order_by("due_at", "id")[:TASKS]
    )
    # The events last, all together: a delivery that holds an action may be waiting for the chain.
    for expired in [_expire(task, spec, rules[Task.Purpose(task.purpose)], at) for task in tasks]:
        _note(expired, at)
    return len(tasks)


def _expire(task: Task, spec: Spec, rule: Rule, at: datetime) -> Expired:
    leases.leave(task, Task.State.EXPIRED)
    leases.move(task, Move.Kind.EXPIRED, person=None, at=at, reason=rule.word)
    if rule.word == Word.ESCALATE:
        return Expired(task, rule, escalation=_escalated(task, spec, at))
    if rule.outcome is None:
        return Expired(task, rule)
    task.item.queue = task.queue
    return Expired(task, rule, ruling=rulings.from_expiry(task, outcome=rule.outcome, spec=spec, at=at))


def _escalated(task: Task, spec: Spec, at: datetime) -> Task:
    """Return the task by which a lead answers: the one that waits already, else a new one with time of its own."""
    waiting = Task.objects.open().filter(item=task.item_id, purpose=Task.Purpose.ESCALATION).first()
    return waiting or leases.open_escalation(task, spec, at, is_late=True)


def _note(expired: Expired, at: datetime) -> None:
    task, ruling, escalation = expired.task, expired.ruling, expired.escalation
    log.append(
        Event.Kind.TASK_EXPIRED,
        chain=task.queue_id,
        actor=None,
        at=at,
        item=task.item,
        reason=expired.rule.word,
        entry={
            "task": task.pk,
            "purpose": task.purpose,
            "outcome": ruling.outcome if ruling else "",
            **({"escalation": escalation.pk} if escalation else {}),
        },
        rows=(ruling,) if ruling else (),
    )
