"""Files of rows: who is who, what is in which part, and what a cell says."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from decisions.exceptions import Invalid
from decisions.learning import rows
from decisions.learning.rows import Condition, FileRow, Part
from decisions.queues.spec import FieldType, PayloadField

TEXT = "time,words\n2012-01-31T23:59:59Z,5\n2012-02-01T00:00:00Z,50\n"


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_rows_are_named_by_their_place(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(TEXT.encode()) if name.endswith("gz") else TEXT.encode())
    assert [(row.external_id, row.cells["words"]) for row in rows.read(file, "mail")] == [
        ("mail-000001", "5"),
        ("mail-000002", "50"),
    ]


@pytest.mark.parametrize(
    ("text", "cells", "holds"),
    [
        ("time<2012-02-01", {"time": "2012-01-31T23:59:59Z"}, True),
        ("time<2012-02-01", {"time": "2012-02-01T00:00:00Z"}, False),
        ("words<10", {"words": "9"}, True),  # as numbers: as texts 9 would be the greater
        ("words >= 10", {"words": "10.0"}, True),
        ("words<=9", {"words": "10"}, False),
        ("kind=mail", {"kind": "mail"}, True),
        ("kind!=mail", {"kind": "mail"}, False),
        ("words>", {"words": "5"}, True),  # not empty
    ],
)
def test_conditions(text: str, cells: dict[str, str], holds: bool) -> None:
    assert Condition.parse(text).holds(cells) is holds


def test_a_condition_without_an_operator_or_a_known_column_is_refused() -> None:
    with pytest.raises(Invalid):
        Condition.parse("time")
    with pytest.raises(Invalid):
        Condition.parse("time<1").holds({"words": "5"})


def test_a_share_is_about_that_large_fixed_and_changed_by_its_salt() -> None:
    made = [FileRow(f"credit-{i:06d}", {}) for i in range(4000)]
    half, again, other = (
        [row.external_id for row in made if Part(share=0.5, salt=salt).holds(row)] for salt in ("a", "a", "b")
    )
    assert half == again != other
    assert len(half) == pytest.approx(2000, abs=120)
    assert all(Part().holds(row) for row in made)


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("", FieldType.NUMBER, None),
        ("NA", FieldType.CATEGORY, None),
        ("129.0", FieldType.MONEY, 129.0),
        ("9", FieldType.INTEGER, 9),
        ("9.0", FieldType.INTEGER, 9),
        ("9.5", FieldType.INTEGER, 9.5),  # left to the input check
        ("many", FieldType.NUMBER, "many"),
        ("1", FieldType.BOOLEAN, True),
        ("no", FieldType.BOOLEAN, False),
        ("perhaps", FieldType.BOOLEAN, "perhaps"),
        ("5", FieldType.TEXT, "5"),
    ],
)
def test_cells_become_values_of_their_field(cell: str, kind: FieldType, value: Any) -> None:
    got = rows.payload({"x": cell}, [PayloadField("x", kind, "X")])["x"]
    assert (got, type(got)) == (value, type(value))
