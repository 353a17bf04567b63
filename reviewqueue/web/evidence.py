"""An item's payload as rows of label and value, by the types of its spec."""

import math
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.utils import formats
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from decisions.queues.spec import NUMERIC, FieldType, PayloadField, Spec
from reviewqueue.web import words

SHOWN_AS = {FieldType.INTEGER: "number", FieldType.DATETIME: "date"}
LONG = frozenset({FieldType.IMAGE, FieldType.HTML, FieldType.JSON, FieldType.LINK})  # always on a line of their own
SHORT = 60  # characters of a text that fits beside another field


def rows(payload: Mapping[str, Any], spec: Spec, failures: Iterable[str]) -> list[dict[str, Any]]:
    """Return the spec's fields in its order, then what else was sent; `failures` are the codes of failed checks."""
    problems = _problems(failures)
    known = [_row(field, payload.get(field.name), spec, problems.get(field.name, "")) for field in spec.fields]
    named = {field.name for field in spec.fields}
    extra = [
        {"label": name, "type": "json", "value": value, "node": tree(None, value), "is_long": True}
        for name, value in payload.items()
        if name not in named
    ]
    return known + extra


def tree(key: str | None, value: Any) -> dict[str, Any]:
    """Return a JSON value as nested nodes for a page."""
    if isinstance(value, dict):
        return {"key": key, "children": [tree(str(name), inner) for name, inner in value.items()]}
    if isinstance(value, list):
        return {"key": key, "children": [tree(str(number), inner) for number, inner in enumerate(value)]}
    return {"key": key, "text": _plain(value)}


def _row(field: PayloadField, value: Any, spec: Spec, problem: str) -> dict[str, Any]:
    row = {
        "label": field.label,
        "type": _shown_as(field, value),
        "value": value,
        "is_long": field.type in LONG or (isinstance(value, str) and len(value) > SHORT),
        "unit": field.unit,
        "missing": value is None,
        "problem": "" if value is None else problem,
        "text": text(field, value, spec),
    }
    if field.type == FieldType.JSON and value is not None:
        row["node"] = tree(None, value)
    return row


def _shown_as(field: PayloadField, value: Any) -> str:
    """Return how a value is shown; what claims to be a link or an image and is none is shown as text.

    Pages load nothing from elsewhere: an image stands in the payload itself as `data:`, else it is a link.
    """
    if field.type == FieldType.IMAGE and _begins(value, "data:image/"):
        return "image"
    if field.type in (FieldType.IMAGE, FieldType.LINK):
        return "link" if _is_web_address(value) else "text"
    if field.type == FieldType.JSON and value is not None:
        return "json"
    return SHOWN_AS.get(field.type, field.type.value)


def _begins(value: Any, start: str) -> bool:
    return isinstance(value, str) and value[: len(start)].lower() == start


def _is_web_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)
    except ValueError:
        return False


def text(field: PayloadField, value: Any, spec: Spec) -> str:
    """Return a value in words; one of another type than its field's is shown as it came."""
    if value is None or field.type not in (*NUMERIC, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.type in NUMERIC and isinstance(value, int | float):
        return _number(value)
    if field.type in (FieldType.DATE, FieldType.DATETIME) and isinstance(value, str):
        return _moment(value, spec)
    return _plain(value)


def _number(value: float) -> str:
    """Return a number as people write it: no decimals where it has none, never more than it came with."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    whole = int(value) if value == int(value) else value
    return str(formats.number_format(whole, use_l10n=True, force_grouping=True))


def _moment(value: str, spec: Spec) -> str:
    try:
        moment, day = parse_datetime(value), parse_date(value[:10])
    except ValueError:
        return value
    if moment is not None and moment.tzinfo is not None:
        local = localtime(moment, spec.zone)
        return f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M %Z}"
    return formats.date_format(day, "SHORT_DATE_FORMAT") if day and len(value) == len("2026-01-01") else value


def _plain(value: Any) -> str:
    if value is None:
        return _("null")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def _problems(failures: Iterable[str]) -> dict[str, str]:
    """Return what is wrong with each field, in words, from codes like `range:Age`."""
    found = (failure.partition(":") for failure in failures)
    return {name: str(words.FIELD[code]) for code, _colon, name in found if code in words.FIELD}
