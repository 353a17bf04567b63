"""What closing a frame costs: 2,000 audits out of a million passes, beside the smallest thing that must be read."""

import time
from datetime import datetime, timedelta
from statistics import median

from django.db import connection, transaction

from decisions.models import Draw, Item, Queue, Task
from decisions.queues.spec import PolicySpec
from decisions.routing import frames
from tests import databases
from tests.bench.promises import Promise
from tests.decisions.measure import crowd
from tests.factories import NOON, make_item, make_queue

PASSES, BUDGET = 1_000_000, 2_000
CLOSINGS = 5
MOST = 2.0  # seconds
OWN = ("id", "external_id", "arrived_at", "p", "u", "q")
COPIES = """
INSERT INTO decisions_item ({names}, external_id, arrived_at, p, u, q)
SELECT {names}, 'pass-' || made.n, arrived_at + made.n * interval '40 ms', made.p, made.u, sqrt(0.75 * made.p + 0.0025)
FROM decisions_item CROSS JOIN (
    SELECT n, 0.2 * random() ^ 4 AS p, random() AS u FROM generate_series(1, %s) n
) made WHERE decisions_item.id = %s
"""


class Again(Exception):  # noqa: N818 - not an error: the closing is taken back to be measured again
    """Takes a closing back."""


def measure() -> list[Promise]:
    """Let a million items pass in half a day and close its frame several times, each time anew."""
    with databases.template("frames"):
        policy = PolicySpec(hard=0.9, soft=0.3, suggest=0.5, control_share=0.0, objective="Bench", audit_budget=BUDGET)
        queue = make_queue(policy=policy)
        fill(queue)
        crowd.analyze()
        spent = median(_closed(queue, NOON + timedelta(hours=12)) for _ in range(CLOSINGS))
        return [Promise(f"{BUDGET:,} audits of {PASSES:,} passes: seconds", CLOSINGS, spent, at_most=MOST)]


def fill(queue: Queue) -> None:
    """Copy one pass a million times, each with a probability and a lot of its own."""
    item = make_item(
        queue, arrived_at=NOON, route=Item.Route.PASS, band=Item.Band.PASS, propensity=None, score=0.01, p=0.01, q=0.2
    )
    names = ", ".join(str(f.column) for f in Item._meta.concrete_fields if f.column not in OWN)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(COPIES.format(names=names), [PASSES - 1, item.pk])


def _closed(queue: Queue, end: datetime) -> float:
    """Return the seconds in which the frame closed, its draws and tasks included, and take it back."""
    began = time.perf_counter()
    spent = 0.0
    try:
        with transaction.atomic():
            frame = frames.close(queue.pk, end, blind=())
            spent = time.perf_counter() - began
            assert (frame.passes, frame.drawn) == (PASSES, Draw.objects.count())
            assert Task.objects.count() == frame.drawn == BUDGET
            raise Again
    except Again:
        return spent
