"""Bytes become words from outside: what the contract allows of one, and a fault with its place for the rest."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, TooBig
from decisions.intake import parse
from decisions.intake.parse import Bad
from decisions.models import Evidence
from decisions.work.answer import LONGEST_NOTE

Kind = Evidence.Kind
LENGTHS = {"queue": 50, "external_id": 200, "outcome": 50, "source": 50, "reference": 200, "note": LONGEST_NOTE}
NEEDED = ("queue", "external_id", "source", "occurred_at")
OF_KIND: dict[str, tuple[str, ...]] = {Kind.TRUTH: ("outcome", "value"), Kind.FEEDBACK: ("right",)}
KEYS = (*NEEDED, "kind", *OF_KIND[Kind.TRUTH], *OF_KIND[Kind.FEEDBACK], "reference", "note")


@dataclass(frozen=True)
class Said:
    """One word as it was sent: `said` is an outcome's key, right or wrong; "" where `value` (1 or 0) says it."""

    line: int
    queue: str
    external_id: str
    kind: str
    said: str
    value: int | None
    source: str
    occurred_at: datetime
    reference: str = ""
    note: str = ""


def many(data: bytes) -> list[Said | Bad]:
    """Return the lines of an NDJSON body, each as a word or as what is wrong with it; blank lines are passed over.

    Refuses more than 10,000 lines or 20 MB as a whole.
    """
    if len(data) > parse.MAX_BYTES:
        raise TooBig
    lines = [(no, text) for no, text in enumerate(data.split(b"\n"), 1) if text and not text.isspace()]
    if len(lines) > parse.MAX_LINES:
        raise TooBig(_("A call may bring at most %(count)d items.") % {"count": parse.MAX_LINES})
    return [line(no, text) for no, text in lines]


def line(no: int, text: bytes) -> Said | Bad:
    """Return the word in one line, or what is wrong with it."""
    try:
        sent = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Bad(no, "", (Fault("", "invalid_json", _("This is not valid JSON: %(error)s") % {"error": error}),))
    if not isinstance(sent, dict):
        return Bad(no, "", (Fault("", "type", _("A label is a JSON object.")),))
    faults = [*_key_faults(sent), *_text_faults(sent), *_said_faults(sent), *_time_faults(sent)]
    return Bad(no, _name(sent), tuple(faults)) if faults else _said(no, sent)


def _said(no: int, sent: dict[str, Any]) -> Said:
    kind, at = sent.get("kind", Kind.TRUTH.value), parse.moment(sent["occurred_at"])
    assert at is not None  # or it was a fault
    said = sent.get("outcome") or ""
    if kind == Kind.FEEDBACK:
        said = Evidence.RIGHT if sent["right"] else Evidence.WRONG
    texts = {key: sent.get(key) or "" for key in ("queue", "external_id", "source", "reference", "note")}
    return Said(line=no, kind=kind, said=said, value=sent.get("value"), occurred_at=at, **texts)


def _name(sent: dict[str, Any]) -> str:
    """Return the external id as far as it can be said back."""
    name = sent.get("external_id")
    return name[: LENGTHS["external_id"]] if isinstance(name, str) else ""


def _key_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    for key in sent.keys() - set(KEYS):
        near = difflib.get_close_matches(key, KEYS, 1)
        detail = _("%(field)s is not known.") % {"field": key[:80]}
        if near:
            detail = _("%(field)s is not known; did you mean %(near)s?") % {"field": key[:80], "near": near[0]}
        yield Fault(key[:80], "unknown_key", detail)
    for key in NEEDED:
        if sent.get(key) in (None, ""):
            yield Fault(key, "missing", _("%(field)s is missing.") % {"field": key})


def _text_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    for key, length in LENGTHS.items():
        text = sent.get(key)
        if text is None:
            continue
        if not isinstance(text, str):
            yield parse.of_type(key, _("a text"))
        elif len(text) > length:
            detail = _("%(field)s may have at most %(count)d characters.") % {"field": key, "count": length}
            yield Fault(key, "too_long", detail)
        elif "\0" in text:
            yield Fault(key, "nul", _("Texts may not hold the character NUL."))


def _said_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with what is said: a truth has an outcome or a value, a feedback has right."""
    kind = sent.get("kind", Kind.TRUTH.value)
    if kind not in Kind.values:
        yield Fault("kind", "choice", _("A kind is truth or feedback."))
        return
    if sum(sent.get(key) is not None for key in OF_KIND[kind]) != 1:
        truth, feedback = (
            _("An outside truth says either outcome or value."),
            _("A feedback says whether it was right."),
        )
        yield Fault(OF_KIND[kind][0], "one", feedback if kind == Kind.FEEDBACK else truth)
    for other in OF_KIND[Kind.FEEDBACK if kind == Kind.TRUTH else Kind.TRUTH]:
        if sent.get(other) is not None:
            yield Fault(other, "unused", _("%(field)s does not belong to this kind.") % {"field": other})
    if sent.get("value") is not None and (sent["value"] not in (0, 1) or isinstance(sent["value"], bool)):
        yield Fault("value", "choice", _("A value is 1 (positive) or 0 (negative)."))
    if sent.get("right") is not None and not isinstance(sent["right"], bool):
        yield parse.of_type("right", _("true or false"))


def _time_faults(sent: dict[str, Any]) -> Iterator[Fault]:
    if sent.get("occurred_at") not in (None, "") and parse.moment(sent["occurred_at"]) is None:
        detail = _("occurred_at must be an ISO 8601 time with its offset, as in 2026-03-01T12:00:00Z.")
        yield Fault("occurred_at", "format", detail)
