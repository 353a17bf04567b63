"""What a data set holds, as columns to learn from."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from decisions.exceptions import Conflict
from decisions.learning import datasets, parquet
from decisions.models import DataSet
from decisions.queues.spec import FieldType

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
WordArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Examples:
    """One row a labelled item whose answer is yes or no, in the order of `at` and then of items.

    `truth` is 1 (positive) or 0 (negative), `weight` in (0, 1] how far the label is to be believed (`weights.weight`),
    `propensity` in (0, 1] the logged probability that a person was asked, NaN where none was logged. `at` is when the
    item occurred, its arrival where nobody said, in seconds since 1970, as are `arrived` and `ruled`. `score` and `p`
    are the routing model's, NaN where nothing scored the item. `fields` has each payload field's values by its name,
    None for a gap, whole numbers of an integer field as int.
    """

    no: IntArray
    item: IntArray
    external_id: WordArray
    source: WordArray
    segment: WordArray
    truth: IntArray
    weight: FloatArray
    propensity: FloatArray
    provenance: WordArray
    route: WordArray
    at: FloatArray
    arrived: FloatArray
    ruled: FloatArray
    value: FloatArray
    score: FloatArray
    p: FloatArray
    fields: dict[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.no)

    def payloads(self) -> Iterator[dict[str, Any]]:
        """Yield each row's payload."""
        names = list(self.fields)
        for values in zip(*self.fields.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def newest(self, most: int) -> "Examples":
        """Return the last rows, at most so many (> 0)."""
        kept = {one.name: getattr(self, one.name)[-most:] for one in fields(self) if one.name != "fields"}
        return Examples(**kept, fields={name: values[-most:] for name, values in self.fields.items()})


def load(data_set: DataSet) -> Examples:
    """Return the rows of a data set that say yes or no, without what was erased since.

    Refuses a file that is gone, that another version of the application wrote, or that is not the one that was frozen
    or last cleaned.
    """
    table = _table(data_set)
    table = table.filter(table["label"].is_valid())
    whole = {name for name, kind in data_set.manifest["fields"] if kind == FieldType.INTEGER}
    at, arrived = _seconds(table["occurred_at"]), _seconds(table["arrived_at"])
    at = np.where(np.isnan(at), arrived, at)
    order = np.lexsort((table["item_id"].to_numpy(), at))
    table = table.take(order)
    return Examples(
        no=table["no"].to_numpy(),
        item=table["item_id"].to_numpy(),
        external_id=_words(table, "external_id"),
        source=_words(table, "source"),
        segment=_words(table, "segment"),
        truth=table["label"].to_numpy().astype(np.int64),
        weight=_floats(table, "weight"),
        propensity=_floats(table, "propensity"),
        provenance=_words(table, "provenance"),
        route=_words(table, "route"),
        at=at[order],
        arrived=arrived[order],
        ruled=_seconds(table["ruled_at"]),
        value=_floats(table, "value"),
        score=_floats(table, "score"),
        p=_floats(table, "p"),
        fields={name: _values(table, name, whole=name in whole) for name, _kind in data_set.manifest["fields"]},
    )


def _table(data_set: DataSet) -> pa.Table:
    if data_set.manifest["format"] != datasets.FORMAT:
        raise Conflict(_("This data set was frozen by an earlier version: freeze another one."))
    folder = datasets.path(data_set)
    try:
        kept, data = datasets.manifest(folder), (folder / datasets.ROWS).read_bytes()
    except OSError as error:
        raise Conflict(_("The file of the data set is gone: %(name)s.") % {"name": data_set.name}) from error
    expected = kept["erasures"].get("file", data_set.manifest["file"])["sha256"]
    if hashlib.sha256(data).hexdigest() != expected:
        raise Conflict(
            _("The file of the data set is not the one that was frozen: %(name)s.") % {"name": data_set.name}
        )
    return pq.read_table(pa.BufferReader(data))


def _words(table: pa.Table, name: str) -> WordArray:
    words: WordArray = table[name].to_numpy().astype(object)
    return words


def _floats(table: pa.Table, name: str) -> FloatArray:
    """Return a column of numbers, NaN for gaps."""
    numbers: FloatArray = table[name].to_numpy().astype(np.float64)
    return numbers


def _seconds(column: pa.ChunkedArray) -> FloatArray:
    """Return times in seconds since 1970, NaN for gaps."""
    times: FloatArray = column.cast(pa.int64()).to_numpy().astype(np.float64) / 1e6
    return times


def _values(table: pa.Table, name: str, *, whole: bool) -> Sequence[Any]:
    values: list[Any] = table[parquet.PAYLOAD + name].to_pylist()
    if not whole:
        return values
    return [int(value) if value is not None and value.is_integer() else value for value in values]
