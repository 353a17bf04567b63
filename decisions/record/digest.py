"""Canonical bytes, digests of rows and keyed commitments."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import orjson
from django.conf import settings
from django.db.models import BinaryField, DateTimeField, JSONField, Model

Plain = Callable[[Any], Any]  # a value that is not None, in JSON types

# Erasing empties these columns: digests leave them out and cover a commitment to them instead.
EMPTIED = {
    "body": frozenset({"content", "salt"}),
    "decision": frozenset({"note"}),
    "ruling": frozenset({"note"}),
    "pendingoverride": frozenset({"note"}),
    "appeal": frozenset({"statement"}),
    "evidence": frozenset({"note"}),
    "action": frozenset({"body"}),
}
# Work changes these columns of rows that else stay as they are: digests leave them out too.
FREE = {
    "body": ("is_held",),
    "appeal": ("state", "decision_id", "closed_at"),
    "pendingoverride": ("state", "closer_id", "closed_at", "reply", "ruling_id"),
    "policy": ("state", "canary_share", "canary_factor", "live_at", "retired_at"),
    "shadow": (
        *("backfilled_at", "backfilled", "seq", "reached_at", "scored", "failed", "strikes", "last_failure", "next_at"),
        *("ended_at", "ender_id", "ending", "end_why"),
    ),
    "action": (
        "state",
        "attempts",
        "due_at",
        "next_at",
        "delivered_at",
        "result",
        "result_detail",
        "result_at",
    ),
}
# Columns that came after rows were digested: while they hold this value, digests leave them out.
KEPT = object()
LATER: dict[str, dict[str, Any]] = {
    "action": {"appeal_id": None},
    "policy": {
        "audit_budget": 0,
        "precision_target": None,
        "overload_soft": None,
        "control_floor": None,
        "audit_floor": None,
    },
    "item": {"p_other": None, "harm": None, "v": None, "overload_level": 0},
    "frame": {"harm_square": None},
}


def emptied(name: str) -> frozenset[str]:
    """Return the columns of a model (its lower-case name) that erasing empties."""
    return EMPTIED.get(name, frozenset())


def left_out(name: str) -> frozenset[str]:
    """Return the columns of a model that its digests leave out."""
    return emptied(name) | frozenset(FREE.get(name, ()))


def canonical(value: Any) -> bytes:
    """Return the one JSON form of a value: UTF-8, keys sorted, times in UTC with microseconds where there are any."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def columns(row: Model) -> dict[str, Any]:
    """Return a row's fact columns by name, in JSON types; binary as hex."""
    return {
        name: None if value is None else plain(value)
        for name, plain, later in _facts(type(row))
        if (value := getattr(row, name)) != later
    }


@cache
def _facts(model: type[Model]) -> list[tuple[str, Plain, Any]]:
    """Return a model's fact columns: each with what makes its values plain, and the value at which it is left out."""
    name = str(model._meta.model_name)
    without, later = left_out(name), LATER.get(name, {})
    return [
        (field.attname, _plain(field), later.get(field.attname, KEPT))
        for field in model._meta.concrete_fields
        if field.attname not in without
    ]


def _plain(field: Any) -> Plain:
    """Return what turns a column's value to how it looks when it comes back from the database, in JSON types."""
    if isinstance(field, BinaryField):
        return lambda value: bytes(value).hex()
    if isinstance(field, JSONField):
        return steady
    if isinstance(field, DateTimeField):
        return lambda value: field.to_python(value).astimezone(UTC)
    return cast(Plain, field.to_python)


def steady(value: Any) -> Any:
    """Return a JSON value in a form that a jsonb column does not change: there 1e20 turns into an integer."""
    if isinstance(value, dict):
        return {str(key): steady(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [steady(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) >= 2**53 else value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def of_row(row: Model) -> bytes:
    """Return the SHA-256 (32 bytes) of a row's fact columns."""
    return hashlib.sha256(canonical(columns(row))).digest()


def commitment(salt: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA256(salt, data): it says nothing about the data once the salt is gone."""
    return hmac.digest(salt, data, "sha256")


def subject_key(queue_id: int, subject: str) -> str:
    """Return the 32 hex digits under which a subject's items are found ("" for none); the name stays in the body."""
    if not subject:
        return ""
    return hmac.digest(settings.SUBJECT_SECRET, f"{queue_id}|{subject}".encode(), "sha256").hex()[:32]


def moment(at: datetime) -> str:
    """Return a time as the record writes it."""
    return canonical(at.astimezone(UTC)).decode().strip('"')
