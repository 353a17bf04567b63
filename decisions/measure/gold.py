"""What people answered to gold items: read from the log, with the chance by which each was given."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from decisions.measure.columns import BoolArray, FloatArray, IntArray, Rows, WordArray, read

# Held against what counts of the item at `at`, so that a mark that was put right puts right its answers too.
ANSWERS = """
SELECT d.person_id AS person, d.item_id AS item, extract(epoch FROM d.at)::float8 AS at, d.outcome, g.truth, l.pi,
    (p.kind = 'simulated')::int AS is_simulated
FROM decisions_decision d JOIN decisions_lot l ON l.task_id = d.task_id JOIN decisions_user p ON p.id = d.person_id,
    LATERAL (SELECT truth FROM decisions_gold WHERE item_id = d.item_id AND at <= %(at)s ORDER BY no DESC LIMIT 1) g
WHERE d.queue_id = %(queue)s AND d.purpose = 'gold' AND d.at >= %(start)s AND d.at < %(end)s AND d.at <= %(at)s
    AND g.truth <> 'none'"""


@dataclass(frozen=True)
class GoldAnswers(Rows):
    """One row an answer: who, to which item, when (seconds since 1970), and what the item is known to be.

    `truth` is `positive` or `negative`, `pi` in (0, 1] the chance with which a gold item followed.
    """

    person: IntArray
    item: IntArray
    at: FloatArray
    outcome: WordArray
    truth: WordArray
    pi: FloatArray
    is_simulated: BoolArray


_WORDS = np.empty(0, dtype=np.object_)
NO_GOLD = GoldAnswers(
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.int64),
    np.empty(0),
    _WORDS,
    _WORDS,
    np.empty(0),
    np.empty(0, dtype=np.bool_),
)


def answers(queue_id: int, *, start: datetime, end: datetime, at: datetime) -> GoldAnswers:
    """Return the answers to gold items of a queue in [start, end), as they are judged at `at`."""
    columns = read(ANSWERS, {"queue": queue_id, "start": start, "end": end, "at": at})
    return GoldAnswers(**{**columns, "is_simulated": columns["is_simulated"].astype(np.bool_)})
