"""Calls that may be sent twice: what was answered is kept in the transaction of the effect."""

import hashlib
from datetime import datetime, timedelta

from django.db import connection

from decisions.exceptions import Conflict, Refused
from decisions.models import Request, User

KEPT = timedelta(hours=24)


class KeyReused(Refused):
    """This Idempotency-Key was used before, for another call."""

    code = "key_reused"


class InFlight(Conflict):
    """A call with this Idempotency-Key is being worked on. Please ask again."""

    code = "in_flight"
    retry_after = 1


def recall(*, user: User, key: str, digest: bytes) -> Request | None:
    """Return what this call was answered before, or None and hold its key until the transaction ends.

    Refuses a key that another transaction holds, and one that was used for a call with another digest (32 bytes).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock(user, key)])
        if not cursor.fetchone()[0]:
            raise InFlight
    # A statement of its own, so that its snapshot is taken after the lock was granted.
    kept = Request.objects.filter(user=user, key=key).first()
    if kept and bytes(kept.digest) != digest:
        raise KeyReused
    return kept


def keep(*, user: User, key: str, digest: bytes, status: int, answer: bytes, at: datetime) -> Request:
    """Store what a call was answered, beside its effect."""
    return Request.objects.create(user=user, key=key, digest=digest, status=status, answer=answer, at=at)


def forget(at: datetime) -> int:
    """Delete the answers that are more than 24 hours old; return how many."""
    return Request.objects.filter(at__lt=at - KEPT).delete()[0]


def _lock(user: User, key: str) -> int:
    """Return the advisory lock of a key: 64 bits, signed."""
    return int.from_bytes(hashlib.sha256(f"{user.pk}|{key}".encode()).digest()[:8], signed=True)
