"""Answers that were checked, as arrays: those to gold items, and those that somebody else gave again."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from decisions.measure.columns import FloatArray, IntArray, Rows, WordArray, read
from decisions.queues.spec import Spec, Truth

# Of a pair both answers are there. An adjudication says what it is; without one they count where they say the same.
CHECKED = """
WITH pair AS (
    SELECT d.item_id, d.id, d.person_id, d.outcome, d.at, first.person_id AS other_id, first.outcome AS other,
        (SELECT r.truth FROM decisions_ruling r WHERE r.item_id = d.item_id
            AND r.source = 'adjudication' AND r.final_at <= %(at)s ORDER BY r.no DESC LIMIT 1) AS truth
    FROM decisions_decision d JOIN decisions_task t ON t.id = d.task_id CROSS JOIN LATERAL (
        SELECT person_id, outcome FROM decisions_decision
        WHERE task_id = t.parent_id ORDER BY round DESC LIMIT 1
    ) first
    WHERE d.queue_id = %(queue)s AND d.purpose = 'second' AND d.at >= %(start)s AND d.at <= %(at)s
)
SELECT d.item_id AS item, d.person_id AS person, d.outcome, g.truth, 'gold' AS source,
    extract(epoch FROM d.at)::float8 AS at, '' AS second
FROM decisions_decision d CROSS JOIN LATERAL (
    SELECT truth FROM decisions_gold WHERE item_id = d.item_id AND at <= %(at)s ORDER BY no DESC LIMIT 1
) g
WHERE d.queue_id = %(queue)s AND d.purpose = 'gold' AND d.at >= %(start)s AND d.at <= %(at)s
UNION ALL
SELECT item_id, other_id, other, coalesce(truth, ''), 'second', extract(epoch FROM at)::float8, outcome FROM pair
UNION ALL
SELECT item_id, person_id, outcome, coalesce(truth, ''), 'second', extract(epoch FROM at)::float8, other FROM pair"""
OF_ONE = f"SELECT * FROM ({CHECKED}) checked WHERE person = %(person)s"  # noqa: S608 - put together from constants
VALUES = {Truth.POSITIVE.value: 1.0, Truth.NEGATIVE.value: 0.0}


@dataclass(frozen=True)
class Checked(Rows):
    """One row an answer that was checked.

    `y` is what it says, `truth` what the item is: 1 (positive), 0 (negative) or NaN where neither is said or known.
    `source` is `gold` or `second`; `second` is the other answer of a pair. `at` in seconds since 1970 is when it was
    answered, of both answers of a pair when the second one was.
    """

    item: IntArray
    person: IntArray
    outcome: WordArray
    y: FloatArray
    truth: FloatArray
    source: WordArray
    at: FloatArray
    second: WordArray


def checked(queue_id: int, spec: Spec, *, start: datetime, at: datetime, person_id: int | None = None) -> Checked:
    """Return the answers of a queue, or of one person there, that were checked from `start` on, as judged at `at`.

    What an outcome says is as the spec in force has it; of a pair that says the same, that is the truth.
    """
    columns = read(
        CHECKED if person_id is None else OF_ONE, {"queue": queue_id, "start": start, "at": at, "person": person_id}
    )
    truths = {outcome.key: VALUES.get(outcome.truth.value, np.nan) for outcome in spec.outcomes}
    y, other = (_values(columns[name], truths) for name in ("outcome", "second"))
    known = np.array([VALUES.get(word, np.nan) for word in columns["truth"]], dtype=np.float64)
    agreed = (columns["source"] == "second") & (columns["truth"] == "") & (y == other)
    return Checked(
        item=columns["item"],
        person=columns["person"],
        outcome=columns["outcome"],
        y=y,
        truth=np.where(agreed, y, known),
        source=columns["source"],
        at=columns["at"],
        second=columns["second"],
    )


def tally(rows: Checked, person_id: int, since: datetime) -> tuple[int, int]:
    """Return how many of a person's answers since a time were wrong, and of how many that is known."""
    told = ~np.isnan(rows.y) & ~np.isnan(rows.truth)
    mine = told & (rows.person == person_id) & (rows.at >= since.timestamp())
    return int((rows.y[mine] != rows.truth[mine]).sum()), int(mine.sum())


def _values(outcomes: WordArray, truths: dict[str, float]) -> FloatArray:
    return np.array([truths.get(key, np.nan) for key in outcomes], dtype=np.float64)
