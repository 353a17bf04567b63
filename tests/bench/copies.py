"""The bare COPY: the very rows of a batch that the product stored, under fresh ids, into the same tables."""

import io
import time
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Model
from psycopg2 import extensions

from decisions.models import Action, Body, Event, Intake, Item, Move, Task
from tests.bench.ground import columns, table

NUMBERED = (Intake, Item, Task, Move, Action, Event)


@dataclass(frozen=True)
class Copied:
    """The rows of one table as COPY reads them."""

    into: str
    data: bytes


def of_last_batch(queue_id: int) -> list[Copied]:
    """Return the rows of the queue's last intake, with ids that nobody else gets and other external ids."""
    (intake,) = _one("SELECT max(id) FROM decisions_intake WHERE queue_id = %s", [queue_id])
    with connections["owner"].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS batch")
        cursor.execute("CREATE TEMP TABLE batch AS SELECT id FROM decisions_item WHERE intake_id = %s", [intake])
        cursor.execute("ANALYZE batch")
    of_item, of_task = "t.item_id IN (SELECT id FROM batch)", "o.item_id IN (SELECT id FROM batch)"
    last = f"t.id = (SELECT id FROM decisions_event WHERE chain = {queue_id} ORDER BY seq DESC LIMIT 1)"
    wheres: dict[type[Model], str] = {
        Intake: f"t.id = {intake}",
        Item: "t.id IN (SELECT id FROM batch)",
        Task: of_item,
        Move: f"t.task_id IN (SELECT id FROM decisions_task o WHERE {of_task})",
        Action: of_item,
        Event: last,
    }
    more = {model: _reserve(model, where) for model, where in wheres.items()}
    item = f"t.item_id + {more[Item]}"
    return [
        _copied(Intake, wheres[Intake], id=f"t.id + {more[Intake]}"),
        _copied(
            Item,
            wheres[Item],
            id=f"t.id + {more[Item]}",
            intake_id=f"t.intake_id + {more[Intake]}",
            external_id="overlay(t.external_id placing 'barer' from 1 for 5)",
        ),
        _copied(Body, of_item, item_id=item),
        _copied(Task, wheres[Task], id=f"t.id + {more[Task]}", item_id=item),
        _copied(Move, wheres[Move], id=f"t.id + {more[Move]}", task_id=f"t.task_id + {more[Task]}"),
        _copied(Action, wheres[Action], id=f"t.id + {more[Action]}", item_id=item),
        _copied(Event, wheres[Event], id=f"t.id + {more[Event]}", seq="t.seq + 1"),
    ]


def store(session: extensions.connection, tables: list[Copied]) -> float:
    """COPY the rows in one transaction; return its seconds, the commit with its checks of foreign keys included."""
    began = time.perf_counter()
    with session, session.cursor() as cursor:
        for copied in tables:
            cursor.copy_expert(copied.into, io.BytesIO(copied.data))
    return time.perf_counter() - began


def _one(statement: str, values: list[Any]) -> tuple[Any, ...]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def _reserve(model: type[Model], where: str) -> int:
    """Move a table's sequence past copies of some of its rows; return what is to be added to their ids."""
    name = table(model)
    count, first = _one(f"SELECT count(*), coalesce(min(t.id), 0) FROM {name} t WHERE {where}", [])
    (last,) = _one(f"SELECT last_value FROM {name}_id_seq", [])
    more: int = last + 1 - first
    _one(
        f"SELECT setval('{name}_id_seq', greatest(%s, (SELECT max(id) FROM {name} t WHERE {where}) + %s))",
        [last + count, more],
    )
    return more


def _copied(model: type[Model], where: str, **instead: str) -> Copied:
    names, chosen = columns(model, **instead)
    out = io.BytesIO()
    with connections["owner"].cursor() as cursor:
        order = "t.item_id" if model is Body else "t.id"
        cursor.copy_expert(
            f"COPY (SELECT {chosen} FROM {table(model)} t WHERE {where} ORDER BY {order}) TO STDOUT", out
        )
    return Copied(f"COPY {table(model)} ({names}) FROM STDIN", out.getvalue())
