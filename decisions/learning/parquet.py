"""Labelled rows to and from Parquet, some thousand at a time; the same rows always give the same bytes."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from decisions.learning import weak, weights
from decisions.models import Evidence, Label, Queue
from decisions.queues.spec import NUMERIC, FieldType, PayloadField
from decisions.record import digest

CHUNK = 1000  # rows in memory, and in a row group
OPTIONS = {"compression": "zstd", "compression_level": 3, "version": "2.6", "store_schema": False}
PAYLOAD = "payload."  # before the names of the payload's fields
TIME = pa.timestamp("us", tz="UTC")

WEIGHT = "weight"
MADE = {WEIGHT, *weak.NAMES}  # no columns of a label: they are worked out
# Column, type, and where a label finds it.
FIXED = (
    ("no", pa.int64(), "no"),
    ("item_id", pa.int64(), "item_id"),
    ("external_id", pa.string(), "item__external_id"),
    ("arrived_at", TIME, "item__arrived_at"),
    ("occurred_at", TIME, "item__occurred_at"),
    ("source", pa.string(), "item__source"),
    ("segment", pa.string(), "item__segment"),
    ("value", pa.float64(), "item__value"),
    ("model", pa.string(), "item__model__name"),
    ("score", pa.float64(), "item__score"),
    ("p", pa.float64(), "item__p"),
    ("band", pa.string(), "item__band"),
    ("route", pa.string(), "item__route"),
    ("reason", pa.string(), "item__reason"),
    ("label", pa.int8(), "value"),
    ("outcome", pa.string(), "outcome"),
    ("propensity", pa.float64(), "propensity"),
    ("provenance", pa.string(), "provenance"),
    ("weight", pa.float64(), WEIGHT),
    ("ruled_at", TIME, "ruled_at"),
    ("true_at", TIME, "true_at"),
    ("weak_right", pa.int64(), "weak_right"),
    ("weak_wrong", pa.int64(), "weak_wrong"),
)
CONTENT = "item__body__content"
# When a truth from outside turned out; a person's answer is from when it was given.
TOLD = Evidence.objects.filter(item=OuterRef("item"), kind=Evidence.Kind.TRUTH, ruling=OuterRef("ruling")).values(
    "occurred_at"
)[:1]
CLASSES = {1: "positive", 0: "negative", None: "none"}


@dataclass
class Tally:
    """What a file holds, counted while it is written."""

    rows: int = 0
    provenance: Counter[str] = field(default_factory=Counter)
    segments: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)

    def add(self, chunk: Sequence[Mapping[str, Any]]) -> None:
        self.rows += len(chunk)
        self.provenance.update(row["provenance"] for row in chunk)
        self.segments.update(row["item__segment"] for row in chunk)
        self.classes.update(CLASSES[row["value"]] for row in chunk)


def schema(fields: Sequence[PayloadField]) -> pa.Schema:
    """Return the columns: what is known of item and label, and each payload field under `payload.<name>`."""
    known = [pa.field(name, kind) for name, kind, _ in FIXED]
    return pa.schema(known + [pa.field(PAYLOAD + one.name, _kind(one)) for one in fields])


def write(path: Path, *, queue: Queue, last_no: int, last_word: int) -> Tally:
    """Write the latest label up to `last_no` of each item that was not erased, in the order of items.

    With it goes what end users said of the item, up to the word with the id `last_word`.
    """
    fields = queue.spec.fields
    tally = Tally()
    with pq.ParquetWriter(path, schema(fields), **OPTIONS) as writer:
        for chunk in _chunks(queue.pk, last_no, last_word):
            writer.write_table(_table(chunk, fields))
            tally.add(chunk)
    return tally


def write_without(path: Path, source: Path, item_ids: Collection[int]) -> bool:
    """Copy a file without the rows of these items; False, and no file, where it holds none of them."""
    unwanted = pa.array(sorted(item_ids), pa.int64())
    with pq.ParquetFile(source) as old:
        if not any(_holds(table, item_ids) for table in _groups(old, ["item_id"])):
            return False
        with pq.ParquetWriter(path, old.schema_arrow, **OPTIONS) as writer:
            for table in _groups(old):
                writer.write_table(table.filter(pc.invert(pc.is_in(table["item_id"], unwanted))))
    return True


def describe(path: Path) -> dict[str, Any]:
    """Return a file's rows, size in bytes and SHA-256."""
    with path.open("rb") as file:
        sealed = hashlib.file_digest(file, "sha256").hexdigest()
    return {"rows": pq.read_metadata(path).num_rows, "bytes": path.stat().st_size, "sha256": sealed}


def _chunks(queue_id: int, last_no: int, last_word: int) -> Iterator[list[dict[str, Any]]]:
    """Yield rows by item, in short queries: no snapshot stays open while they are written."""
    labels = (
        Label.objects.filter(queue=queue_id, no__lte=last_no, item__body__content__isnull=False)
        .order_by("item_id", "-no")
        .distinct("item_id")
        .annotate(true_at=Coalesce(Subquery(TOLD), F("ruled_at")))
        .values(*{source for _, _, source in FIXED if source not in MADE}, *weights.FROM, CONTENT)
    )
    after = 0
    while chunk := list(labels.filter(item_id__gt=after)[:CHUNK]):
        said = weak.counted([row["item_id"] for row in chunk], last_word)
        yield [{**row, **said[row["item_id"]], WEIGHT: weights.of_row(row)} for row in chunk]
        after = chunk[-1]["item_id"]


def _table(chunk: Sequence[Mapping[str, Any]], fields: Sequence[PayloadField]) -> pa.Table:
    payloads = [orjson.loads(row[CONTENT])["payload"] for row in chunk]
    known = [pa.array([row[source] for row in chunk], kind) for _, kind, source in FIXED]
    sent = [pa.array([column_value(payload.get(one.name), one) for payload in payloads], _kind(one)) for one in fields]
    return pa.Table.from_arrays(known + sent, schema=schema(fields))


def _kind(one: PayloadField) -> pa.DataType:
    if one.type in NUMERIC:
        return pa.float64()
    return pa.bool_() if one.type == FieldType.BOOLEAN else pa.string()


def column_value(value: Any, one: PayloadField) -> Any:
    """Return a payload value as its column holds it; a gap where it is missing or of another type."""
    if value is None:
        return None
    if one.type == FieldType.BOOLEAN:
        return value if isinstance(value, bool) else None
    if one.type in NUMERIC:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return value if isinstance(value, str) else digest.canonical(value).decode()


def _groups(file: pq.ParquetFile, columns: list[str] | None = None) -> Iterator[pa.Table]:
    for group in range(file.num_row_groups):
        yield file.read_row_group(group, columns=columns)


def _holds(table: pa.Table, item_ids: Collection[int]) -> bool:
    return not set(item_ids).isdisjoint(table["item_id"].to_pylist())


class Sink:
    """A file that is never whole: what was written is taken away piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Do nothing: what is written is there to be taken at once."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def streamed(tables: Iterator[pa.Table], columns: pa.Schema) -> Iterator[bytes]:
    """Yield a Parquet file while its tables come, a row group each; no more than one is in memory."""
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), columns, **OPTIONS) as writer:
        for table in tables:
            writer.write_table(table)
            yield sink.take()
    yield sink.take()
