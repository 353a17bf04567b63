"""Hourly figures and the state of the backlog, written ahead so that pages cost the same at any size of history."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from decisions import locks
from decisions.measure import spread
from decisions.models import Queue, Rollup

HOUR = timedelta(hours=1)
OVERLAP = HOUR  # hours are counted again this far back: no transaction stays open that long
SLOT = 300  # seconds; a person who decided within a slot worked it

# The segment last: it may hold a colon.
BANDED = "policy_id || ':' || coalesce(model_id, 0) || ':' || band || ':' || route || ':' || reason"
SEGMENTED = f"{BANDED} || ':' || segment"

# What ran out of time, by the rule that ended it; what was decided, by whether that was within its deadline.
EXPIRED = """(
    SELECT t.queue_id, t.purpose, m.reason, m.at FROM decisions_move m JOIN decisions_task t ON t.id = m.task_id
    WHERE m.kind = 'expired') gone"""
FAILED = """(
    SELECT queue_id, unnest(failures) AS code, arrived_at FROM decisions_item
    WHERE reason <> 'imported' AND failures <> '{}') failed"""
ANSWERED = """(
    SELECT d.queue_id, d.purpose, CASE WHEN d.at <= t.due_at THEN 'met' ELSE 'late' END AS is_met, d.at
    FROM decisions_decision d JOIN decisions_task t ON t.id = d.task_id) told"""

OURS = "(SELECT * FROM decisions_item WHERE reason <> 'imported') item"  # what an earlier tool routed counts apart

# figure -> (key, value, table, time): counted per queue and hour
HOURLY = {
    "banded": (BANDED, "count(*)", OURS, "arrived_at"),
    "segmented": (SEGMENTED, "count(*)", OURS, "arrived_at"),
    "arrivals": ("route", "count(*)", OURS, "arrived_at"),
    "routed": ("policy_id || ':' || route", "count(*)", OURS, "arrived_at"),
    "rungs": ("rung || ':' || reason", "count(*)", OURS, "arrived_at"),
    "failures": ("code", "count(*)", FAILED, "arrived_at"),
    "remembered": ("''", "coalesce(sum((counts ->> 'remembered')::bigint), 0)", "decisions_intake", "at"),
    "decisions": ("purpose", "count(*)", "decisions_decision", "at"),
    "overrides": ("source", "count(*) FILTER (WHERE is_override)", "decisions_ruling", "at"),
    "worked": (
        "''",
        f"count(DISTINCT (person_id, floor(extract(epoch FROM at) / {SLOT}))) * {SLOT} / 3600.0",
        "decisions_decision",
        "at",
    ),
    # LEAST passes over NULL: without the filter a decision without active time would count a whole hour.
    "handling": (
        "purpose",
        "coalesce(sum(least(active_seconds, 3600)) FILTER (WHERE active_seconds IS NOT NULL), 0)",
        "decisions_decision",
        "at",
    ),
    "timed": ("purpose", "count(active_seconds)", "decisions_decision", "at"),
    "handled": (
        f"purpose || ':' || {spread.sql('least(active_seconds, 3600)')}",
        "count(*)",
        "(SELECT * FROM decisions_decision WHERE active_seconds IS NOT NULL) timed",
        "at",
    ),
    "expired": ("purpose || ':' || reason", "count(*)", EXPIRED, "at"),
    "answered": ("purpose || ':' || is_met", "count(*)", ANSWERED, "at"),
}
COUNT = """
INSERT INTO decisions_rollup (queue_id, figure, key, at, value, made_at)
SELECT %(queue)s, %(figure)s, {key}, date_trunc('hour', {time}, 'UTC'), {value}, %(at)s
FROM {table} WHERE queue_id = %(queue)s AND {time} >= %(start)s AND {time} < %(end)s
GROUP BY 3, 4
ON CONFLICT (queue_id, figure, at, key) DO UPDATE SET value = EXCLUDED.value, made_at = EXCLUDED.made_at
"""

# What opened and closed tasks, in all queues at once: moves have no queue of their own, and one pass over the newest
# of them serves all.
FLOWS = ("opened", "reopened", "decided", "escalated", "expired", "cancelled")
FLOW = """
INSERT INTO decisions_rollup (queue_id, figure, key, at, value, made_at)
SELECT t.queue_id, 'flow', t.purpose || ':' || m.kind, date_trunc('hour', m.at, 'UTC'), count(*), %(at)s
FROM decisions_move m JOIN decisions_task t ON t.id = m.task_id
WHERE m.at >= %(start)s AND m.at < %(at)s AND m.kind = ANY(%(kinds)s)
GROUP BY 1, 3, 4
ON CONFLICT (queue_id, figure, at, key) DO UPDATE SET value = EXCLUDED.value, made_at = EXCLUDED.made_at
"""

LATE, LATER = "late", "later"  # the places of deadlines that are over, or too far ahead; the others are ends of hours
AGES = (("1h", HOUR), ("4h", HOUR * 4), ("1d", HOUR * 24), ("3d", HOUR * 72))
OLDER = "older"
BACKLOG = """
INSERT INTO decisions_rollup (queue_id, figure, key, at, value, made_at)
SELECT %(queue)s, 'backlog', purpose || ':' || state || ':' || CASE
    WHEN opened_at > %(at)s - interval '1 hour' THEN '1h'
    WHEN opened_at > %(at)s - interval '4 hours' THEN '4h'
    WHEN opened_at > %(at)s - interval '24 hours' THEN '1d'
    WHEN opened_at > %(at)s - interval '72 hours' THEN '3d'
    ELSE 'older' END AS band, %(slot)s, count(*), %(at)s
FROM decisions_task WHERE queue_id = %(queue)s AND state IN ('waiting', 'claimed', 'held')
GROUP BY 3
UNION ALL
SELECT %(queue)s, 'overdue', '', %(slot)s, count(*), %(at)s
FROM decisions_task WHERE queue_id = %(queue)s AND state IN ('waiting', 'claimed', 'held') AND due_at < %(at)s
UNION ALL
SELECT %(queue)s, 'age', purpose, %(slot)s, sum(extract(epoch FROM %(at)s - opened_at)), %(at)s
FROM decisions_task WHERE queue_id = %(queue)s AND state IN ('waiting', 'claimed', 'held') GROUP BY 3
UNION ALL
SELECT %(queue)s, 'aged', purpose || ':' || {bin}, %(slot)s, count(*), %(at)s
FROM decisions_task WHERE queue_id = %(queue)s AND state IN ('waiting', 'claimed', 'held') GROUP BY 3
UNION ALL
SELECT %(queue)s, 'due', purpose || ':' || CASE WHEN due_at < %(at)s THEN 'late'
    WHEN due_at >= %(at)s + interval '14 days' THEN 'later'
    ELSE (extract(epoch FROM date_trunc('hour', due_at, 'UTC')) + 3600)::bigint::text END, %(slot)s, count(*), %(at)s
FROM decisions_task WHERE queue_id = %(queue)s AND state IN ('waiting', 'claimed', 'held') GROUP BY 3
UNION ALL
SELECT %(queue)s, 'counted', '', %(slot)s, 1, %(at)s
""".replace("{bin}", spread.sql("extract(epoch FROM %(at)s - opened_at)"))
STANDS = (
    "backlog",
    "overdue",
    "age",
    "aged",
    "due",
    "counted",
)  # what is true at the time of counting, not of the hour


def roll_up(at: datetime) -> int:
    """Bring every queue's figures up to `at`; returns how many queues were counted. Repeating it changes nothing."""
    queue_ids = list(Queue.objects.values_list("pk", flat=True))
    _roll_up_flows(queue_ids, at)
    return sum(_roll_up_queue(queue_id, at) for queue_id in queue_ids)


@transaction.atomic
def _roll_up_flows(queue_ids: list[int], at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [locks.ROLL_UP])
        if cursor.fetchone()[0] and queue_ids:
            start = min(_start(queue_id, at) for queue_id in queue_ids)
            cursor.execute(FLOW, {"start": start, "at": at, "kinds": list(FLOWS)})


@transaction.atomic
def _roll_up_queue(queue_id: int, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [locks.ROLL_UP, queue_id])
        if not cursor.fetchone()[0]:
            return False
        start = _start(queue_id, at)
        hours: dict[str, int | datetime] = {"queue": queue_id, "at": at, "start": start, "end": at}
        for figure, (key, value, table, time) in HOURLY.items():
            asked = {**hours, "figure": figure, "start": _begin(queue_id, figure, start)}
            cursor.execute(COUNT.format(key=key, value=value, table=table, time=time), asked)
        slot = at.replace(minute=0, second=0, microsecond=0)
        Rollup.objects.filter(queue=queue_id, figure__in=STANDS, at=slot).delete()
        Rollup.objects.filter(queue=queue_id, figure="due").delete()  # only the newest is ever asked for
        cursor.execute(BACKLOG, {"queue": queue_id, "at": at, "slot": slot})
    return True


def _begin(queue_id: int, figure: str, start: datetime) -> datetime:
    """Return the hour from which to count a figure: the queue's beginning where items were counted before it was."""
    if figure not in ("banded", "segmented", "rungs"):
        return start
    rows = Rollup.objects.filter(queue=queue_id)
    is_new = not rows.filter(figure=figure).exists() and rows.filter(figure="arrivals").exists()
    return _birth(queue_id) if is_new else start


def _start(queue_id: int, at: datetime) -> datetime:
    """Return the hour from which to count: a little before the last one counted, or the queue's beginning."""
    last = (
        Rollup.objects.filter(queue=queue_id, figure="counted", at__lte=at)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    if last is None:
        return _birth(queue_id)
    return last - OVERLAP


def _birth(queue_id: int) -> datetime:
    """Return the hour in which the queue was made."""
    made: datetime = Queue.objects.values_list("created_at", flat=True).get(pk=queue_id)
    return made.replace(minute=0, second=0, microsecond=0)
