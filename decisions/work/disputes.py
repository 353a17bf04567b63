"""Disagreements: those that wait for somebody to settle them, and how the last ones were settled.

Of one that waits nobody is told the answers: who settles it should know neither.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db.models import QuerySet

from decisions.models import Decision, Event, Item, Ruling, Task, User
from decisions.rights import Reach, Standing

LAST = 30


@dataclass(frozen=True)
class Settled:
    """Two answers that differed, and the ruling that settled it."""

    item: Item
    at: datetime
    first: Decision
    second: Decision
    ruling: Ruling


def waiting(queue_id: int) -> QuerySet[Task]:
    """Return the tasks by which disagreements of a queue are settled that nobody holds, the first due first."""
    found = Task.objects.waiting().filter(
        queue=queue_id,
        only_for=None,
        rank__gte=Task.Rank.EXPERT,  # so that the index of what waits is read for these alone
        purpose=Task.Purpose.ESCALATION,
        parent__purpose=Task.Purpose.SECOND,
    )
    return found.select_related("item").order_by("due_at", "pk")


def waiting_for(queue_id: int, stands: Standing, person: User) -> QuerySet[Task]:
    """Return those that a person may settle: not what they answered themselves."""
    return waiting(queue_id).filter(Reach.of(stands, person).condition)


def settled(queue_id: int) -> list[Settled]:
    """Return those of a queue's last disagreements that were settled, the newest first."""
    events = Event.objects.filter(chain=queue_id, kind=Event.Kind.ITEM_DISPUTED).order_by("-seq")[:LAST]
    said = [(event, orjson.loads(event.entry)) for event in events.select_related("item")]
    tasks = {pk for _event, entry in said for pk in (entry["first"], entry["task"])}
    rows = Decision.objects.filter(task__in=tasks).select_related("person").order_by("round")
    given = {row.task_id: row for row in rows}
    items = [event.item_id for event, _entry in said]
    rulings = Ruling.objects.filter(item__in=items, source=Ruling.Source.ADJUDICATION).select_related("person")
    ended = {row.item_id: row for row in rulings.order_by("no")}
    return [
        Settled(event.item, event.at, given[entry["first"]], given[entry["task"]], ended[event.item.pk])
        for event, entry in said
        if event.item and event.item.pk in ended
    ]
