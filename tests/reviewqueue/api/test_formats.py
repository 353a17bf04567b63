"""Strict JSON."""

import pytest

from reviewqueue.api import formats

BAD = [
    (b"{", "cut off"),
    (b'{"a": NaN}', "not a number"),
    (b'{"a": Infinity}', "infinity"),
    (b'{"a": "\\ud800"}', "a lone surrogate"),
    (b'{"a": "\xff"}', "not UTF-8"),
    (b'{"a": "x\\u0000"}', "NUL in a value"),
    (b'{"a\\u0000": 1}', "NUL in a name"),
    (b"[" * 5000, "so deep that a recursive reader breaks"),
    (b"[" * 22 + b"]" * 22, "a level too deep"),
]


@pytest.mark.parametrize(("raw", "why"), BAD)
def test_read_refuses(raw: bytes, why: str) -> None:
    with pytest.raises(formats.Malformed):
        formats.read(raw)


def test_read_takes_twenty_levels_and_an_escaped_backslash() -> None:
    assert formats.read(b"[" * 20 + b"]" * 20)
    assert formats.read(b'"\\\\u0000"') == "\\u0000"


def test_read_takes_no_text_as_an_empty_object() -> None:
    assert formats.read(b" ") == {}
