"""What the calls of the API answer with, made from rows; what may be seen is for `decisions.redact` to say."""

from collections.abc import Sequence
from typing import Any

from decisions import redact, rights
from decisions.exceptions import NotFound
from decisions.models import Appeal, Decision, Item, PendingOverride, Queue, Ruling, Task, User
from decisions.queues.live import Live
from decisions.redact import Sight
from decisions.work.alike import Alike


def tasks(claimed: Sequence[Task], *, queue: Live, person: User) -> list[dict[str, Any]]:
    """Return the tasks that a person just took, with what they may see of the items."""
    stands = rights.standing(person, queue.queue_id)
    if stands is None:
        raise NotFound
    for task in claimed:
        task.item.queue = Queue(pk=queue.queue_id, slug=queue.slug)  # all that is read of it, without a query
    sights = redact.for_many([task.item_id for task in claimed], standing=stands, user=person, spec=queue.spec)
    return [
        {
            "id": task.pk,
            "lease": task.lease,
            "lease_until": task.lease_until,
            "purpose": redact.purpose(task, sights[task.item_id]),
            "round": task.round,
            **({"due_at": task.due_at} if sights[task.item_id].history else {}),
            "item": redact.item(task.item, sights[task.item_id], spec=queue.spec),
        }
        for task in claimed
    ]


def alike(one: Alike) -> dict[str, Any]:
    """Return a similar item that people decided."""
    return {name: getattr(one, name) for name in ("id", "external_id", "outcome", "at", "is_simulated")}


def step(task: Task) -> dict[str, Any]:
    """Return where a task stands after a step of it."""
    return {
        "id": task.pk,
        "state": task.state,
        "round": task.round,
        "lease": task.lease,
        "lease_until": task.lease_until,
    }


def own_decision(made: Decision) -> dict[str, Any]:
    """Return one's own decision."""
    return {
        "id": made.pk,
        "item": made.item_id,
        "task": made.task_id,
        "round": made.round,
        "outcome": made.outcome,
        "reason": made.reason,
        "at": made.at,
    }


def own_ruling(made: Ruling | None) -> dict[str, Any] | None:
    """Return one's own ruling. What the machine said, or others, is not in it: one may still be blind to that."""
    if made is None:
        return None
    return {
        "id": made.pk,
        "item": made.item_id,
        "no": made.no,
        "outcome": made.outcome,
        "source": made.source,
        "at": made.at,
        "final_at": made.final_at,
    }


def appeal(row: Appeal, sight: Sight) -> dict[str, Any] | None:
    """Return an appeal, None where it is hidden."""
    seen = redact.appeal(row, sight)
    return seen and {
        **seen,
        "external_id": row.item.external_id,
        "outcome": row.decision.outcome if row.decision else None,
        "reason": row.decision.reason if row.decision else None,
    }


def own_pending(made: PendingOverride) -> dict[str, Any]:
    """Return an override that one asked for or answered oneself."""
    return pending(made, Sight(machine=True, history=True, personal=True), user=made.person) or {}


def pending(row: PendingOverride, sight: Sight, *, user: User) -> dict[str, Any] | None:
    """Return an override that waits for a second person, None where it is hidden."""
    seen = redact.pending(row, sight, user=user)
    return seen and {
        **seen,
        "external_id": row.item.external_id,
        "person_name": str(row.person),
        "closer_name": str(row.closer) if row.closer else None,
    }


def ruling(row: Ruling, sight: Sight, *, user: User) -> dict[str, Any] | None:
    """Return a ruling for who browses the record, None where it is hidden from them."""
    seen = redact.ruling(row, sight, user=user)
    return seen and {
        **seen,
        "external_id": row.item.external_id,
        "person_name": str(row.person) if row.person else None,
        **(_versions(row.item) if sight.machine else {}),
    }


def _versions(item: Item) -> dict[str, Any]:
    return {"policy_version": item.policy.no, "model_version": item.model.name if item.model else None}
