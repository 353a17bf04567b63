"""What people's ways with an item let one guess: skips, holds, reopened and reversed rulings, notes, long looks.

Weak evidence and shown as such: it says where to look, never what an item is. Of the newest 2,000 decisions of a window
and only of items on which nothing is open, so that it tells nobody of a question that may still come to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from decisions.models import User

MOST = 2_000
TOLD = 25
LONG = 3.0  # times the median of these decisions
ITEMS = """
WITH seen AS (
    SELECT DISTINCT item_id FROM (
        SELECT item_id FROM decisions_decision WHERE queue_id = %(queue)s AND at >= %(start)s AND at < %(end)s
        ORDER BY at DESC LIMIT %(most)s
    ) newest
)
SELECT i.id, i.external_id, moved.skips, moved.holds, moved.reopened,
    (SELECT count(*) FROM decisions_ruling r WHERE r.item_id = i.id AND r.is_reversal),
    said.notes, said.seconds
FROM seen JOIN decisions_item i ON i.id = seen.item_id, LATERAL (
    SELECT count(*) FILTER (WHERE m.kind = 'skipped') AS skips, count(*) FILTER (WHERE m.kind = 'held') AS holds,
        count(*) FILTER (WHERE m.kind = 'reopened') AS reopened
    FROM decisions_task t JOIN decisions_move m ON m.task_id = t.id WHERE t.item_id = i.id
) moved, LATERAL (
    SELECT count(*) FILTER (WHERE d.note <> '') AS notes, max(d.active_seconds) AS seconds
    FROM decisions_decision d WHERE d.item_id = i.id
) said
WHERE NOT EXISTS (
    SELECT 1 FROM decisions_task t WHERE t.item_id = i.id AND t.state IN ('waiting', 'claimed', 'held')
)"""
PEOPLE = """
WITH newest AS (
    SELECT id, item_id, person_id, note, active_seconds FROM decisions_decision
    WHERE queue_id = %(queue)s AND at >= %(start)s AND at < %(end)s ORDER BY at DESC LIMIT %(most)s
), moved AS (
    SELECT m.person_id, count(*) FILTER (WHERE m.kind = 'skipped') AS skips,
        count(*) FILTER (WHERE m.kind = 'held') AS holds
    FROM decisions_task t JOIN decisions_move m ON m.task_id = t.id
    WHERE t.item_id IN (SELECT item_id FROM newest) AND m.kind IN ('skipped', 'held') GROUP BY 1
)
SELECT coalesce(said.person_id, moved.person_id), coalesce(said.n, 0), coalesce(moved.skips, 0),
    coalesce(moved.holds, 0), coalesce(said.notes, 0), said.seconds
FROM (
    SELECT person_id, count(*) AS n, count(*) FILTER (WHERE note <> '') AS notes,
        percentile_cont(.5) WITHIN GROUP (ORDER BY active_seconds) AS seconds FROM newest GROUP BY 1
) said FULL JOIN moved ON moved.person_id = said.person_id"""


@dataclass(frozen=True)
class Item:
    """What happened to one item before and after it was decided; `seconds` is the longest look (None: not timed)."""

    pk: int
    external_id: str
    skips: int
    holds: int
    reopened: int
    reversed: int
    notes: int
    seconds: float | None
    is_long: bool

    @property
    def count(self) -> int:
        return self.skips + self.holds + self.reopened + self.reversed + self.notes + self.is_long


@dataclass(frozen=True)
class Person:
    """How one person went about these items: `decisions` of theirs, with their median time."""

    user: User
    decisions: int
    skips: int
    holds: int
    notes: int
    seconds: float | None


@dataclass(frozen=True)
class Signals:
    """The items with the most signals among `of`, and people's ways (None for who may not see them)."""

    of: int
    items: tuple[Item, ...]
    people: tuple[Person, ...] | None


def read(queue_id: int, start: datetime, end: datetime, *, people: bool) -> Signals:
    """Return the signals of the newest decisions in [start, end)."""
    asked = {"queue": queue_id, "start": start, "end": end, "most": MOST}
    rows = _rows(ITEMS, asked)
    times = [row[-1] for row in rows if row[-1] is not None]
    long = LONG * float(np.median(times)) if times else float("inf")
    items = [Item(*(*row, row[-1] is not None and row[-1] > long)) for row in rows]
    told = sorted((one for one in items if one.count), key=lambda one: (-one.count, -one.pk))
    return Signals(len(items), tuple(told[:TOLD]), _people(asked) if people else None)


def _people(asked: Mapping[str, Any]) -> tuple[Person, ...]:
    rows = _rows(PEOPLE, asked)
    users = User.objects.in_bulk([row[0] for row in rows])
    return tuple(
        sorted((Person(users[row[0]], *row[1:]) for row in rows), key=lambda one: (str(one.user), one.user.pk))
    )


def _rows(statement: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())
