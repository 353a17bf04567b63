"""The audits of drawn passes: tasks that wait among the others so that nothing tells what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from decisions.intake import tables
from decisions.models import Move, Ruling, Task
from decisions.queues.live import Live
from decisions.routing import sampling
from decisions.routing.sampling import Purpose


@dataclass(frozen=True)
class Drawn:
    """A drawn pass: what its audit needs, and its inclusion probability `pi`."""

    item_id: int
    external_id: str
    source: str
    value: float | None
    u_secret: int
    pi: float


def open_for(drawn: Sequence[Drawn], queue: Live, at: datetime) -> int:
    """Open an audit for each drawn pass but those on which a person ruled before; return how many.

    They are spread by lot over the time in which the queue's other tasks of that moment are due, so a place at the
    front tells them from the control group no more than their score would.
    """
    ruled = _ruled(drawn)
    due = [one for one in drawn if one.item_id not in ruled]
    lots = sampling.lots(queue.slug, [one.external_id for one in due], Purpose.PLACE)
    tasks = Task.objects.bulk_create(_audit(one, queue, at, lot) for one, lot in zip(due, lots, strict=True))
    Move.objects.bulk_create(Move(task=task, kind=Move.Kind.OPENED, at=at) for task in tasks)
    return len(tasks)


def _ruled(drawn: Sequence[Drawn]) -> set[int]:
    """Return the items on which a person's ruling holds: the answer is there, and an audit would replace it."""
    last = Ruling.objects.filter(item__in=[one.item_id for one in drawn]).order_by("item", "-no").distinct("item")
    rows = last.values_list("item", "outcome", "truth", "source")
    return {item for item, outcome, truth, source in rows if outcome and truth != "none" and source != "expiry"}


def _audit(one: Drawn, queue: Live, at: datetime, lot: float) -> Task:
    spec = queue.spec
    return Task(
        queue_id=queue.queue_id,
        item_id=one.item_id,
        purpose=Task.Purpose.AUDIT,
        value=one.value,
        is_demo=one.source == tables.DEMO,
        opened_at=at,
        due_at=at + spec.sla,
        due_step=tables.rounded_up(at + spec.sla * lot, spec.sla_step),
        priority=tables.priority(lot, one.value, spec.order),
    )
