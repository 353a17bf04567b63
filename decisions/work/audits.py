"""The audits of drawn passes: tasks that wait among the others so that nothing tells what they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from decisions.intake import tables
from decisions.measure import sla
from decisions.models import Body, Move, Ruling, Task
from decisions.queues import needs
from decisions.queues.live import Live
from decisions.queues.spec import Spec
from decisions.routing import sampling
from decisions.routing.sampling import Purpose

NOT_ASKED = ""  # what stands for the state of an audit that was not opened, for a person had ruled before
STATES = """
    SELECT d.frame_id, coalesce(t.state, %s), count(*) FROM decisions_draw d
    LEFT JOIN decisions_task t ON t.item_id = d.item_id AND t.purpose = 'audit'
    WHERE d.frame_id = ANY(%s) GROUP BY 1, 2
"""


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
    spec = queue.spec
    span = spec.sla_of(Task.Purpose.AUDIT)
    asked = _needs([one.item_id for one in due], spec)
    ends, steps = sla.due(spec, span, at), sla.spread(spec, span, at, lots)
    tasks = Task.objects.bulk_create(
        Task(opened_at=at, due_at=ends, due_step=step, needs=asked.get(one.item_id, ""), **_audit(one, queue, lot))
        for one, lot, step in zip(due, lots, steps, strict=True)
    )
    Move.objects.bulk_create(Move(task=task, kind=Move.Kind.OPENED, at=at) for task in tasks)
    return len(tasks)


def states(frame_ids: Sequence[int]) -> dict[int, Counter[str]]:
    """Return by frame in which states its audits are; the cost follows the number of their draws."""
    found: dict[int, Counter[str]] = {pk: Counter() for pk in frame_ids}
    with connection.cursor() as cursor:
        cursor.execute(STATES, [NOT_ASKED, list(frame_ids)])
        for frame_id, state, count in cursor.fetchall():
            found[frame_id][state] = count
    return found


def _ruled(drawn: Sequence[Drawn]) -> set[int]:
    """Return the items on which a person's ruling holds: the answer is there, and an audit would replace it."""
    last = Ruling.objects.filter(item__in=[one.item_id for one in drawn]).order_by("item", "-no").distinct("item")
    rows = last.values_list("item", "outcome", "truth", "source")
    return {item for item, outcome, truth, source in rows if outcome and truth != "none" and source != "expiry"}


def _needs(item_ids: Sequence[int], spec: Spec) -> dict[int, str]:
    """Return what items ask of a person; what was erased asks nothing."""
    if not spec.needs and not spec.sensitive:
        return {}
    bodies = Body.objects.filter(item__in=item_ids, content__isnull=False).values_list("item", "content")
    return {item: needs.of(orjson.loads(content or "{}").get("payload", {}), spec) for item, content in bodies}


def _audit(one: Drawn, queue: Live, lot: float) -> dict[str, Any]:
    return {
        "queue_id": queue.queue_id,
        "item_id": one.item_id,
        "purpose": Task.Purpose.AUDIT,
        "rank": needs.rank(Task.Purpose.AUDIT, one.value, queue.spec),
        "value": one.value,
        "is_demo": one.source == tables.DEMO,
        "priority": tables.priority(lot, one.value, queue.spec.order),
    }
