"""What the contract allows of a line, and what is said of the rest."""

import gzip
import math
import zlib
from typing import Any

import orjson
import pytest

from decisions.exceptions import Invalid, TooBig
from decisions.intake import parse
from decisions.intake.parse import Bad, Row

GOOD: dict[str, Any] = {"external_id": "a", "payload": {"text": "hello"}}


def only(line: bytes | dict[str, Any]) -> Row | Bad:
    (found,) = parse.many(line if isinstance(line, bytes) else orjson.dumps(line))
    return found


def row(line: bytes | dict[str, Any]) -> Row:
    found = only(line)
    assert isinstance(found, Row)
    return found


def test_a_full_line_becomes_a_row() -> None:
    found = row(
        {
            **GOOD,
            "score": 1,
            "model": "m",
            "source": "s",
            "subject": "Bob",
            "segment": "north",
            "value": 5,
            "occurred_at": "2026-03-01T13:00:00+01:00",
        }
    )
    assert (found.score, found.model, found.source, found.subject) == (1.0, "m", "s", "Bob")
    assert (found.segment, found.value) == ("north", 5.0)
    assert found.occurred_at is not None
    assert found.occurred_at.isoformat() == "2026-03-01T12:00:00+00:00"
    content = orjson.loads(found.content)
    assert content.keys() == {"payload", "source", "subject", "segment", "value", "occurred_at"}


def test_the_order_of_keys_does_not_matter_to_the_content() -> None:
    one, other = b'{"external_id":"a","payload":{"x":1,"y":2}}', b'{"payload":{"y":2,"x":1},"external_id":"a"}'
    assert row(one).content == row(other).content


def test_null_is_the_same_as_not_sent() -> None:
    assert row({**GOOD, "score": None, "value": None, "source": None, "occurred_at": None}) == row(GOOD)


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (b"{", "", "invalid_json"),
        (b"\xff", "", "invalid_json"),  # no UTF-8
        (b'{"external_id":"a","payload":{"t":"\\ud800"}}', "", "invalid_json"),  # lone surrogate
        (b'{"external_id":"\\udc00","payload":{}}', "", "invalid_json"),
        (b"[" * 2000 + b"]" * 2000, "", "invalid_json"),  # deeper than any parser goes
        (b'{"external_id":"a","payload":{"x":NaN},"score":' + b"[" * 3000, "", "invalid_json"),
        (b"[]", "", "type"),
        (b"1", "", "type"),
        ({"payload": {}}, "external_id", "missing"),
        ({"external_id": "", "payload": {}}, "external_id", "missing"),
        ({"external_id": 5, "payload": {}}, "external_id", "type"),
        ({"external_id": "x" * 201, "payload": {}}, "external_id", "too_long"),
        ({"external_id": "a"}, "payload", "missing"),
        ({"external_id": "a", "payload": []}, "payload", "type"),
        ({**GOOD, "scor": 0.5}, "scor", "unknown_key"),
        ({**GOOD, "score": "0.5"}, "score", "type"),
        ({**GOOD, "score": True}, "score", "type"),
        ({**GOOD, "value": "5"}, "value", "type"),
        (b'{"external_id":"a","payload":{},"value":NaN}', "", "not_finite"),
        (b'{"external_id":"a","payload":{"x":[1e400]}}', "", "not_finite"),
        ({**GOOD, "source": 5}, "source", "type"),
        ({**GOOD, "source": "x" * 51}, "source", "too_long"),
        ({**GOOD, "segment": "x" * 101}, "segment", "too_long"),
        ({**GOOD, "occurred_at": "yesterday"}, "occurred_at", "format"),
        ({**GOOD, "occurred_at": "2026-03-01T12:00:00"}, "occurred_at", "format"),  # no offset
        ({**GOOD, "occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at", "format"),  # before any time
        ({**GOOD, "occurred_at": 5}, "occurred_at", "format"),
        ({"external_id": "a\0", "payload": {}}, "", "nul"),
        ({"external_id": "a", "payload": {"k": ["x\0"]}}, "", "nul"),
        ({"external_id": "a", "payload": {"k\0": 1}}, "", "nul"),
        ({"external_id": "a", "payload": {"t": "x" * (256 * 1024)}}, "payload", "too_big"),
    ],
)
def test_a_wrong_line_is_bad_and_says_where(line: bytes | dict[str, Any], field: str, code: str) -> None:
    found = only(line)
    assert isinstance(found, Bad)
    assert (field, code) in [(fault.field, fault.code) for fault in found.faults]


def test_a_near_miss_is_named() -> None:
    found = only({**GOOD, "extrenal_id": "b"})
    assert isinstance(found, Bad)
    assert "external_id" in found.detail


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (b"NaN", math.nan),
        (b"Infinity", math.inf),
        (b"-Infinity", -math.inf),
        (b"1e400", math.inf),
        (b"-1e400", -math.inf),
    ],
)
def test_a_score_that_is_no_number_is_left_to_the_output_check(text: bytes, score: float) -> None:
    found = row(b'{"external_id":"a","payload":{},"score":' + text + b"}")
    assert found.score == pytest.approx(score, nan_ok=True)


def test_text_that_only_looks_like_nul_is_fine() -> None:
    assert row(rb'{"external_id":"a","payload":{"t":"a\\u0000b"}}').payload == {"t": "a\\u0000b"}


@pytest.mark.parametrize(("depth", "fits"), [(20, True), (21, False)])
def test_depth(depth: int, fits: bool) -> None:
    payload: Any = {}
    for _ in range(depth - 1):
        payload = {"x": payload}
    assert isinstance(only({"external_id": "a", "payload": payload}), Row) is fits


def test_many_flat_lists_are_not_deep() -> None:
    row({"external_id": "a", "payload": {str(i): [] for i in range(50)}})


def test_lines_keep_their_numbers_over_blank_and_bad_ones() -> None:
    good = orjson.dumps(GOOD)
    found = parse.many(b"\n".join([good, b"", b"{", b"  \r", good + b"\r"]))
    assert [(line.line, type(line)) for line in found] == [(1, Row), (3, Bad), (5, Row)]


def test_nothing_is_nothing() -> None:
    assert parse.many(b"") == []


def test_too_many_lines_are_refused_as_a_whole() -> None:
    with pytest.raises(TooBig):
        parse.many(b"{}\n" * 10_001)


def test_too_many_bytes_are_refused_as_a_whole() -> None:
    with pytest.raises(TooBig):
        parse.many(b" " * (parse.MAX_BYTES + 1))


def test_gzip_is_unpacked() -> None:
    assert parse.unpack(gzip.compress(b"hello")) == b"hello"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(TooBig):
        parse.unpack(gzip.compress(bytes(200 * 1024 * 1024), 9))


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", gzip.compress(b"hello" * 1000)[:-5], zlib.compress(b"hello"), gzip.compress(b"a") + b"rest"],
    ids=["nothing", "plain", "cut off", "another format", "with a rest"],  # a packed value holds the time it was packed
)
def test_what_is_no_whole_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        parse.unpack(data)


def test_one_refuses_with_all_its_faults() -> None:
    with pytest.raises(Invalid) as refused:
        parse.one(orjson.dumps({"external_id": 5, "payload": [], "x": 1}))
    assert {fault.field for fault in refused.value.faults} == {"external_id", "payload", "x"}
