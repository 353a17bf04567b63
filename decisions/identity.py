"""Ids before rows: for rows that name their own id, or each other's, before they are stored."""

from django.db import connection
from django.db.models import Model


def allocate(model: type[Model], count: int) -> list[int]:
    """Return `count` fresh ids of a model's table; those that are not used leave gaps."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]
