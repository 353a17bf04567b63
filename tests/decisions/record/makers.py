"""Rows with the events that speak of them, as arrivals and decisions leave them."""

from typing import Any

from django.db import connection, transaction

from decisions.models import Body, Decision, Event, Intake, Item, Policy, Queue, Ruling, User
from decisions.record import digest, log
from tests.factories import NOON, make_task, make_user

SALT = b"0123456789abcdef"


@transaction.atomic
def arrive(queue: Queue, *names: str) -> list[Item]:
    """Store items as one intake call, with its list of digests and its event."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('decisions_intake', 'id'))")
        (intake_id,) = cursor.fetchone()
    items = [store(queue, intake_id, name) for name in names]
    listed = b"".join(digest.of_row(item)[:8] for item in Item.objects.filter(intake=intake_id).order_by("external_id"))
    intake = Intake.objects.create(
        id=intake_id,
        queue=queue,
        sender=make_user(),
        app_version="test",
        accepted=len(items),
        duplicates=0,
        rejected=0,
        digests=listed,
        at=NOON,
    )
    log.append(Event.Kind.ITEMS_ARRIVED, chain=queue.pk, actor=intake.sender, at=NOON, rows=(intake,))
    return items


def store(queue: Queue, intake_id: int, name: str) -> Item:
    """Store one item with its body."""
    assert queue.version is not None
    policy = Policy.objects.live().get(queue=queue)
    content = digest.canonical({"payload": {"text": f"hello from {name}"}})
    item = Item.objects.create(
        queue=queue,
        intake_id=intake_id,
        queue_version=queue.version,
        policy=policy,
        model=policy.model,
        external_id=name,
        arrived_at=NOON,
        body_digest=digest.commitment(SALT, content),
        score=0.6,
        p=0.6,
        rung="sent",
        band="soft",
        route="soft",
        reason="score",
        propensity=1.0,
        u=0.123456789012345678,
        u_secret=1,
    )
    Body.objects.create(item=item, content=content.decode(), salt=SALT)
    return item


def decide(item: Item, *, person: User | None = None, note: str = "I know him", **fields: Any) -> Ruling:
    """Store a decision on an item, the ruling that follows and their event."""
    person = person or make_user("reviewer", item.queue)
    sealed = digest.commitment(SALT, note.encode()) if note else None
    task = make_task(item.queue, item, state="decided")
    common = {
        "queue": item.queue,
        "item": item,
        "person": person,
        "outcome": "spam",
        "reason": "content",
        "note": note,
        "note_digest": sealed,
        "at": NOON,
        **fields,
    }
    decision = Decision.objects.create(
        task=task, round=1, purpose="soft", queue_version=item.queue_version, claimed_at=NOON, **common
    )
    ruling = Ruling.objects.create(
        no=1,
        truth="positive",
        source="decision",
        decision=decision,
        final_at=NOON,
        was="ham",
        is_override=True,
        **common,
    )
    log.append(Event.Kind.DECISION_MADE, chain=item.queue_id, actor=person, at=NOON, item=item, rows=(decision, ruling))
    return ruling
