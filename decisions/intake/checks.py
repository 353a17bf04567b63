"""Tests of what came in and of what a model said; an item that fails one is not left to the machine."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from decisions.exceptions import Fault
from decisions.queues.spec import NUMERIC, FieldType, PayloadField, Remedy

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Column = list[Any]  # one field's values in all the payloads; None where missing

NAN, RANGE, WRONG_MODEL = "output:nan", "output:range", "output:model"
LONGEST = 120  # of a failure's code, as it is stored


@dataclass(frozen=True)
class Found:
    """What the input checks found, by the item's place: codes of failures, and faults that its sender must mend."""

    failures: dict[int, list[str]] = field(default_factory=dict)
    faults: dict[int, list[Fault]] = field(default_factory=dict)


def inputs(payloads: Sequence[dict[str, Any]], fields: Iterable[PayloadField]) -> Found:
    """Check payloads field by field: missing, type, range, unseen category, format. Each field has its remedies."""
    found = Found()
    for spec in fields:
        column = [payload.get(spec.name) for payload in payloads]
        if None in column:
            missing = [i for i, value in enumerate(column) if value is None]
            _note(found, spec, "missing", missing, spec.if_missing)
        for code, wrong in _invalid(column, spec):
            _note(found, spec, code, wrong, spec.if_invalid)
    return found


def outputs(scores: FloatArray, low: FloatArray | float, high: FloatArray | float) -> dict[int, str]:
    """Return, by place, what fails in scores: NaN or infinite, or outside their model's range [low, high]."""
    is_finite = np.isfinite(scores)
    wrong = np.flatnonzero(~is_finite | (scores < low) | (scores > high)).tolist()
    return {i: RANGE if is_finite[i] else NAN for i in wrong}


def numbers(column: Column) -> FloatArray:
    """Return a column as numbers, NaN where a value is none."""
    if set(map(type, column)) <= {int, float}:
        return np.array(column, dtype=np.float64)
    return np.array([value if type(value) in (int, float) else np.nan for value in column], dtype=np.float64)


def _note(found: Found, spec: PayloadField, code: str, places: Iterable[int], remedy: Remedy) -> None:
    if remedy == Remedy.ACCEPT:
        return
    failure, fault = f"{code}:{spec.name}"[:LONGEST], None
    for i in places:
        if remedy == Remedy.PEOPLE:
            found.failures.setdefault(i, []).append(failure)
        else:
            fault = fault or Fault(f"payload.{spec.name}", code, _detail(spec, code))
            found.faults.setdefault(i, []).append(fault)


def _detail(spec: PayloadField, code: str) -> str:
    details = {
        "missing": _("%(field)s is missing."),
        "type": _("%(field)s is not of the type %(type)s."),
        "range": _("%(field)s is outside its range."),
        "unseen": _("%(field)s is not one of its categories."),
        "format": _("%(field)s is not written as a %(type)s."),
    }
    return details[code] % {"field": spec.name, "type": spec.type.value}


def _invalid(column: Column, spec: PayloadField) -> Iterable[tuple[str, list[int]]]:
    """Return the places whose value is there and wrong, by the code of what is wrong."""
    if spec.type in NUMERIC:
        return _wrong_numbers(column, spec)
    kind, is_well_formed = SHAPES.get(spec.type, (object, None))
    wrong_type = [i for i, value in enumerate(column) if value is not None and not isinstance(value, kind)]
    if spec.type == FieldType.CATEGORY and spec.categories:
        known = {*spec.categories, None}
        return ("type", wrong_type), ("unseen", _places(column, str, lambda value: value in known))
    if is_well_formed:
        return ("type", wrong_type), ("format", _places(column, str, is_well_formed))
    return (("type", wrong_type),)


def _places(column: Column, kind: type, holds: Callable[[Any], bool]) -> list[int]:
    """Return where a value is of its kind and the claim does not hold; each different value is asked once."""
    verdicts = {value: holds(value) for value in {value for value in column if isinstance(value, kind)}}
    return [i for i, value in enumerate(column) if isinstance(value, kind) and not verdicts[value]]


def _wrong_numbers(column: Column, spec: PayloadField) -> list[tuple[str, list[int]]]:
    low = -np.inf if spec.low is None else spec.low
    high = np.inf if spec.high is None else spec.high
    plain = {int} if spec.type == FieldType.INTEGER else {int, float}
    if column and set(map(type, column)) <= plain and low <= min(column) and max(column) <= high:
        return []  # nearly every column: at once, where arrays of one item take long to make
    values = numbers(column)
    out = (values < low) | (values > high)
    no_number = np.isnan(values)
    if spec.type == FieldType.INTEGER:
        no_number |= values != np.floor(values)
    wrong_type = [i for i in np.flatnonzero(no_number).tolist() if column[i] is not None]
    return [("type", wrong_type), ("range", np.flatnonzero(out & ~no_number).tolist())]


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_datetime(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not any(c.isspace() for c in text)


def _is_image(text: str) -> bool:
    return text.startswith("data:image/") or _is_link(text)


SHAPES: dict[FieldType, tuple[type, Callable[[str], bool] | None]] = {
    FieldType.TEXT: (str, None),
    FieldType.HTML: (str, None),
    FieldType.CATEGORY: (str, None),
    FieldType.BOOLEAN: (bool, None),
    FieldType.DATE: (str, _is_date),
    FieldType.DATETIME: (str, _is_datetime),
    FieldType.LINK: (str, _is_link),
    FieldType.IMAGE: (str, _is_image),
}
