"""Writes rows in as few statements as there can be: COPY for many, VALUES for a few."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import repeat
from typing import Any, NamedTuple

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
# A function, so that a session plans it once. References are checked later, for the intake's row, whose id it draws,
# comes last: it counts the others.
ADMITTING = """
    CREATE OR REPLACE FUNCTION public.decisions_admit(lock_key integer, to_queue integer) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        SET CONSTRAINTS ALL DEFERRED;
        PERFORM pg_advisory_xact_lock_shared(lock_key, to_queue);
        RETURN nextval('public.decisions_intake_id_seq');
    END
    $$
"""
# In one trip: the statement that stores the items looks for the newest frame only once the lock is granted.
ADMIT = "SELECT decisions_admit(%s, %s); "
DRAWN = "intake_id, arrived_at"
DRAWS = """currval('decisions_intake_id_seq'), greatest(%s, (
    SELECT ends_at FROM decisions_frame WHERE queue_id = %s ORDER BY starts_at DESC LIMIT 1))"""
ADMITTED = """ON CONFLICT DO NOTHING RETURNING external_id, id, intake_id, arrived_at,
    CASE WHEN route = 'soft' THEN nextval('decisions_task_id_seq') END,
    CASE WHEN route = ANY(%s) THEN nextval('decisions_action_id_seq') END"""
IN_ORDER = 'ORDER BY external_id COLLATE "C"'  # as Python sorts
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


class Admitted(NamedTuple):
    """What is drawn for an item where it is stored: its own id and time, its call's, and those of what follows it."""

    external_id: str
    id: int
    intake_id: int
    arrived_at: datetime
    task_id: int | None
    action_id: int | None


def admit(
    cursor: CursorWrapper, items: Rows, *, queue_id: int, at: datetime, acting: Sequence[str]
) -> dict[str, Admitted]:
    """Store items that arrive on a queue at a time, in the order given, ids ascending; return new ones by external id.

    Those that are here already stay out. No frame of the queue closes from here to the commit, and what would have
    arrived before the end of the newest one arrives at it: it belongs to a frame that is still to come. `acting` are
    the routes that make the machine act.
    """
    lock, given = [locks.FRAMES, queue_id], [at, queue_id]
    into = f"INSERT INTO {items.table} ({items.names}, {DRAWN})"
    if items.count <= FEW:
        one = f"({', '.join(['%s'] * len(items.columns))}, {DRAWS})"
        values = [value for row in items.tuples() for value in (*row, *given)]
        text = f"{into} VALUES {', '.join([one] * items.count)}"
    else:
        _stage(cursor, items)
        text, values = f"{into} SELECT {items.names}, {DRAWS} FROM {STAGE} {IN_ORDER}", given  # noqa: S608 - the same
    cursor.execute(f"{ADMIT}{text} {ADMITTED}", [*lock, *values, list(acting)])  # names are our own, values parameters
    found = {row[0]: Admitted._make(row) for row in cursor.fetchall()}
    if items.count > FEW:
        cursor.execute(f"DROP TABLE {STAGE}")
    return found


def make_admit(connection: BaseDatabaseWrapper) -> None:
    """Make the function that `admit` calls; migrations call this."""
    guards.make_function(connection, "decisions_admit", ADMITTING)


def insert_new(cursor: CursorWrapper, rows: Rows) -> int:
    """Insert what is not there yet; return how many rows that was."""
    tail = "ON CONFLICT DO NOTHING"
    if rows.count <= FEW:
        text, values = _values(rows)
        cursor.execute(f"{text} {tail}", values)
        return int(cursor.rowcount)
    _stage(cursor, rows)
    cursor.execute(f"INSERT INTO {rows.table} ({rows.names}) SELECT {rows.names} FROM {STAGE} {tail}")  # noqa: S608 - names are our own
    stored = int(cursor.rowcount)
    cursor.execute(f"DROP TABLE {STAGE}")
    return stored


def _stage(cursor: CursorWrapper, rows: Rows) -> None:
    """Put rows into a table that is gone with the transaction."""
    columns = f"SELECT {rows.names} FROM {rows.table} WITH NO DATA"  # noqa: S608 - the same
    cursor.execute(f"{PATIENCE}; CREATE TEMP TABLE {STAGE} ON COMMIT DROP AS {columns}")
    _copy(cursor, rows, STAGE)


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
