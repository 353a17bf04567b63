"""The owner's hands: statements as the role that the tables belong to, who can switch triggers off."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a type, as it should have been named


@contextmanager
def session() -> Iterator[Cursor]:
    """Open a transaction as the owner in the test's database."""
    owner = connections["owner"]
    opened = owner.get_new_connection(owner.get_connection_params())
    try:
        with opened, opened.cursor() as cursor:
            yield cursor
    finally:
        opened.close()


def tamper(table: str, statement: str, *parameters: Any) -> None:
    """Change a table of facts behind the triggers' back."""
    with session() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        cursor.execute(statement, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER keep_rows')


def value(statement: str, *parameters: Any) -> Any:
    """Return the first column of the first row."""
    with session() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    assert row is not None
    return row[0]
