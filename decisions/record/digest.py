"""Canonical bytes, digests of rows and keyed commitments."""

import hashlib
import hmac
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db.models import BinaryField, Model

ERASABLE = frozenset(
    {"note"}
)  # a row's digest covers the note's commitment instead, so that erasing it changes no digest


def canonical(value: Any) -> bytes:
    """Return the one JSON form of a value: UTF-8, keys sorted, times in UTC with microseconds."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def columns(row: Model) -> dict[str, Any]:
    """Return a row's fact columns by name, in JSON types; binary as hex."""
    return {
        f.attname: bytes(value).hex() if isinstance(f, BinaryField) and value is not None else value
        for f in row._meta.concrete_fields
        if f.attname not in ERASABLE
        for value in [f.value_from_object(row)]
    }


def of_row(row: Model) -> bytes:
    """Return the SHA-256 (32 bytes) of a row's fact columns."""
    return hashlib.sha256(canonical(columns(row))).digest()


def commitment(salt: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA256(salt, data): it says nothing about the data once the salt is gone."""
    return hmac.digest(salt, data, "sha256")


def subject_key(queue_id: int, subject: str) -> str:
    """Return the 32 hex digits under which a subject's items are found ("" for "").

    The name itself stays in the body.
    """
    if not subject:
        return ""
    return hmac.digest(settings.SUBJECT_SECRET, f"{queue_id}|{subject}".encode(), "sha256").hex()[:32]


def moment(at: datetime) -> str:
    """Return a time as the record writes it."""
    return canonical(at).decode().strip('"')
