"""The only writer of events."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Model

from decisions import locks
from decisions.exceptions import Forbidden
from decisions.models import Event, Item, User
from decisions.record import digest

VERSION = 1
GENESIS = bytes(32)
REFUSALS_PER_HOUR = 60

# Two statements in one trip, for all who write to this chain wait meanwhile: the snapshot of the second is taken after
# the lock was granted. The hash is what `chain_hash` says, made where the entry before it is read.
APPEND = """
    SELECT pg_advisory_xact_lock(%(lock)s, %(chain)s);
    INSERT INTO decisions_event (chain, seq, kind, actor_id, item_id, reason, entry, version, at, hash)
    SELECT %(chain)s, last.seq + 1, %(kind)s, %(actor)s, %(item)s, %(reason)s, %(entry)s, %(version)s, %(at)s,
           sha256(%(version_byte)s || last.hash || convert_to(%(head)s || last.seq + 1 || %(tail)s, 'UTF8'))
    FROM (
        (SELECT seq, hash FROM decisions_event WHERE chain = %(chain)s ORDER BY seq DESC LIMIT 1)
        UNION ALL (SELECT 0, %(genesis)s) ORDER BY seq DESC LIMIT 1
    ) last
    RETURNING id, seq, hash
"""


def now() -> datetime:
    """Return the database's clock, which moves within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
        return at


def chain_hash(
    previous: bytes,
    *,
    chain: int,
    seq: int,
    kind: str,
    actor: int | None,
    item: int | None,
    reason: str,
    entry: str,
    at: datetime,
    version: int = VERSION,
) -> bytes:
    """Return an entry's hash: SHA-256 of the version byte, the hash before it and the canonical JSON of its columns."""
    line = [chain, seq, kind, actor, item, reason, orjson.Fragment(entry), at]
    return hashlib.sha256(bytes([version]) + previous + digest.canonical(line)).digest()


def append(
    kind: Event.Kind,
    *,
    chain: int,
    actor: User | None,
    at: datetime,
    item: Item | None = None,
    reason: str = "",
    entry: Mapping[str, Any] | None = None,
    rows: Sequence[Model] = (),
) -> Event:
    """Append one entry to a chain; the last step of a transaction, for it holds the chain until the commit.

    `entry` may hold ids, codes, times, numbers and digests, never personal text; `rows` are digested into it.
    """
    at = at.astimezone(UTC)
    spoken = [[row._meta.model_name, row.pk, digest.of_row(row).hex()] for row in rows]
    text = digest.canonical({**(entry or {}), **({"rows": spoken} if spoken else {})}).decode()
    event = Event(
        chain=chain,
        kind=kind,
        actor_id=actor.pk if actor else None,
        item_id=item.pk if item else None,
        reason=reason,
        entry=text,
        at=at,
    )
    with connection.cursor() as cursor:
        cursor.execute(APPEND, _given(event))
        event.pk, event.seq, event.hash = cursor.fetchone()
    return event


def _given(event: Event) -> dict[str, Any]:
    """Return the values of an entry; `head` and `tail` are the JSON that is hashed, before and after the number."""
    rest = [event.kind, event.actor_id, event.item_id, event.reason, orjson.Fragment(event.entry), event.at]
    return {
        "lock": locks.CHAIN,
        "genesis": GENESIS,
        "version_byte": bytes([VERSION]),
        "head": f"[{event.chain},",
        "tail": "," + digest.canonical(rest)[1:].decode(),
        "chain": event.chain,
        "kind": event.kind,
        "actor": event.actor_id,
        "item": event.item_id,
        "reason": event.reason,
        "entry": event.entry,
        "version": VERSION,
        "at": event.at,
    }


def refuse(user: User, error: Forbidden, at: datetime) -> None:
    """Note a refused attempt, in a transaction of its own, at most 60 an hour for one person and right."""
    if _times(f"refused:{user.pk}:{error.right}:{at:%Y%m%d%H}") > REFUSALS_PER_HOUR:
        return
    with transaction.atomic():
        append(
            Event.Kind.RIGHT_REFUSED,
            chain=error.queue_id or Event.SITE,
            actor=user,
            at=at,
            item=Item(pk=error.item_id) if error.item_id else None,
            reason=error.right,
        )


def _times(counter: str) -> int:
    """Count one more time within an hour; a cache that forgets or goes away counts from the start."""
    cache.add(counter, 0, timeout=3600)
    try:
        return cache.incr(counter)
    except ValueError:
        return 1
