"""What may be said from outside, and what is wrong with the rest."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from decisions.exceptions import TooBig
from decisions.intake import parse
from decisions.intake.parse import Bad
from decisions.work import said
from decisions.work.said import Said

GOOD: dict[str, Any] = {
    "queue": "mail",
    "external_id": "m-1",
    "outcome": "spam",
    "source": "crm",
    "occurred_at": "2026-03-02T13:00:00+01:00",
}
FEEDBACK = {key: value for key, value in GOOD.items() if key != "outcome"} | {"kind": "feedback", "right": False}


def line(**changes: Any) -> Said | Bad:
    return said.line(1, orjson.dumps({**GOOD, **changes}))


def test_a_truth_a_value_and_a_feedback() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert line() == Said(1, "mail", "m-1", "truth", "spam", None, "crm", at)
    assert line(outcome=None, value=1) == Said(1, "mail", "m-1", "truth", "", 1, "crm", at)
    told = said.line(7, orjson.dumps({**FEEDBACK, "reference": "r", "note": "n"}))
    assert told == Said(7, "mail", "m-1", "feedback", "wrong", None, "crm", at, "r", "n")


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        (GOOD | {"queue": ""}, "queue", "missing"),
        (GOOD | {"source": None}, "source", "missing"),
        (GOOD | {"occurred_at": "2026-03-02"}, "occurred_at", "format"),  # no offset
        (GOOD | {"occurred_at": 7}, "occurred_at", "format"),
        (GOOD | {"outcom": "spam"}, "outcom", "unknown_key"),
        (GOOD | {"value": 1}, "outcome", "one"),  # both
        (GOOD | {"outcome": None}, "outcome", "one"),  # neither
        (GOOD | {"outcome": None, "value": 2}, "value", "choice"),
        (GOOD | {"outcome": None, "value": True}, "value", "choice"),
        (GOOD | {"outcome": ["spam"]}, "outcome", "type"),
        (GOOD | {"right": True}, "right", "unused"),
        (GOOD | {"kind": "rumour"}, "kind", "choice"),
        (GOOD | {"kind": ["truth"]}, "kind", "choice"),
        (GOOD | {"source": "x" * 51}, "source", "too_long"),
        (GOOD | {"note": "a\0b"}, "note", "nul"),
        (FEEDBACK | {"right": "yes"}, "right", "type"),
        (FEEDBACK | {"right": None}, "right", "one"),
        (FEEDBACK | {"outcome": "spam"}, "outcome", "unused"),
    ],
)
def test_what_is_wrong_is_named(sent: dict[str, Any], field: str, code: str) -> None:
    found = said.line(1, orjson.dumps(sent))
    assert isinstance(found, Bad)
    assert (field, code) in [(fault.field, fault.code) for fault in found.faults]
    assert found.external_id == "m-1"


def test_what_is_no_object_is_wrong() -> None:
    for text, code in ((b"{", "invalid_json"), (b"[1]", "type")):
        found = said.line(3, text)
        assert isinstance(found, Bad)
        assert (found.line, found.code) == (3, code)


def test_lines_keep_their_numbers_and_there_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    text = orjson.dumps(GOOD)
    assert [one.line for one in said.many(b"\n" + text + b"\n \n{\n")] == [2, 4]
    monkeypatch.setattr(parse, "MAX_LINES", 1)
    with pytest.raises(TooBig):
        said.many(text + b"\n" + text)
    monkeypatch.setattr(parse, "MAX_BYTES", 10)
    with pytest.raises(TooBig):
        said.many(text)
