"""From a Spec back to what it can be read from: plain values for the database, a TOML file for people."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import Any

from decisions.queues import units
from decisions.queues.spec import Money, PolicySpec, Spec

EMPTY = (None, "", ())
HEADER = """\
# The queue “{slug}” as it is in force: version {version}, policy {policy}. docs/queues.md explains each key.
# Change it and apply it with `manage.py apply_queue FILE`; it is refused once the queue has moved on.
"""


def content(spec: Spec) -> dict[str, Any]:
    """Return the whole spec in JSON types, defaults too: `parse.stored` reads it back."""
    table: dict[str, Any] = plain(spec)
    return table


def plain(value: Any) -> Any:
    """Return a value of a spec in JSON types; keys without a value are left out."""
    if isinstance(value, Money):
        return units.money_text(value)
    if isinstance(value, timedelta):
        return units.duration_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: plain(given) for name, given in pairs if given is not None}
    return str(value) if isinstance(value, str) else value


def toml(spec: Spec, version: int, policy: int) -> str:
    """Return a queue file that applies without any change; `version` and `policy` say what it was dumped from."""
    parts = [HEADER.format(slug=spec.slug, version=version, policy=policy), f"version = {version}\n"]
    for field in fields(spec):
        value = getattr(spec, field.name)
        if not is_table(value) and value not in EMPTY:
            parts.append(f"{field.name} = {literal(value)}\n")
    for field in fields(spec):
        value = getattr(spec, field.name)
        tables = value if isinstance(value, tuple) else (value,)
        bars = "[[{}]]" if isinstance(value, tuple) else "[{}]"
        for table in tables if is_table(value) else ():
            lines = list(pairs(table))
            if isinstance(table, PolicySpec):
                lines.insert(0, f"version = {policy}")
            if lines:
                parts.append("\n" + "\n".join([bars.format(field.name), *lines]) + "\n")
    return "".join(parts)


def is_table(value: Any) -> bool:
    """Say whether a value of the spec has a table, or an array of tables, of its own in the file."""
    first = value[0] if isinstance(value, tuple) and value else value
    return is_dataclass(first) and not isinstance(first, Money)


def pairs(table: Any) -> Iterator[str]:
    """Yield `key = value` for what differs from the default."""
    for field in fields(table):
        value = getattr(table, field.name)
        if value not in EMPTY and value != field.default:
            yield f"{field.name} = {literal(value)}"


def literal(value: Any) -> str:
    """Return a value as TOML."""
    if is_dataclass(value) and not isinstance(value, Money):
        return "{ " + ", ".join(pairs(value)) + " }"
    if isinstance(value, tuple):
        return sequence(value)
    if isinstance(value, date):
        return value.isoformat()
    given = plain(value)
    if isinstance(given, bool):
        return "true" if given else "false"
    return text(given) if isinstance(given, str) else repr(given).removesuffix(".0")


def sequence(items: tuple[Any, ...]) -> str:
    """Return a list as TOML: tables one a line, words in one."""
    if items and is_dataclass(items[0]):
        return "[\n" + "".join(f"    {literal(item)},\n" for item in items) + "]"
    return "[" + ", ".join(literal(item) for item in items) + "]"


def text(given: str) -> str:
    """Return a text as a TOML string, over several lines where it has several."""
    lines = [json.dumps(line, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f") for line in given.split("\n")]
    return f'"{lines[0]}"' if len(lines) == 1 else '"""\n' + "\n".join(lines) + '"""'
