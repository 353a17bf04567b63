"""The label feed: labels by their numbers, narrowed down, each with its weight, what it corrects and what users say."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
import pyarrow as pa
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import cached_property

from decisions.learning import parquet, weak, weights
from decisions.models import Label
from decisions.record import export

PIECE = 1000  # labels that a reader gets at a time
TIME = parquet.TIME
# Column, its type in a file, and where a label finds it.
FOUND = (
    ("no", pa.int64(), "no"),
    ("queue", pa.string(), "queue__slug"),
    ("item", pa.int64(), "item_id"),
    ("external_id", pa.string(), "item__external_id"),
    ("ruling", pa.int64(), "ruling_id"),
    ("value", pa.int8(), "value"),
    ("outcome", pa.string(), "outcome"),
    ("propensity", pa.float64(), "propensity"),
    ("provenance", pa.string(), "provenance"),
    ("replaces", pa.int64(), "replaces__no"),
    ("ruled_at", TIME, "ruled_at"),
    ("at", TIME, "at"),
)
MADE = (("weight", pa.float64()), ("corrects", pa.bool_()), ("weak_right", pa.int64()), ("weak_wrong", pa.int64()))
COLUMNS = (*(name for name, _kind, _source in FOUND), *(name for name, _kind in MADE))
SCHEMA = pa.schema([*((name, kind) for name, kind, _source in FOUND), *MADE])
ASKED = dict.fromkeys((*(source for _n, _k, source in FOUND), *weights.FROM, "replaces__outcome"))
VALUES: Mapping[str, int | None] = {"1": 1, "0": 0, "none": None}


@dataclass(frozen=True)
class Wanted:
    """Which labels; an empty field does not narrow. `value` is 1, 0 or none; `final`: only what no later one replaced.

    `since` and `until` are of when the label was made, half open.
    """

    provenance: str = ""
    outcome: str = ""
    value: str = ""
    since: datetime | None = None
    until: datetime | None = None
    final: bool = False

    @cached_property
    def condition(self) -> Q:
        named = {
            "provenance": self.provenance,
            "outcome": self.outcome,
            "at__gte": self.since,
            "at__lt": self.until,
        }
        narrowed = Q(**{name: value for name, value in named.items() if value})
        return narrowed & Q(value=VALUES[self.value]) if self.value else narrowed


ALL = Wanted()


def rows(queue_ids: Collection[int], wanted: Wanted = ALL) -> QuerySet[Label]:
    """Return queues' labels that are wanted."""
    found = Label.objects.filter(wanted.condition, queue__in=queue_ids)
    if wanted.final:
        later = Label.objects.filter(item=OuterRef("item"), no__gt=OuterRef("no"))
        found = found.filter(~Exists(later))
    return found


def after(no: int, queue_ids: Collection[int], wanted: Wanted = ALL) -> Iterator[list[dict[str, Any]]]:
    """Yield queues' labels with numbers above `no`, in order and some at a time, with `COLUMNS`.

    Each piece is a query, so no snapshot stays open for a slow reader. What users say is as of reading it.
    """
    found = rows(queue_ids, wanted).order_by("no").values(*ASKED)
    while piece := list(found.filter(no__gt=no)[:PIECE]):
        yield lines(piece)
        no = piece[-1]["no"]


def newest(queue_id: int, wanted: Wanted, *, before: int | None, most: int) -> list[dict[str, Any]]:
    """Return a queue's latest labels that are wanted, the newest first, those with numbers below `before`."""
    found = rows([queue_id], wanted)
    if before is not None:
        found = found.filter(no__lt=before)
    return lines(list(found.order_by("-no").values(*ASKED)[:most]))


def lines(piece: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return labels that were read with the columns `ASKED` as the feed shows them."""
    said = weak.counted({row["item_id"] for row in piece})
    return [
        {
            **{name: row[source] for name, _kind, source in FOUND},
            "weight": weights.of_row(row),
            "corrects": row["replaces__no"] is not None and row["replaces__outcome"] != row["outcome"],
            **said[row["item_id"]],
        }
        for row in piece
    ]


def table(piece: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return lines of the feed as columns of a file."""
    return pa.Table.from_arrays([pa.array([row[f.name] for row in piece], f.type) for f in SCHEMA], schema=SCHEMA)


class Form(StrEnum):
    """How labels are written to a file."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        return MEDIA[self]


MEDIA = {
    Form.NDJSON: "application/x-ndjson",
    Form.CSV: "text/csv; charset=utf-8",
    Form.PARQUET: "application/vnd.apache.parquet",
}


def written(form: Form, pieces: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    """Yield the feed as a file, some at a time; in CSV, text that a spreadsheet would run as a formula is quoted."""
    if form is Form.PARQUET:
        yield from parquet.streamed(map(table, pieces), SCHEMA)
    elif form is Form.CSV:
        yield export.table([COLUMNS])
        for piece in pieces:
            yield export.table(tuple(row.values()) for row in piece)
    else:
        for piece in pieces:
            yield b"".join(orjson.dumps(row, option=orjson.OPT_UTC_Z) + b"\n" for row in piece)
