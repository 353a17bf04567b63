"""Payloads as people read them: by type, with what is missing or wrong marked."""

from typing import Any

import pytest

from decisions.queues.spec import FieldType, PayloadField
from reviewqueue.web import evidence
from tests.factories import make_spec


def row(kind: FieldType, value: Any, **field: Any) -> dict[str, Any]:
    spec = make_spec(fields=(PayloadField("it", kind, "It", **field),), timezone="Europe/Berlin")
    return evidence.rows({"it": value}, spec, ["range:it"])[0]


# type, what was sent, how it is shown, its text
@pytest.mark.parametrize(
    ("kind", "value", "shown", "text"),
    [
        (FieldType.MONEY, 1350.0, "money", "1,350"),  # whole amounts without decimals
        (FieldType.MONEY, 1350.25, "money", "1,350.25"),
        (FieldType.INTEGER, 12345, "number", "12,345"),
        (FieldType.NUMBER, -0.5, "number", "-0.5"),
        (FieldType.NUMBER, "many", "number", "many"),  # of another type: as it came
        (FieldType.BOOLEAN, True, "boolean", "yes"),
        (FieldType.DATE, "2026-03-01", "date", "03/01/2026"),
        (FieldType.DATE, "soon", "date", "soon"),
        (FieldType.DATETIME, "2026-03-01T12:00:00Z", "date", "03/01/2026 13:00 CET"),  # on the queue's own clock
        (FieldType.LINK, "https://example.org/a", "link", ""),
        (FieldType.LINK, "javascript:alert(1)", "text", ""),
        (FieldType.LINK, "//example.org", "text", ""),
        (FieldType.LINK, "http://[", "text", ""),
        (FieldType.IMAGE, "data:image/png;base64,AA==", "image", ""),
        (FieldType.IMAGE, "https://example.org/a.png", "link", ""),  # nothing is loaded from elsewhere
        (FieldType.IMAGE, "data:text/html,<script>", "text", ""),
    ],
)
def test_each_type_is_shown_in_its_way(kind: FieldType, value: Any, shown: str, text: str) -> None:
    found = row(kind, value)
    assert (found["type"], found["text"]) == (shown, text)
    assert found["problem"] == "outside the expected range"


def test_what_is_missing_has_no_problem_besides() -> None:
    found = row(FieldType.MONEY, None)
    assert found["missing"]
    assert found["problem"] == ""


def test_long_values_stand_on_lines_of_their_own() -> None:
    assert row(FieldType.TEXT, "x" * 61)["is_long"]
    assert not row(FieldType.TEXT, "x" * 60)["is_long"]
    assert row(FieldType.JSON, {"a": [1, None, True]})["node"]["children"][0]["children"][1]["text"] == "null"


def test_what_the_spec_does_not_know_is_shown_too() -> None:
    extra = evidence.rows({"text": "a", "else": {"deep": 1}}, make_spec(), [])[-1]
    assert (extra["label"], extra["type"]) == ("else", "json")
