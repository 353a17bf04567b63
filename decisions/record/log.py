"""The only writer of events."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.cache import cache
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from decisions import locks
from decisions.exceptions import Forbidden
from decisions.models import Event, Item, User
from decisions.record import digest, guards

VERSION = 1
GENESIS = bytes(32)
REFUSALS_PER_HOUR = 60

# A function, so that a session plans it once and all who write to this chain wait for one trip only: the look at the
# last entry comes after the lock was granted. The hash is what `chain_hash` says, made where that entry is read.
APPENDING = """
    CREATE OR REPLACE FUNCTION public.decisions_append(
        lock_key integer, to_chain bigint, as_kind text, by_actor bigint, of_item bigint, for_reason text, text_ text,
        at_time timestamptz, in_version integer, version_byte bytea, genesis bytea, head text, tail text,
        OUT new_id bigint, OUT new_seq bigint, OUT new_hash bytea
    ) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        last_seq bigint;
        last_hash bytea;
    BEGIN
        PERFORM pg_advisory_xact_lock(lock_key, to_chain::integer);
        SELECT e.seq, e.hash INTO last_seq, last_hash FROM public.decisions_event e
            WHERE e.chain = to_chain ORDER BY e.seq DESC LIMIT 1;
        new_seq := coalesce(last_seq, 0) + 1;
        new_hash := sha256(version_byte || coalesce(last_hash, genesis) || convert_to(head || new_seq || tail, 'UTF8'));
        INSERT INTO public.decisions_event
            (chain, seq, kind, actor_id, item_id, reason, entry, version, at, hash)
            VALUES (to_chain, new_seq, as_kind, by_actor, of_item, for_reason, text_, in_version, at_time, new_hash)
            RETURNING id INTO new_id;
    END
    $$
"""
APPEND = "SELECT * FROM decisions_append(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Statements:
    """Texts of SQL and the values of their placeholders, in order."""

    texts: Sequence[str] = ()
    values: Sequence[Any] = ()


NOTHING = Statements()


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
    after: Statements = NOTHING,
) -> Event:
    """Append one entry to a chain; the last step of a transaction, for it holds the chain until the commit.

    `entry` may hold ids, codes, times, numbers and digests, never personal text; `rows` are digested into it. `after`
    are statements that go ahead of it in the same trip.
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
        cursor.execute("; ".join([*after.texts, APPEND]), [*after.values, *_given(event)])
        event.pk, event.seq, event.hash = cursor.fetchone()
    return event


def _given(event: Event) -> list[Any]:
    """Return an entry's values as `decisions_append` takes them; last the JSON that is hashed, around the number."""
    rest = [event.kind, event.actor_id, event.item_id, event.reason]
    tail = digest.canonical([*rest, orjson.Fragment(event.entry), event.at])[1:].decode()
    return [
        locks.CHAIN,
        event.chain,
        *rest,
        event.entry,
        event.at,
        VERSION,
        bytes([VERSION]),
        GENESIS,
        f"[{event.chain},",
        f",{tail}",
    ]


def make_append(connection: BaseDatabaseWrapper) -> None:
    """Make the function that `append` calls; migrations call this."""
    guards.make_function(connection, "decisions_append", APPENDING)


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
