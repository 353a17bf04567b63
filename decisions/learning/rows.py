"""Files of rows with their truth: each row's identity, its payload, and which part of a file is meant."""

import csv
import gzip
import hashlib
import io
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from decisions.exceptions import Fault, Invalid
from decisions.queues.spec import NUMERIC, FieldType, PayloadField

TRUE, FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {  # longer ones first, for `<` stands in `<=`
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}


@dataclass(frozen=True)
class FileRow:
    """One row of a CSV file. `external_id` says which, by its place in the file: `emails-000123`."""

    external_id: str
    cells: dict[str, str]


def read(path: Path, prefix: str) -> Iterator[FileRow]:
    """Yield the rows of a CSV file, packed by gzip or not; the first row after the head is number 1."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for no, cells in enumerate(csv.DictReader(io.StringIO(data.decode(), newline="")), 1):
        yield FileRow(f"{prefix}-{no:06d}", cells)


@dataclass(frozen=True)
class Condition:
    """A claim about one column; values that are both numbers are compared as numbers, others as texts."""

    column: str
    op: str
    operand: str

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read `time<2012-02-01`; refuses what is not a column, an operator and a value."""
        for op in OPERATORS:
            column, found, operand = text.partition(op)
            if found and column.strip():
                return cls(column.strip(), op, operand.strip())
        raise Invalid(faults=[Fault("where", "format", f"“{text}” is not written as COLUMN<VALUE.")])

    def holds(self, cells: dict[str, str]) -> bool:
        """Tell whether a row meets it; refuses a column that the file does not have."""
        if self.column not in cells:
            raise Invalid(faults=[Fault("where", "reference", f"The file has no column “{self.column}”.")])
        left, right = _comparable(cells[self.column], self.operand)
        return bool(OPERATORS[self.op](left, right))


def _comparable(left: str, right: str) -> tuple[Any, Any]:
    try:
        return float(left), float(right)
    except ValueError:
        return left, right


@dataclass(frozen=True)
class Part:
    """Which rows of a file are meant: those that meet every condition, and of these a share fixed by `salt`.

    Training takes a part and a replay of the same file the rest, so that no row is both.
    """

    where: tuple[Condition, ...] = ()
    share: float = 1.0
    salt: str = ""

    def holds(self, row: FileRow) -> bool:
        """Tell whether a row is in this part; the same row always gets the same answer."""
        return all(condition.holds(row.cells) for condition in self.where) and self._draws(row.external_id)

    def _draws(self, external_id: str) -> bool:
        if self.share >= 1.0:
            return True
        number = int.from_bytes(hashlib.sha256(f"{self.salt}|{external_id}".encode()).digest()[:8], "big")
        return number / 2**64 < self.share


def payload(cells: dict[str, str], fields: Sequence[PayloadField]) -> dict[str, Any]:
    """Return the payload that a row's cells make, typed as the queue's fields say; an empty cell is missing.

    A cell that does not fit its type stays a text: the input checks say so.
    """
    return {field.name: typed(cells.get(field.name) or "", field) for field in fields}


def typed(cell: str, field: PayloadField) -> Any:
    """Return a cell in its field's type, None where it is empty."""
    if cell in ("", "NA"):
        return None
    if field.type == FieldType.BOOLEAN and cell.lower() in TRUE | FALSE:
        return cell.lower() in TRUE
    if field.type not in NUMERIC:
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    return int(number) if field.type == FieldType.INTEGER and number.is_integer() else number
