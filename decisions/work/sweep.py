"""What time does to tasks: leases run out, deadlines pass. Each batch is a transaction; two sweepers are fine."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from decisions.models import Event, Move, Queue, Ruling, Task
from decisions.queues import live
from decisions.queues.spec import Outcome, Spec
from decisions.record import log
from decisions.work import lease as leases
from decisions.work import rule

LEASES = 1_000  # a batch
TASKS = 100
MEASURING = (Task.Purpose.AUDIT, Task.Purpose.SECOND, Task.Purpose.GOLD)  # what may end without an answer

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


def lapse(at: datetime) -> int:
    """Put tasks back whose lease or hold is over; returns how many. The lease grows, so who had them is fenced off."""
    total = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LAPSE, [at, LEASES, at])
            count: int = cursor.rowcount
        total += count
        if count < LEASES:
            return total


def expire(at: datetime) -> int:
    """Close tasks past their deadline; returns how many.

    Soft and control items fall to the spec's `expire_to`, and wait on where it names none, so that no item is left
    without an end. An audit is closed without a ruling, for its item was passed, and so are a second opinion, for the
    first one holds, and a gold task, which only measures. Work in progress is left alone.
    """
    return sum(_expire_queue(slug, at) for slug in Queue.objects.exclude(version=None).values_list("slug", flat=True))


def _expire_queue(slug: str, at: datetime) -> int:
    spec = live.of(slug).spec
    outcome = spec.outcome(spec.expire_to)
    total = 0
    while True:
        count = _expire_batch(slug, spec, outcome, at)
        total += count
        if count < TASKS:
            return total


@transaction.atomic
def _expire_batch(slug: str, spec: Spec, outcome: Outcome | None, at: datetime) -> int:
    purposes = [*MEASURING, *([Task.Purpose.SOFT, Task.Purpose.CONTROL] if outcome else [])]
    overdue = Task.objects.filter(
        Q(state__in=(Task.State.WAITING, Task.State.HELD)) | Q(state=Task.State.CLAIMED, lease_until__lte=at),
        queue__slug=slug,
        purpose__in=purposes,
        due_at__lte=at,
    )
    tasks = list(
        overdue.select_for_update(of=("self",), skip_locked=True)
        .select_related("item__policy", "queue")
        .order_by("due_at", "id")[:TASKS]
    )
    # The events last, all together: a delivery that holds an action may be waiting for the chain.
    expired = [(task, _expire(task, spec, outcome, at)) for task in tasks]
    for task, ruling in expired:
        _note(task, ruling, at)
    return len(tasks)


def _expire(task: Task, spec: Spec, outcome: Outcome | None, at: datetime) -> Ruling | None:
    leases.leave(task, Task.State.EXPIRED)
    leases.move(task, Move.Kind.EXPIRED, person=None, at=at)
    if outcome is None or task.purpose in MEASURING:
        return None
    task.item.queue = task.queue
    return rule.from_expiry(task, outcome=outcome, spec=spec, at=at)


def _note(task: Task, ruling: Ruling | None, at: datetime) -> None:
    log.append(
        Event.Kind.TASK_EXPIRED,
        chain=task.queue_id,
        actor=None,
        at=at,
        item=task.item,
        entry={"task": task.pk, "purpose": task.purpose, "outcome": ruling.outcome if ruling else ""},
        rows=(ruling,) if ruling else (),
    )
