"""Rows of any number, read in constant memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

CHUNK = 2000


@contextmanager
def snapshot() -> Iterator[None]:
    """Show the database as it is at one moment, to all that reads inside; within a transaction, as that one sees it."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def tuples(query: QuerySet[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a `values_list` query as the database gives them, through a cursor that stays on the server."""
    statement, parameters = query.query.sql_with_params()
    with transaction.atomic(savepoint=False), connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows
