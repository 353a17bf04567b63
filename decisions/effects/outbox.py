"""Actions: rows written with what causes them, and withdrawn or superseded while nobody was told."""

from datetime import datetime

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Greatest

from decisions import identity
from decisions.models import Action, Appeal, Item, Ruling
from decisions.record import digest


def allocate(count: int) -> list[int]:
    """Return `count` fresh ids of actions, for those that name their id in their own body."""
    return identity.allocate(Action, count)


def body(
    *,
    action_id: int,
    name: str,
    queue: str,
    item_id: int,
    external_id: str,
    outcome: str,
    cause: str,
    at: datetime,
    ruling_id: int | None = None,
    ruling_no: int = 0,
) -> bytes:
    """Return the JSON that tells of an action: `type`, `timestamp` and `data`, as Standard Webhooks recommends.

    `cause` is the route that the machine chose or the source of the ruling. `ruling_no` is 0 for the machine and grows
    with each ruling: a receiver that is told out of order keeps the highest one of an item.
    """
    return digest.canonical(
        {
            "type": f"action.{name}",
            "timestamp": at,
            "data": {
                "action": {"id": action_id, "name": name},
                "queue": queue,
                "item": {"id": item_id, "external_id": external_id},
                "outcome": outcome or None,
                "cause": cause,
                "ruling": ruling_id,
                "ruling_no": ruling_no,
            },
        }
    )


def plan(*, ruling: Ruling, outcome_action: str) -> Action | None:
    """Store the action that a ruling's outcome names, due when its undo window ends; none where it names none."""
    if not outcome_action:
        return None
    (action_id,) = allocate(1)
    told = body(
        action_id=action_id,
        name=outcome_action,
        queue=ruling.queue.slug,
        item_id=ruling.item_id,
        external_id=ruling.item.external_id,
        outcome=ruling.outcome,
        cause=ruling.source,
        at=ruling.at,
        ruling_id=ruling.pk,
        ruling_no=ruling.no,
    )
    return Action.objects.create(
        id=action_id,
        queue_id=ruling.queue_id,
        item_id=ruling.item_id,
        ruling=ruling,
        name=outcome_action,
        body=told,
        due_at=ruling.final_at,
        next_at=ruling.final_at,
        created_at=ruling.at,
    )


def plan_appeal(*, ruling: Ruling, appeal: Appeal, result: str) -> Action:
    """Store what calls back how an appeal ended, due with the ruling's own action. `result`: upheld, overturned."""
    (action_id,) = allocate(1)
    name = f"appeal.{result}"
    told = digest.canonical(
        {
            "type": name,
            "timestamp": ruling.at,
            "data": {
                "appeal": {"id": appeal.pk, "reference": appeal.reference or None},
                "queue": ruling.queue.slug,
                "item": {"id": ruling.item_id, "external_id": ruling.item.external_id},
                "was": appeal.held,
                "outcome": ruling.outcome,
                "reason": ruling.reason or None,
                "ruling": ruling.pk,
                "ruling_no": ruling.no,
            },
        }
    )
    return Action.objects.create(
        id=action_id,
        queue_id=ruling.queue_id,
        item_id=ruling.item_id,
        ruling=ruling,
        appeal=appeal,
        name=name,
        body=told,
        due_at=ruling.final_at,
        next_at=ruling.final_at,
        created_at=ruling.at,
    )


def withdraw(ruling: Ruling, at: datetime) -> bool:
    """Cancel the ruling's action, and let go on what that ruling had superseded; False where it is too late.

    True also where the ruling caused no action. The row decides: one that a sender has taken has an attempt.
    """
    cancelled = (
        Action.objects.pending().filter(ruling=ruling, due_at__gt=at, attempts=0).update(state=Action.State.CANCELLED)
    )
    if not cancelled and Action.objects.filter(ruling=ruling).exclude(state=Action.State.CANCELLED).exists():
        return False
    let_go = Action.objects.filter(item_id=ruling.item_id, ruling=_held_before(ruling), state=Action.State.CANCELLED)
    let_go.exclude(body=None).update(state=Action.State.PENDING, next_at=Greatest(F("due_at"), Value(at)))
    return True


def supersede(*, item: Item) -> list[int]:
    """Cancel an item's actions that are not delivered yet, for something else holds now; return their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE decisions_action SET state = %s WHERE item_id = %s AND state = %s"
            " AND appeal_id IS NULL RETURNING id",
            [Action.State.CANCELLED, item.pk, Action.State.PENDING],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _held_before(ruling: Ruling) -> Ruling | None:
    """Return the ruling that held before this one, None for the machine; an undo gives back what held before that."""
    before = ruling.replaces
    while before is not None and before.source == Ruling.Source.UNDO:
        undone = before.replaces
        before = undone.replaces if undone else None
    return before
