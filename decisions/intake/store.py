"""Writes rows in as few statements as there can be: COPY for many, VALUES for a few."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import repeat
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from decisions import locks
from decisions.record import guards
from decisions.record.log import Statements

FEW = 40  # up to so many rows, VALUES is faster than a COPY
STAGE = "arriving"
# Checked now and not at the commit, where the wait for a lock on a referenced row would hold the chain up.
CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"
SPECIAL = re.compile(r"[\\\n\t\r]")
NAMED = ("intake", "item", "task", "action")  # what has its id before its row
# A function, so that a session plans it once. It looks for the frame only once the lock is granted. References are
# checked later, for the intake's row comes last: it counts the others.
ADMITTING = """
    CREATE OR REPLACE FUNCTION public.decisions_admit(
        lock_key integer, to_queue integer, intakes integer, items integer, tasks integer, actions integer
    ) RETURNS TABLE (
        closed_until timestamptz, intake_ids bigint[], item_ids bigint[], task_ids bigint[], action_ids bigint[]
    ) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        SET CONSTRAINTS ALL DEFERRED;
        PERFORM pg_advisory_xact_lock_shared(lock_key, to_queue);
        RETURN QUERY SELECT
            (SELECT f.ends_at FROM public.decisions_frame f
             WHERE f.queue_id = to_queue ORDER BY f.starts_at DESC LIMIT 1),
            ARRAY(SELECT nextval('public.decisions_intake_id_seq') FROM generate_series(1, intakes)),
            ARRAY(SELECT nextval('public.decisions_item_id_seq') FROM generate_series(1, items)),
            ARRAY(SELECT nextval('public.decisions_task_id_seq') FROM generate_series(1, tasks)),
            ARRAY(SELECT nextval('public.decisions_action_id_seq') FROM generate_series(1, actions));
    END
    $$
"""
ADMIT = "SELECT * FROM decisions_admit(%s, %s, %s, %s, %s, %s)"
PATIENCE = "SET LOCAL lock_timeout = '120s'; SET LOCAL statement_timeout = '120s'"


@dataclass(frozen=True)
class Same:
    """One value for all the rows of a table."""

    value: Any


Columns = dict[str, Sequence[Any] | Same]


@dataclass(frozen=True)
class Rows:
    """Rows of a table, as columns by name: each a sequence of `count` plain values, or the Same for all rows."""

    table: str
    count: int
    columns: Columns

    @property
    def names(self) -> str:
        return ", ".join(self.columns)

    def tuples(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows."""
        return zip(
            *(repeat(c.value, self.count) if isinstance(c, Same) else c for c in self.columns.values()), strict=True
        )


def admit(cursor: CursorWrapper, queue_id: int, counts: dict[str, int]) -> tuple[dict[str, list[int]], datetime | None]:
    """Return fresh ids for what arrives on a queue, ascending, so many of each name; and the end of its newest frame.

    No frame of the queue closes from here to the commit, so what arrives at that end or later belongs to a frame that
    is still to come.
    """
    cursor.execute(ADMIT, [locks.FRAMES, queue_id, *(counts[name] for name in NAMED)])
    closed_until, *ids = cursor.fetchone()
    return dict(zip(NAMED, ids, strict=True)), closed_until


def make_admit(connection: BaseDatabaseWrapper) -> None:
    """Make the function that `admit` calls; migrations call this."""
    guards.make_function(connection, "decisions_admit", ADMITTING)


def insert_new(cursor: CursorWrapper, rows: Rows) -> set[int]:
    """Insert what is not there yet, in the order given; return the ids of the rows that were stored."""
    tail = "ON CONFLICT DO NOTHING RETURNING id"
    if rows.count <= FEW:
        text, values = _values(rows)
        cursor.execute(f"{text} {tail}", values)  # names are our own, values parameters
    else:
        cursor.execute(f"{PATIENCE}; CREATE TEMP TABLE {STAGE} (LIKE {rows.table}) ON COMMIT DROP")
        _copy(cursor, rows, STAGE)
        cursor.execute(
            f"INSERT INTO {rows.table} ({rows.names}) SELECT {rows.names} FROM {STAGE} ORDER BY id {tail}"  # noqa: S608 - names are our own
        )
    stored = {row[0] for row in cursor.fetchall()}
    if rows.count > FEW:
        cursor.execute(f"DROP TABLE {STAGE}")
    return stored


def insert(cursor: CursorWrapper, tables: Sequence[Rows]) -> Statements:
    """Insert rows into several tables; return the statements that are left, which check what all rows refer to.

    Small tables are among what is left: they need no trip of their own.
    """
    texts: list[str] = []
    values: list[Any] = []
    for rows in tables:
        if rows.count > FEW:
            _copy(cursor, rows, rows.table)
        elif rows.count:
            text, given = _values(rows)
            texts.append(text)
            values.extend(given)
    return Statements([*texts, CHECK_NOW], values)


def _values(rows: Rows) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * len(rows.columns))})"
    text = f"INSERT INTO {rows.table} ({rows.names}) VALUES {', '.join([one] * rows.count)}"  # noqa: S608 - the same
    return text, [value for row in rows.tuples() for value in row]


def _copy(cursor: CursorWrapper, rows: Rows, table: str) -> None:
    columns = (repeat(_text(c.value), rows.count) if isinstance(c, Same) else _texts(c) for c in rows.columns.values())
    lines = "\n".join(map("\t".join, zip(*columns, strict=True)))
    cursor.copy_expert(f"COPY {table} ({rows.names}) FROM STDIN", StringIO(lines))


def _texts(column: Sequence[Any]) -> Sequence[str]:
    """Return a column as COPY reads it; most columns hold one type, and most texts nothing to escape."""
    types = set(map(type, column))
    if types == {str} and not SPECIAL.search("".join(column)):
        return column
    if len(types) == 1:
        return list(map(WRITERS[types.pop()], column))
    return [WRITERS[type(value)](value) for value in column]


def _text(value: Any) -> str:
    return WRITERS[type(value)](value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _array(values: list[str]) -> str:
    if not values:
        return "{}"
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return _escaped("{" + ",".join(f'"{value}"' for value in quoted) + "}")


WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "\\N",
    str: _escaped,
    int: str,
    float: repr,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f"\\\\x{value.hex()}",
    datetime: datetime.isoformat,
    list: _array,
}
