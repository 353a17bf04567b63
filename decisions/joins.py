"""Rows of several tables by one statement that is put together once: what each claim and each decision reads."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import JSONField, Model


@dataclass(frozen=True)
class Part:
    """Where the columns of one model stand in a row, and which of them hold JSON."""

    alias: str
    model: type[Model]
    names: list[str]
    place: slice
    json: list[tuple[int, JSONField]]

    def one(self, row: tuple[Any, ...]) -> Model | None:
        """Return the model in a row, None where an outer join found none."""
        values = list(row[self.place])
        if values[0] is None:
            return None
        for i, field in self.json:
            values[i] = field.from_db_value(values[i], field.cached_col, connection)
        return self.model.from_db(connection.alias, self.names, values)


class Join:
    """Models by the aliases that their tables have in a statement; the first column of each is its key."""

    def __init__(self, **models: type[Model]) -> None:
        self._models = models

    @cached_property
    def columns(self) -> str:
        """All columns of all tables, as the statement has to select them."""
        return ", ".join(
            f"{alias}.{field.column}" for alias, model in self._models.items() for field in model._meta.concrete_fields
        )

    @cached_property
    def _parts(self) -> list[Part]:
        parts, start = [], 0
        for alias, model in self._models.items():
            fields = model._meta.concrete_fields
            place = slice(start, start + len(fields))
            json = [(i, field) for i, field in enumerate(fields) if isinstance(field, JSONField)]
            parts.append(Part(alias, model, [field.attname for field in fields], place, json))
            start = place.stop
        return parts

    def read(self, statement: str, params: list[Any]) -> list[dict[str, Any]]:
        """Run a statement that selects `columns`; return each row's models by alias."""
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            return [{part.alias: part.one(row) for part in self._parts} for row in cursor.fetchall()]
