"""Which waiting task is next for a person, found and claimed in one statement whose cost does not grow.

Waiting tasks stand in the index by who may take them (rank, then what they ask), in the order of the queue within each
such pool. A claim looks at the head of each pool, leaves out those that are not for this person, and takes from the one
whose head is the most urgent: what nobody here may take is passed over a pool at a time, however much of it waits.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from decisions.models import Task
from decisions.record import guards
from decisions.rights.reach import POOL, RULE, SPOT, VALUES, Reach

SKIP_REST = timedelta(minutes=30)  # a skipped task does not come back to the same person for so long
FRESH = timedelta(minutes=10)  # so long after a decision, more of the same subject comes first
SAME = 50  # newest items of that subject that are looked at

# The heads of the pools that are for this person, and what waits for nobody else, each with its turn.
SOURCES = f"""
WITH RECURSIVE pool AS (
    (SELECT rank, needs, due_step, priority, id FROM decisions_task
     WHERE queue_id = {{queue}} AND state = 'waiting' AND only_for_id IS NULL
     ORDER BY rank, needs, due_step, priority, id LIMIT 1)
    UNION ALL
    SELECT head.* FROM pool CROSS JOIN LATERAL (
        SELECT rank, needs, due_step, priority, id FROM decisions_task
        WHERE queue_id = {{queue}} AND state = 'waiting' AND only_for_id IS NULL
        AND (rank, needs) > (pool.rank, pool.needs)
        ORDER BY rank, needs, due_step, priority, id LIMIT 1
    ) head
), source AS MATERIALIZED (
    SELECT 2 AS turn, NULL::bigint AS one, rank, needs, due_step, priority, id FROM pool decisions_task WHERE {POOL}
    UNION ALL
    SELECT CASE WHEN only_until IS NULL THEN 2 ELSE 0 END, id, rank, needs, due_step, priority, id FROM decisions_task
    WHERE queue_id = {{queue}} AND state = 'waiting' AND only_for_id = {{person}}
)"""  # noqa: S608 - put together from constants
# What was assigned to this person comes first. Then, unless something is due within the queue's next step, what waits
# of the subject that they decided last. Then all else in the order of the queue. Each source is asked in its turn, only
# until one gives a task; rows that others are claiming are passed over, rows out of reach are not locked.
CLAIM = f"""{SOURCES}, same AS (
    SELECT t.id, t.rank, t.needs, t.due_step, t.priority FROM (
        SELECT i.subject FROM decisions_decision d JOIN decisions_item i ON i.id = d.item_id
        WHERE d.person_id = {{person}} AND d.queue_id = {{queue}} AND d.at > clock_timestamp() - {{fresh}}
        ORDER BY d.at DESC LIMIT 1
    ) last CROSS JOIN LATERAL (
        SELECT s.id FROM decisions_item s
        WHERE s.queue_id = {{queue}} AND s.subject = last.subject AND s.subject <> ''
        ORDER BY s.id DESC LIMIT {SAME}
    ) of_subject JOIN decisions_task t ON t.item_id = of_subject.id
    WHERE t.state = 'waiting' AND t.only_for_id IS NULL
    AND (SELECT min(due_step) FROM source) > clock_timestamp() + {{step}}
), ordered AS MATERIALIZED (
    SELECT * FROM source UNION ALL SELECT 1, id, rank, needs, due_step, priority, id FROM same
    ORDER BY turn, due_step, priority, id
), picked AS MATERIALIZED (
    SELECT task.id FROM ordered CROSS JOIN LATERAL (
        SELECT id FROM (
            SELECT id FROM decisions_task
            WHERE ordered.one IS NULL AND queue_id = {{queue}} AND state = 'waiting' AND only_for_id IS NULL
            AND rank = ordered.rank AND needs = ordered.needs AND {RULE} AND {{rested}}
            ORDER BY due_step, priority, id LIMIT 1
            FOR UPDATE SKIP LOCKED
        ) of_pool
        UNION ALL
        SELECT id FROM (
            SELECT id FROM decisions_task WHERE id = ordered.one AND state = 'waiting' AND {RULE} AND {{rested}}
            FOR UPDATE SKIP LOCKED
        ) of_one
    ) task LIMIT 1
), claimed AS (
    UPDATE decisions_task t
    SET state = 'claimed', holder_id = {{person}}, lease = t.lease + 1, lease_until = clock_timestamp() + {{lasts}}
    FROM picked WHERE t.id = picked.id
    RETURNING t.*
), moved AS (
    INSERT INTO decisions_move (task_id, kind, person_id, lease, reason, at)
    SELECT id, 'claimed', holder_id, lease, '', clock_timestamp() FROM claimed
)
SELECT * FROM claimed"""  # noqa: S608 - the same
RESTED = """(skips = 0 OR (SELECT true FROM decisions_move s WHERE s.task_id = decisions_task.id AND s.kind = 'skipped'
 AND s.person_id = {person} AND s.at > clock_timestamp() - {rest} LIMIT 1) IS NULL)"""
WAITS = f"""{SOURCES}
SELECT EXISTS (
    SELECT FROM source CROSS JOIN LATERAL (
        SELECT id FROM (
            SELECT id FROM decisions_task
            WHERE source.one IS NULL AND queue_id = {{queue}} AND state = 'waiting' AND only_for_id IS NULL
            AND rank = source.rank AND needs = source.needs AND {RULE} LIMIT 1
        ) of_pool
        UNION ALL
        SELECT id FROM decisions_task WHERE id = source.one AND {RULE}
    ) task
)"""  # noqa: S608 - the same
PLACE = {"queue": "bigint"}
TIMES = {"lasts": "interval", "step": "interval", "fresh": "interval", "rest": "interval"}


def _function(name: str, answers: str, body: str, *, values: dict[str, str], how: str) -> str:
    """Return the text that makes a function of a statement: to plan it takes five times as long as to run it."""
    takes = ", ".join(f"_{value} {kind}" for value, kind in values.items())
    return f"""
    DROP FUNCTION IF EXISTS public.{name};
    CREATE FUNCTION public.{name}({takes}) RETURNS {answers}
    LANGUAGE plpgsql {how} SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
    BEGIN
        RETURN QUERY {SPOT.sub(lambda spot: "_" + spot[1], body)};
    END
    $$
    """


CLAIMING = _function(
    "decisions_claim",
    "SETOF public.decisions_task",
    CLAIM.replace("{rested}", RESTED),
    values=PLACE | TIMES | VALUES,
    how="VOLATILE",
)
WAITING = _function("decisions_waits", "SETOF boolean", WAITS, values=PLACE | VALUES, how="STABLE")


def _call(name: str, values: dict[str, str]) -> str:
    spots = ", ".join(f"%({value})s::{kind}" for value, kind in values.items())
    return f"SELECT * FROM {name}({spots})"  # noqa: S608 - the same


TAKE = _call("decisions_claim", PLACE | TIMES | VALUES)
ASK = _call("decisions_waits", PLACE | VALUES)


@dataclass(frozen=True)
class Place:
    """Where a person looks for work: on which queue, how long a lease lasts there and how long its step is."""

    queue_id: int
    lease: timedelta
    step: timedelta


def claim(reach: Reach, place: Place) -> Task | None:
    """Claim the task that is next for the person whose reach this is, None where none waits for them."""
    if reach.values is None:
        return None
    return next(iter(Task.objects.raw(TAKE, values(reach, place))), None)


def values(reach: Reach, place: Place) -> dict[str, Any]:
    """Return the parameters of `TAKE`."""
    times = {"lasts": place.lease, "step": place.step, "fresh": FRESH, "rest": SKIP_REST}
    return {"queue": place.queue_id, **times, **(reach.values or {})}


def waits(reach: Reach, queue_id: int) -> bool:
    """Tell whether a task waits on a queue for the person whose reach this is."""
    if reach.values is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(ASK, {"queue": queue_id, **reach.values})
        return bool(cursor.fetchone()[0])


def make(connection: BaseDatabaseWrapper) -> None:
    """Make the functions that `claim` and `waits` ask; migrations call this, and each that changes the rule again."""
    guards.make_function(connection, "decisions_claim", CLAIMING)
    guards.make_function(connection, "decisions_waits", WAITING)
