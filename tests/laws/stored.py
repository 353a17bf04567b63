"""What the database holds of one queue, as plain values that can be compared; read in one trip."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from decisions.models import Queue

# Of a task, what a move answers for; its deadlines and its lease's end move with the clock and with holds.
TASK = (
    *("item_id", "purpose", "state", "rank", "round", "holder_id", "lease", "skips"),
    *("only_for_id", "only_until", "parent_id"),
)

READ = """
SELECT json_build_object(
    'items', (SELECT json_agg(x) FROM (SELECT id, route, reason, value, intake_id FROM decisions_item
        WHERE queue_id = %(queue)s) x),
    'accepted', (SELECT coalesce(sum(accepted), 0) FROM decisions_intake WHERE queue_id = %(queue)s),
    'tasks', (SELECT json_agg(x) FROM (SELECT id, {task}, extract(epoch FROM due_at) AS due,
        extract(epoch FROM lease_until) AS until,
        extract(epoch FROM only_until) AS kept FROM decisions_task WHERE queue_id = %(queue)s) x),
    'moves', (SELECT json_agg(x) FROM (SELECT m.task_id, count(*) AS n FROM decisions_move m
        JOIN decisions_task t ON t.id = m.task_id WHERE t.queue_id = %(queue)s GROUP BY 1) x),
    'decisions', (SELECT json_agg(x) FROM (SELECT id, item_id, task_id, round, purpose, person_id, outcome
        FROM decisions_decision WHERE queue_id = %(queue)s) x),
    'rulings', (SELECT json_agg(x) FROM (SELECT id, item_id, no, outcome, source, decision_id, person_id, replaces_id
        FROM decisions_ruling WHERE queue_id = %(queue)s ORDER BY item_id, no) x),
    'actions', (SELECT json_agg(x) FROM (SELECT id, item_id, ruling_id, state
        FROM decisions_action WHERE queue_id = %(queue)s) x),
    'pending', (SELECT json_agg(p.ruling_id) FROM decisions_pendinglabel p
        JOIN decisions_ruling r ON r.id = p.ruling_id WHERE r.queue_id = %(queue)s),
    'labels', (SELECT json_agg(x) FROM (SELECT id, ruling_id, no FROM decisions_label WHERE queue_id = %(queue)s) x),
    'gold', (SELECT json_agg(id) FROM decisions_gold WHERE queue_id = %(queue)s),
    'asked', (SELECT json_agg(x) FROM (SELECT id, item_id, state, closer_id, ruling_id
        FROM decisions_pendingoverride WHERE queue_id = %(queue)s) x),
    'appeals', (SELECT json_agg(x) FROM (SELECT task_id AS id, item_id, state, decision_id
        FROM decisions_appeal WHERE queue_id = %(queue)s) x),
    'grades', (SELECT json_agg(id) FROM decisions_grade WHERE queue_id = %(queue)s),
    'intakes', (SELECT json_agg(id) FROM decisions_intake WHERE queue_id = %(queue)s),
    'events', (SELECT json_agg(entry::json -> 'rows') FROM decisions_event WHERE chain = %(queue)s)
)::text
""".replace("{task}", ", ".join(TASK))

Row = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """The rows of a queue by id, and what its chain says. `spoken`: how many entries speak of each row of a fact."""

    items: dict[int, Row]
    accepted: int
    tasks: dict[int, Row]
    moves: Counter[int]
    decisions: dict[int, Row]
    rulings: dict[int, Row]
    actions: dict[int, Row]
    asked: dict[int, Row]
    appeals: dict[int, Row]
    pending: frozenset[int]
    labels: dict[int, int]
    facts: frozenset[tuple[str, int]]
    spoken: Counter[tuple[str, int]]
    entries: int

    def rulings_of(self, item_id: int) -> list[Row]:
        """Return an item's rulings, oldest first."""
        return [row for row in self.rulings.values() if row["item_id"] == item_id]


def read(queue: Queue) -> Stored:
    """Read a queue as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(READ, {"queue": queue.pk})
        found = orjson.loads(cursor.fetchone()[0])
    rows = {name: {row["id"]: row for row in found[name] or ()} for name in ("items", "tasks", "decisions")}
    rulings = {row["id"]: row for row in found["rulings"] or ()}
    labels = {row["id"]: row for row in found["labels"] or ()}
    facts: dict[str, Iterable[int]] = {"decision": rows["decisions"], "ruling": rulings, "label": labels}
    facts |= {"gold": found["gold"] or (), "intake": found["intakes"] or (), "grade": found["grades"] or ()}
    events = found["events"] or ()
    return Stored(
        **rows,
        accepted=found["accepted"],
        moves=Counter({row["task_id"]: row["n"] for row in found["moves"] or ()}),
        rulings=rulings,
        actions={row["id"]: row for row in found["actions"] or ()},
        asked={row["id"]: row for row in found["asked"] or ()},
        appeals={row["id"]: row for row in found["appeals"] or ()},
        pending=frozenset(found["pending"] or ()),
        labels={row["ruling_id"]: row["no"] for row in labels.values()},
        facts=frozenset((name, pk) for name, some in facts.items() for pk in some),
        spoken=Counter((name, pk) for spoken in events for name, pk, _digest in spoken or ()),
        entries=len(events),
    )
