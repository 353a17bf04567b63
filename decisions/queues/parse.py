"""From a table of keys to a Spec; every fault is named with its place, and all of them at once."""

import math
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.queues import checks, lines, units
from decisions.queues.spec import Money, Spec

WRONG = object()  # stands for a value that could not be read; its fault is noted
TOML_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what PostgreSQL or UTF-8 cannot hold


class SpecError(Invalid):
    """This queue file is not valid."""

    code = "invalid_queue"

    def __init__(self, faults: Sequence[Fault], places: Sequence[str] = ()) -> None:
        super().__init__(faults=faults)
        self.places = tuple(places) or ("",) * len(faults)

    @property
    def messages(self) -> list[str]:
        """One line a fault: `FILE:LINE: key: what`, without the place where no file was read."""
        parts = ((place, f.field, f.detail) for place, f in zip(self.places, self.faults, strict=True))
        return [": ".join(part for part in line if part) for line in parts]

    def __str__(self) -> str:
        return "\n".join(self.messages)


@dataclass(frozen=True)
class Document:
    """A queue file: the spec, and the versions of queue and policy it was dumped from, None where it does not say."""

    spec: Spec
    version: int | None = None
    policy: int | None = None


def spec(data: Any) -> Spec:
    """Return the spec that a table of keys describes; refuses with all that is wrong with it."""
    reader = Reader()
    read: Spec = reader.table(Spec, data, "")
    faults = reader.faults + checks.faults(read, {fault.field for fault in reader.faults})
    if faults:
        raise SpecError(faults)
    return read


def stored(data: Any) -> Spec:
    """Return the spec of a version that was checked when it was stored: a later, stricter check must not lose it."""
    reader = Reader()
    read: Spec = reader.table(Spec, data, "")
    if reader.faults:
        raise SpecError(reader.faults)
    return read


def toml(text: str, name: str) -> Spec:
    """Return the spec in a queue file called `name`; each fault carries file, line and key."""
    return document(text, name).spec


def document(text: str, name: str) -> Document:
    """Return what a queue file called `name` says; each fault carries file, line and key."""
    data = _loads(text, name)
    reader = Reader()
    version = reader.version(data, "version")
    policy = reader.version(data.get("policy"), "policy.version")
    try:
        read = spec(data)
    except SpecError as error:
        reader.faults += error.faults
    if reader.faults:
        raise placed(reader.faults, text, name)
    return Document(read, version, policy)


def placed(faults: Sequence[Fault], text: str, name: str) -> SpecError:
    """Return the refusal of a queue file, each fault with its line, in the order of the lines."""
    where = lines.find(text)
    found = sorted(faults, key=lambda fault: lines.nearest(where, fault.field))
    return SpecError(found, [f"{name}:{lines.nearest(where, fault.field)}" for fault in found])


def _loads(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = TOML_LINE.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        detail = TOML_LINE.sub("", str(error))
        raise SpecError([Fault("", "syntax", detail)], [f"{name}:{line}"]) from None


@cache
def hints(cls: type) -> dict[str, tuple[Any, Field[Any]]]:
    """Return the type and the definition of each field of a dataclass."""
    types = get_type_hints(cls)
    return {field.name: (types[field.name], field) for field in fields(cls)}


class Reader:
    """Reads tables into dataclasses by their types, and notes each fault on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def wrong(self, path: str, code: str, detail: str) -> Any:
        """Note a fault; what it returns stands for the value that could not be read."""
        self.faults.append(Fault(path, code, detail))
        return WRONG

    def version(self, data: Any, path: str) -> int | None:
        """Take the version that a dumped file carries out of its table."""
        number = data.pop("version", None) if isinstance(data, dict) else None
        if number is not None and (type(number) is not int or number < 1):
            self.wrong(path, "type", _("must be a whole number from 1 on"))
            return None
        return number

    def table(self, cls: type, given: Any, path: str) -> Any:
        """Return an instance of a dataclass; a key that is missing or wrong gets its default or an empty value."""
        if not isinstance(given, dict):
            self.wrong(path, "type", _("must be a table"))
            return Reader().table(cls, {}, path)
        known = hints(cls)
        for key in given:
            if key not in known:
                self.wrong(join(path, key), "unknown", unknown(key, known))
        read = {name: self.member(hint, field, given, join(path, name)) for name, (hint, field) in known.items()}
        return cls(**read)

    def member(self, hint: Any, field: Field[Any], given: dict[str, Any], path: str) -> Any:
        """Return the value of one key, checked to be there and not blank where it must be."""
        is_required = field.default is MISSING and type(None) not in get_args(hint)
        value = self.value(hint, given[field.name], path) if field.name in given else WRONG
        if is_required and field.name not in given:
            self.wrong(path, "missing", _("is missing"))
        if is_required and isinstance(value, str) and not value.strip():
            self.wrong(path, "blank", _("must not be empty"))
        if value is not WRONG:
            return value
        return blank(hint) if field.default is MISSING else field.default

    def value(self, hint: Any, given: Any, path: str) -> Any:
        """Return a value of the hinted type, or WRONG."""
        if isinstance(hint, UnionType):
            return self.either(get_args(hint), given, path)
        if get_origin(hint) is tuple:
            return self.items(get_args(hint)[0], given, path)
        if hint in PLAIN:
            return PLAIN[hint](self, given, path)
        if issubclass(hint, StrEnum):
            return self.choice(hint, given, path)
        return self.table(hint, given, path)

    def either(self, choices: tuple[Any, ...], given: Any, path: str) -> Any:
        """Return a value of the first of several types that fits its shape."""
        if given is None and type(None) in choices:
            return None
        kinds: dict[type, Any] = {str: str, list: tuple, tuple: tuple}
        wanted = kinds.get(type(given), float)
        fits = [c for c in choices if (get_origin(c) or c) is wanted] or [c for c in choices if c is not type(None)]
        return self.value(fits[0], given, path)

    def items(self, hint: Any, given: Any, path: str) -> Any:
        """Return a tuple of values."""
        if not isinstance(given, list | tuple):
            return self.wrong(path, "type", _("must be a list"))
        read = [self.value(hint, item, f"{path}[{index}]") for index, item in enumerate(given)]
        return tuple(blank(hint) if value is WRONG else value for value in read)

    def choice(self, hint: type[StrEnum], given: Any, path: str) -> Any:
        """Return one of a few words."""
        words = [word.value for word in hint]
        if given in words:
            return hint(given)
        return self.wrong(path, "choice", _("must be one of: %(words)s") % {"words": ", ".join(words)})

    def text(self, given: Any, path: str) -> Any:
        if not isinstance(given, str):
            return self.wrong(path, "type", _("must be a text"))
        if UNSTORABLE.search(given):
            return self.wrong(path, "character", _("holds a character that cannot be stored"))
        return given

    def flag(self, given: Any, path: str) -> Any:
        return given if isinstance(given, bool) else self.wrong(path, "type", _("must be true or false"))

    def whole(self, given: Any, path: str) -> Any:
        return given if type(given) is int else self.wrong(path, "type", _("must be a whole number"))

    def number(self, given: Any, path: str) -> Any:
        if isinstance(given, bool) or not isinstance(given, int | float):
            return self.wrong(path, "type", _("must be a number"))
        try:
            read = float(given)
        except OverflowError:
            read = math.inf
        return read if math.isfinite(read) else self.wrong(path, "range", _("must be a finite number"))

    def duration(self, given: Any, path: str) -> Any:
        try:
            return units.duration(given)
        except (TypeError, ValueError):
            return self.wrong(path, "duration", _("must be a duration such as “10 s”, “5 min”, “24 h” or “2 d”"))

    def day(self, given: Any, path: str) -> Any:
        try:
            read = date.fromisoformat(given) if isinstance(given, str) else given
        except ValueError:
            read = WRONG
        if isinstance(read, date) and not isinstance(read, datetime):
            return read
        return self.wrong(path, "date", _("must be a date such as 2026-12-25"))

    def money(self, given: Any, path: str) -> Any:
        if not isinstance(given, str):
            amount = self.number(given, path)
            return amount if amount is WRONG else Money(amount)
        try:
            return units.money(given)
        except ValueError:
            return self.wrong(path, "money", _("must be a number or a formula such as “5 - 0.6 * Amount”"))


PLAIN: dict[Any, Callable[[Reader, Any, str], Any]] = {
    str: Reader.text,
    bool: Reader.flag,
    int: Reader.whole,
    float: Reader.number,
    timedelta: Reader.duration,
    date: Reader.day,
    Money: Reader.money,
}
EMPTY: dict[Any, Any] = {
    str: "",
    bool: False,
    int: 0,
    float: 0.0,
    timedelta: timedelta(),
    date: date.min,
    Money: Money(),
}


def blank(hint: Any) -> Any:
    """Return what stands in for a value that could not be read, so that the rest can be."""
    if isinstance(hint, UnionType):
        return None if type(None) in get_args(hint) else blank(get_args(hint)[0])
    if get_origin(hint) is tuple:
        return ()
    if hint in EMPTY:
        return EMPTY[hint]
    return next(iter(hint)) if issubclass(hint, StrEnum) else Reader().table(hint, {}, "")


def join(path: str, key: str) -> str:
    """Return the path of a key in a table."""
    return f"{path}.{key}" if path else key


def unknown(key: str, known: dict[str, Any]) -> str:
    """Say that a key is unknown, and which one may be meant."""
    near = get_close_matches(key, known, 1)
    return _("is unknown; do you mean “%(near)s”?") % {"near": near[0]} if near else _("is unknown")
