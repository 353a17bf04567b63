"""Statements whose answer is read as arrays, a column each, and rows that are narrowed together."""

import io
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.db import connection
from pyarrow import csv

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
WordArray = npt.NDArray[np.object_]

INTS = ("item", "policy", "model", "frame", "was_override", "is_simulated", "is_model", "person", "was_shown")
FLOATS = (
    "arrived",
    "score",
    "p",
    "q",
    "u",
    "v",
    "harm",
    "y",
    "pi",
    "value",
    "propensity",
    "at",
    "n",
    "weight",
    "seconds",
)
WORDS = (
    "band",
    "route",
    "reason",
    "segment",
    "source",
    "state",
    "purpose",
    "key",
    "first",
    "second",
    "ruled",
    "suggested",
)
ANSWERED = ("outcome", "truth")
TYPES = {
    **dict.fromkeys(INTS, pa.int64()),
    **dict.fromkeys(FLOATS, pa.float64()),
    **dict.fromkeys((*WORDS, *ANSWERED), pa.string()),
}


class Rows:
    """A dataclass of columns of one length."""

    def where(self, mask: BoolArray) -> Self:
        """Return the rows for which the mask holds."""
        return replace(self, **{f.name: getattr(self, f.name)[mask] for f in fields(self)})  # type: ignore[type-var,arg-type]  # subclasses are dataclasses

    def part(self, low: int, high: int) -> Self:
        """Return the rows of these places, as views."""
        return replace(self, **{f.name: getattr(self, f.name)[low:high] for f in fields(self)})  # type: ignore[type-var,arg-type]  # as above

    def joined(self, *others: Self) -> Self:
        """Return these rows with others of their kind behind them."""
        names = [f.name for f in fields(self)]  # type: ignore[arg-type]  # as above
        columns = {name: np.concatenate([getattr(one, name) for one in (self, *others)]) for name in names}
        return replace(self, **columns)  # type: ignore[type-var]  # as above

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]  # as above


def read(statement: str, params: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a statement by the names it gives them; a missing number is NaN.

    Through COPY, for which rows need not become Python objects.
    """
    out = io.BytesIO()
    with connection.cursor() as cursor:
        query = cursor.mogrify(statement, params).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", out)
    out.seek(0)
    table = csv.read_csv(
        out,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=TYPES, strings_can_be_null=False),
    )
    return {name: table.column(name).to_numpy() for name in table.column_names}
