"""Input and output checks: tables of cases."""

from typing import Any

import numpy as np
import pytest

from decisions.intake import checks
from decisions.queues.spec import FieldType, PayloadField, Remedy

T = FieldType


def field(kind: FieldType, **more: Any) -> PayloadField:
    return PayloadField("x", kind, "X", **{"if_missing": Remedy.PEOPLE, **more})


@pytest.mark.parametrize(
    ("spec", "value", "code"),
    [
        (field(T.NUMBER), None, "missing"),
        (field(T.NUMBER), 1.5, ""),
        (field(T.NUMBER), 1, ""),
        (field(T.NUMBER), "1", "type"),
        (field(T.NUMBER), True, "type"),
        (field(T.NUMBER), [1], "type"),
        (field(T.NUMBER, low=0, high=10), 0, ""),  # inclusive
        (field(T.NUMBER, low=0, high=10), 10.0, ""),
        (field(T.NUMBER, low=0, high=10), 10.5, "range"),
        (field(T.MONEY, low=0), -0.01, "range"),
        (field(T.INTEGER), 3, ""),
        (field(T.INTEGER), 3.0, ""),  # some senders know no integers
        (field(T.INTEGER), 3.5, "type"),
        (field(T.INTEGER), 10**30, ""),
        (field(T.BOOLEAN), False, ""),
        (field(T.BOOLEAN), 0, "type"),
        (field(T.TEXT), "", ""),
        (field(T.TEXT), 5, "type"),
        (field(T.HTML), "<b>", ""),
        (field(T.CATEGORY, categories=("a", "b")), "a", ""),
        (field(T.CATEGORY, categories=("a", "b")), "c", "unseen"),
        (field(T.CATEGORY, categories=("a", "b")), "", "unseen"),
        (field(T.CATEGORY, categories=("1",)), 1, "type"),
        (field(T.CATEGORY), "anything", ""),  # no list: any text
        (field(T.CATEGORY, categories=("a",)), ["a"], "type"),
        (field(T.DATE), "2026-03-01", ""),
        (field(T.DATE), "2026-02-30", "format"),
        (field(T.DATE), "1.3.2026", "format"),
        (field(T.DATETIME), "2026-03-01T12:00:00Z", ""),
        (field(T.DATETIME), "2026-03-01T12:00:00", "format"),  # no offset
        (field(T.LINK), "https://example.org/a?b", ""),
        (field(T.LINK), "javascript:alert(1)", "format"),
        (field(T.LINK), "https://", "format"),
        (field(T.LINK), "https://a b", "format"),
        (field(T.LINK), "http://[", "format"),
        (field(T.IMAGE), "data:image/png;base64,AA==", ""),
        (field(T.IMAGE), "data:text/html,x", "format"),
        (field(T.JSON), {"a": [1]}, ""),
        (field(T.JSON), None, "missing"),
    ],
)
def test_inputs(spec: PayloadField, value: Any, code: str) -> None:
    found = checks.inputs([{"x": value}], [spec])
    assert found.failures == ({0: [f"{code}:x"]} if code else {})
    assert found.faults == {}


def test_a_field_that_is_not_sent_is_missing() -> None:
    assert checks.inputs([{}], [field(T.TEXT)]).failures == {0: ["missing:x"]}


@pytest.mark.parametrize(
    ("remedy", "failures", "faults"),
    [
        (Remedy.ACCEPT, {}, {}),
        (Remedy.PEOPLE, {0: ["missing:x"], 1: ["range:x"]}, {}),
        (Remedy.ASK, {}, {0: [("payload.x", "missing")], 1: [("payload.x", "range")]}),
    ],
)
def test_remedies(remedy: Remedy, failures: dict[int, list[str]], faults: dict[int, list[tuple[str, str]]]) -> None:
    spec = field(T.NUMBER, low=0, if_missing=remedy, if_invalid=remedy)
    found = checks.inputs([{}, {"x": -1}, {"x": 1}], [spec])
    assert found.failures == failures
    assert {i: [(f.field, f.code) for f in these] for i, these in found.faults.items()} == faults


def test_every_failure_of_an_item_is_told() -> None:
    spec = [PayloadField(name, T.NUMBER, name, low=0) for name in ("a", "b")]
    assert checks.inputs([{"a": -1, "b": "x"}], spec).failures == {0: ["range:a", "type:b"]}


def test_outputs() -> None:
    scores = np.array([0.0, 1.0, 1.0000001, -0.1, np.nan, np.inf, -np.inf])
    found = checks.outputs(scores, 0.0, 1.0)
    assert found == {2: checks.RANGE, 3: checks.RANGE, 4: checks.NAN, 5: checks.NAN, 6: checks.NAN}
