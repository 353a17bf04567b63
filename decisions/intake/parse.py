"""Bytes become rows: what the contract allows of an item, and a fault with its place for the rest."""

import difflib
import json
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid, TooBig
from decisions.record import digest

MAX_LINES = 10_000
MAX_BYTES = 20 * 1024 * 1024  # of a whole call, unpacked
MAX_PAYLOAD = 256 * 1024  # of one payload, in canonical form
MAX_DEPTH = 20
ABOUT = ("source", "subject", "segment", "value", "occurred_at")
KEYS = frozenset({"external_id", "payload", "score", "model", *ABOUT})
LENGTHS = {"external_id": 200, "model": 100, "source": 50, "subject": 200, "segment": 100}


class Row(NamedTuple):
    """One item as it was sent. `content` is the canonical JSON of all that was said about it, score and model apart.

    `score` may be NaN or infinite: that is for the output check to say. None: no score came.
    """

    line: int
    external_id: str
    payload: dict[str, Any]
    content: bytes
    score: float | None = None
    model: str = ""
    source: str = ""
    subject: str = ""
    segment: str = ""
    value: float | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bad:
    """One line that is not accepted, and why."""

    line: int
    external_id: str
    faults: tuple[Fault, ...]

    @property
    def code(self) -> str:
        return self.faults[0].code

    @property
    def detail(self) -> str:
        return " ".join(fault.detail for fault in self.faults)


def unpack(data: bytes) -> bytes:
    """Return what a gzip stream holds; refuses a broken one and one that grows past the limit of a call."""
    try:
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        out = unpacker.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise Invalid(_("The body is not valid gzip.")) from error
    if len(out) > MAX_BYTES:
        raise _too_many_bytes()
    if not unpacker.eof or unpacker.unused_data:
        raise Invalid(_("The body is not one complete gzip stream."))
    return out


def many(data: bytes) -> list[Row | Bad]:
    """Return the lines of an NDJSON body, each as a row or as what is wrong with it; blank lines are passed over.

    Refuses more than 10,000 lines or 20 MB as a whole.
    """
    if len(data) > MAX_BYTES:
        raise _too_many_bytes()
    lines = [(no, text) for no, text in enumerate(data.split(b"\n"), 1) if text and not text.isspace()]
    if len(lines) > MAX_LINES:
        raise TooBig(_("A call may bring at most %(count)d items.") % {"count": MAX_LINES})
    return [line(no, text) for no, text in lines]


def one(data: bytes) -> Row:
    """Return the item in a JSON body; raises Invalid with all its faults."""
    if len(data) > MAX_BYTES:
        raise _too_many_bytes()
    found = line(1, data)
    if isinstance(found, Bad):
        raise Invalid(faults=found.faults)
    return found


def _too_many_bytes() -> TooBig:
    return TooBig(_("A call may bring at most %(count)d MB.") % {"count": MAX_BYTES >> 20})


def line(no: int, text: bytes) -> Row | Bad:
    """Return the item in one line, or what is wrong with it."""
    try:
        sent, is_strict = _load(text)
    except ValueError as error:
        detail = _("This is not valid JSON: %(error)s") % {"error": error}
        return Bad(no, "", (Fault("", "invalid_json", detail),))
    if not isinstance(sent, dict):
        return Bad(no, "", (Fault("", "type", _("An item is a JSON object.")),))
    faults = [*_key_faults(sent), *_text_faults(sent), *_other_faults(sent)]
    # What is not written cannot be there: nearly every line is cleared of depth and NUL by its bytes alone.
    if not is_strict or b"\\u0000" in text or text.count(b"[") + text.count(b"{") > MAX_DEPTH + 1:
        faults.extend(_deep_faults(sent))
    return Bad(no, _name(sent), tuple(faults)) if faults else _row(no, sent)


def _load(text: bytes) -> tuple[Any, bool]:
    """Parse JSON, and tell whether it is strict: the output check wants to see a NaN or an infinity that was sent."""
    try:
        return orjson.loads(text), True
    except orjson.JSONDecodeError as error:
        if b"NaN" not in text and b"Infinity" not in text and "infinity" not in str(error):
            raise
    try:
        sent = json.loads(text)
        orjson.dumps(sent)  # refuses what else the lenient parser lets pass: surrogates, huge integers, great depth
    except (RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error
    return sent, False


def _name(sent: dict[str, Any]) -> str:
    """Return the external id as far as it can be said back."""
    name = sent.get("external_id")
    return name[: LENGTHS["external_id"]] if isinstance(name, str) else ""


def _key_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    """Yield keys that nobody knows and keys that must be there."""
    for key in sent.keys() - KEYS:
        yield _unknown(key)
    if not isinstance(sent.get("payload"), dict):
        yield _missing_or_type(sent, "payload", _("an object"))
    if not sent.get("external_id"):
        yield Fault("external_id", "missing", _("%(field)s is missing.") % {"field": "external_id"})


def _text_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    """Yield texts of the top level that are none or too long."""
    for key, length in LENGTHS.items():
        text = sent.get(key)
        if isinstance(text, str):
            if len(text) > length:
                detail = _("%(field)s may have at most %(count)d characters.") % {"field": key, "count": length}
                yield Fault(key, "too_long", detail)
        elif text is not None:
            yield of_type(key, _("a text"))


def _other_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    """Yield numbers and times of the top level that are none."""
    for key in ("score", "value"):
        if sent.get(key) is not None and type(sent[key]) not in (int, float):
            yield of_type(key, _("a number"))
    if sent.get("occurred_at") is not None and moment(sent["occurred_at"]) is None:
        detail = _("occurred_at must be an ISO 8601 time with its offset, as in 2026-03-01T12:00:00Z.")
        yield Fault("occurred_at", "format", detail)


def _unknown(key: str) -> Fault:
    near = difflib.get_close_matches(key, sorted(KEYS), 1)
    detail = _("%(field)s is not known.") % {"field": key[:80]}
    if near:
        detail = _("%(field)s is not known; did you mean %(near)s?") % {"field": key[:80], "near": near[0]}
    return Fault(key, "unknown_key", detail)


def _missing_or_type(sent: dict[str, Any], key: str, kind: str) -> Fault:
    if sent.get(key) is None:
        return Fault(key, "missing", _("%(field)s is missing.") % {"field": key})
    return of_type(key, kind)


def of_type(key: str, kind: str) -> Fault:
    """Return the fault of a field that is not of its kind."""
    return Fault(key, "type", _("%(field)s must be %(kind)s.") % {"field": key, "kind": kind})


def moment(text: Any) -> datetime | None:
    """Return a time in UTC, or None where the text is no time or has no offset."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _deep_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong inside: NUL, depth, numbers that are none; walks without recursion."""
    payload, rest = sent.get("payload"), [v for k, v in sent.items() if k not in ("payload", "score")]
    if any(isinstance(leaf, str) and "\0" in leaf for leaf in _leaves(sent)):
        yield Fault("", "nul", _("Texts may not hold the character NUL."))
    if any(isinstance(leaf, float) and not math.isfinite(leaf) for leaf in _leaves([payload, rest])):
        yield Fault("", "not_finite", _("Only the score may be NaN or infinite."))
    if _depth(payload) > MAX_DEPTH:
        detail = _("The payload may be nested at most %(count)d levels deep.") % {"count": MAX_DEPTH}
        yield Fault("payload", "too_deep", detail)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()


def _leaves(value: Any) -> Iterator[Any]:
    level = [value]
    while level:
        value = level.pop()
        if isinstance(value, dict | list):
            level.extend(_inside(value))
        else:
            yield value


def _depth(value: Any) -> int:
    """Return how many objects and lists stand in one another."""
    depth, level = 0, [value]
    while level := [v for v in level if isinstance(v, dict | list)]:
        depth += 1
        level = [inner for v in level for inner in _inside(v)]
    return depth


def _row(no: int, sent: dict[str, Any]) -> Row | Bad:
    said = {"payload": sent["payload"], **{key: sent[key] for key in ABOUT if sent.get(key) is not None}}
    content = digest.canonical(said)
    if len(content) > MAX_PAYLOAD and len(digest.canonical(sent["payload"])) > MAX_PAYLOAD:
        detail = _("The payload may have at most %(count)d kB.") % {"count": MAX_PAYLOAD >> 10}
        return Bad(no, _name(sent), (Fault("payload", "too_big", detail),))
    value, score, occurred_at = sent.get("value"), sent.get("score"), sent.get("occurred_at")
    return Row(
        no,
        sent["external_id"],
        sent["payload"],
        content,
        None if score is None else float(score),
        sent.get("model") or "",
        sent.get("source") or "",
        sent.get("subject") or "",
        sent.get("segment") or "",
        None if value is None else float(value),
        None if occurred_at is None else moment(occurred_at),
    )
