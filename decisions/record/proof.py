"""Proves that a chain of events is whole: a pass over the entries, in constant memory, that only reads."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from decisions.models import Event
from decisions.record import log, streams


class What(StrEnum):
    """What is wrong with an entry."""

    MISSING = "missing"
    ALTERED = "altered"
    HASH = "hash altered"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True)
class BadEntry:
    """The first entry of a chain that does not hold."""

    chain: int
    seq: int
    what: What

    def __str__(self) -> str:
        return f"chain {self.chain}, entry {self.seq}: {self.what}"


@dataclass(frozen=True)
class Head:
    """The last entry of a chain, and the hash that stands for all before it."""

    chain: int
    seq: int
    hash: str


@dataclass(frozen=True)
class Report:
    """What a pass over the record found."""

    entries: int
    heads: tuple[Head, ...]
    bad: tuple[BadEntry, ...]
    seconds: float


class Entry(NamedTuple):
    """An event as the database gives it."""

    chain: int
    seq: int
    id: int
    version: int
    kind: str
    actor: int | None
    item: int | None
    reason: str
    entry: str
    at: datetime
    hash: memoryview


COLUMNS = ("chain", "seq", "id", "version", "kind", "actor_id", "item_id", "reason", "entry", "at", "hash")


def verify(chain: int | None = None) -> Report:
    """Check every entry of one chain, or of all: that none is missing and each hash follows from the one before."""
    begun, entries = time.monotonic(), 0
    heads: list[Head] = []
    bad: list[BadEntry] = []
    for number, rows in groupby(_entries(chain), key=itemgetter(0)):
        counted, outcome = _walk(rows)
        entries += counted
        if isinstance(outcome, bytes):
            heads.append(Head(number, counted, outcome.hex()))
        else:
            bad.append(outcome)
    return Report(entries, tuple(heads), tuple(bad), time.monotonic() - begun)


def _entries(chain: int | None) -> Iterator[tuple[object, ...]]:
    """Yield the columns of every entry, chain by chain in order."""
    events = Event.objects.all() if chain is None else Event.objects.filter(chain=chain)
    return streams.tuples(events.order_by("chain", "seq").values_list(*COLUMNS))


def _walk(rows: Iterable[tuple[object, ...]]) -> tuple[int, bytes | BadEntry]:
    """Follow one chain; return how many entries hold, and the last hash or the first entry that does not."""
    previous, expected = log.GENESIS, 1
    remaining = iter(rows)
    for row in remaining:
        entry = Entry._make(row)
        if entry.seq != expected:
            what = What.MISSING if entry.seq > expected else What.REORDERED
            return expected - 1, BadEntry(entry.chain, min(expected, entry.seq), what)
        sealed = _seal(previous, entry)
        if sealed != entry.hash.tobytes():
            following = next(remaining, None)
            after = Entry._make(following) if following else None
            return expected - 1, BadEntry(entry.chain, entry.seq, _blame(sealed, entry, after))
        previous, expected = sealed, expected + 1
    return expected - 1, previous


def _seal(previous: bytes, entry: Entry) -> bytes:
    """Return the hash an entry should have after the one before it."""
    return log.chain_hash(
        previous,
        chain=entry.chain,
        seq=entry.seq,
        kind=entry.kind,
        actor=entry.actor,
        item=entry.item,
        reason=entry.reason,
        entry=entry.entry,
        at=entry.at,
        version=entry.version,
    )


def _blame(sealed: bytes, entry: Entry, following: Entry | None) -> What:
    """Say what was done to an entry whose hash is not the one its columns give."""
    if following and following.id < entry.id:  # ids grow along a chain
        return What.REORDERED
    if following and _seal(sealed, following) == following.hash.tobytes():
        return What.HASH  # the next entry still follows from these columns
    return What.ALTERED
