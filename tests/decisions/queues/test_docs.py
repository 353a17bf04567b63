"""docs/queues.md speaks of every key that a file may have, and of no other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from decisions.queues.spec import (
    Appeals,
    Confirm,
    Crowd,
    FieldType,
    Group,
    Heuristic,
    ModelSpec,
    Need,
    Outcome,
    PayloadField,
    PolicySpec,
    Promise,
    Quality,
    Reason,
    Routes,
    Spec,
    ValueFormula,
)
from decisions.queues.spec_filter import Filter
from decisions.queues.spec_time import Calendar, Deadlines, Expiry, Holiday, Overload
from decisions.queues.spec_training import Training

TEXT = (Path(__file__).resolve().parents[3] / "docs/queues.md").read_text()
TABLES = {"outcomes", "routes", "fields", "policy", "model", "value", "heuristics", "promise", "groups"} | {
    "deadlines",
    "calendar",
    "expiry",
    "overload",
    "quality",
    "confirm",
    "appeals",
    "needs",
    "sensitive",
    "crowd",
    "training",
    "filter",
}
# the heading of a section, and the part of the spec that its table is about
SECTIONS = [
    ("The queue itself", Spec),
    ("`[[outcomes]]`", Outcome),
    ("`[routes]`", Routes),
    ("`[[fields]]`", PayloadField),
    ("`[deadlines]`", Deadlines),
    ("`[calendar]`", Calendar),
    ("`[expiry]`", Expiry),
    ("`[overload]`", Overload),
    ("`[[needs]]`", Need),
    ("`[crowd]`", Crowd),
    ("`[policy]`", PolicySpec),
    ("`[promise]`", Promise),
    ("`[quality]`", Quality),
    ("`[confirm]`", Confirm),
    ("`[appeals]`", Appeals),
    ("`[[groups]]`", Group),
    ("`[model]`", ModelSpec),
    ("`[training]`", Training),
    ("`[filter]`", Filter),
    ("`[value]`", ValueFormula),
    ("`[[heuristics]]`", Heuristic),
]


@pytest.mark.parametrize(("heading", "part"), SECTIONS, ids=[part.__name__ for _heading, part in SECTIONS])
def test_a_section_has_the_keys_of_its_part(heading: str, part: type) -> None:
    section = TEXT.split(f"\n## {heading}")[1].split("\n## ")[0]
    first_cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| ")][1:]
    said = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert said - {"in"} == {field.name for field in fields(part)} - TABLES


def test_reasons_holidays_and_types_are_all_named() -> None:
    assert all(f"{field.name} =" in TEXT for field in fields(Holiday))
    assert all(f"{field.name} =" in TEXT for field in fields(Reason))
    assert all(f"`{word}`" in TEXT for word in FieldType)
