"""Durations and money formulas as people write them."""

import math
import re
from datetime import timedelta

from decisions.queues.spec import Money

SECONDS = {"d": 86400, "h": 3600, "min": 60, "s": 1}
LONGEST = timedelta(days=3650)
SPAN = re.compile(r"(\d{1,12})\s*(d|h|min|s)\s*")
NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
NAME = r"[^\W\d]\w*|`[^`]+`"
PRODUCT = rf"(?P<left>{NUMBER})\s*\*\s*(?P<of>{NAME})|(?P<name>{NAME})\s*\*\s*(?P<right>{NUMBER})"
TERM = re.compile(rf"\s*(?P<sign>[+-]?)\s*(?:{PRODUCT}|(?P<number>{NUMBER})|(?P<only>{NAME}))\s*")
HOURS = re.compile(r"(\d\d):([0-5]\d)\s*-\s*(\d\d):([0-5]\d)")
PLAIN = re.compile(r"[^\W\d]\w*")


def duration(text: str) -> timedelta:
    """Return what "90 s", "5 min", "24 h", "2 d" or "1 h 30 min" means; ValueError for anything else."""
    parts = SPAN.findall(text)
    if not parts or SPAN.sub("", text.strip()):
        raise ValueError(text)
    seconds = sum(int(count) * SECONDS[unit] for count, unit in parts)
    if seconds > LONGEST.total_seconds():
        raise ValueError(text)
    return timedelta(seconds=seconds)


def hours(text: str) -> tuple[int, int]:
    """Return what "09:00-17:30" means, in minutes from midnight; ValueError unless it ends later, by 24:00."""
    found = HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    opens, closes = (60 * int(hour) + int(minute) for hour, minute in (found.group(1, 2), found.group(3, 4)))
    if not opens < closes <= 24 * 60:
        raise ValueError(text)
    return opens, closes


def duration_text(span: timedelta) -> str:
    """Return a duration of whole seconds in the largest unit that fits it evenly."""
    seconds = int(span.total_seconds())
    unit = next(unit for unit, size in SECONDS.items() if seconds % size == 0 and (seconds >= size or size == 1))
    return f"{seconds // SECONDS[unit]} {unit}"


def money(text: str) -> Money:
    """Return what "-5", "-0.6 * Amount" or "5 + 0.1 * `loan amount`" means: a sum with at most one field.

    ValueError for anything else.
    """
    base, factor, field, at = 0.0, 0.0, "", 0
    while at < len(text) or at == 0:
        term = TERM.match(text, at)
        if term is None or (at > 0 and not term["sign"]):
            raise ValueError(text)
        sign = -1.0 if term["sign"] == "-" else 1.0
        name = (term["of"] or term["name"] or term["only"] or "").strip("`")
        size = sign * float(term["left"] or term["right"] or term["number"] or 1)
        if name and field not in ("", name):
            raise ValueError(text)
        base, factor, field = (base, factor + size, name) if name else (base + size, factor, field)
        at = term.end()
    if not (math.isfinite(base) and math.isfinite(factor)):
        raise ValueError(text)
    return Money(base, factor, field)


def money_text(amount: Money) -> str | float:
    """Return a formula that `money` reads back; a plain number where no field counts."""
    if not amount.field:
        return amount.base
    name = amount.field if PLAIN.fullmatch(amount.field) else f"`{amount.field}`"
    if not amount.base:
        return f"{_digits(amount.factor)} * {name}"
    return f"{_digits(amount.base)} {'-' if amount.factor < 0 else '+'} {_digits(abs(amount.factor))} * {name}"


def _digits(number: float) -> str:
    return repr(float(number)).removesuffix(".0")
