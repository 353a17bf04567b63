"""Six kinds of tampering by whoever owns the tables, a thousand times each: all found, the entry named."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a type, as it should have been named

from decisions.models import Event
from decisions.record import checkpoint, digest, log, proof
from decisions.record.checkpoint import Checkpoint
from decisions.record.proof import BadEntry, What
from tests.databases import Clone
from tests.decisions.record import owner
from tests.decisions.record.chains import COLUMNS, write_chain
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.proof
TIMES, LENGTH = 1000, 40
SECOND = timedelta(seconds=1)
CHANGES = (
    "kind = kind || 'x'",
    "reason = reason || 'x'",
    "entry = entry || ' '",
    "at = at + interval '1 microsecond'",
    "actor_id = (SELECT min(id) FROM decisions_user)",
)
Found = list[BadEntry]


class Record:
    """A chain, a checkpoint of it and a copy from which it is put right again."""

    def __init__(self, hands: Cursor) -> None:
        self.hands, self.chain = hands, make_queue().pk
        make_user()
        log.append(Event.Kind.RIGHT_REFUSED, chain=self.chain, actor=None, at=NOON)  # takes the chain's first place
        self.change(
            "ALTER TABLE decisions_event DISABLE TRIGGER USER", "DELETE FROM decisions_event WHERE chain = %(chain)s"
        )
        write_chain(self.chain, LENGTH)
        self.change("CREATE TABLE kept AS SELECT * FROM decisions_event WHERE chain = %(chain)s")
        self.checkpoint: Checkpoint = checkpoint.make(timezone.now())

    def change(self, *statements: str, **values: Any) -> None:
        for statement in statements:
            self.hands.execute(statement, {"chain": self.chain, **values})
        self.hands.connection.commit()

    def restore(self) -> None:
        self.change(
            "DELETE FROM decisions_event WHERE chain = %(chain)s", "INSERT INTO decisions_event SELECT * FROM kept"
        )

    def found(self) -> Found:
        """Return what a pass over the chain finds, and what the checkpoint does."""
        return [*proof.verify(self.chain).bad, *checkpoint.compare(self.checkpoint, self.chain)]


def changed(record: Record, chance: random.Random) -> Found:
    seq = chance.randint(1, LENGTH)
    record.change(
        f"UPDATE decisions_event SET {chance.choice(CHANGES)} WHERE chain = %(chain)s AND seq = %(seq)s", seq=seq
    )
    return [BadEntry(record.chain, seq, What.ALTERED)]


def removed(record: Record, chance: random.Random) -> Found:
    seq = chance.randint(1, LENGTH - 1)
    record.change("DELETE FROM decisions_event WHERE chain = %(chain)s AND seq = %(seq)s", seq=seq)
    return [BadEntry(record.chain, seq, What.MISSING)]


def swapped(record: Record, chance: random.Random) -> Found:
    first, second = sorted(chance.sample(range(1, LENGTH + 1), 2))
    record.change(
        "UPDATE decisions_event SET seq = CASE seq WHEN %(first)s THEN -%(second)s ELSE -%(first)s END"
        " WHERE chain = %(chain)s AND seq IN (%(first)s, %(second)s)",
        "UPDATE decisions_event SET seq = -seq WHERE chain = %(chain)s AND seq < 0",
        first=first,
        second=second,
    )
    return [BadEntry(record.chain, first, What.REORDERED)]


def slipped_in(record: Record, chance: random.Random) -> Found:
    """Put an entry between two: those after it move on by one, with the hashes they had."""
    seq = chance.randint(1, LENGTH)
    record.change(
        "UPDATE decisions_event SET seq = -seq - 1 WHERE chain = %(chain)s AND seq >= %(seq)s",
        "UPDATE decisions_event SET seq = -seq WHERE chain = %(chain)s AND seq < 0",
        "INSERT INTO decisions_event (chain, seq, kind, reason, entry, version, hash, at)"
        " SELECT chain, %(seq)s, kind, 'slipped in', entry, version, hash, at FROM decisions_event"
        " WHERE chain = %(chain)s AND seq = %(seq)s + 1",
        seq=seq,
    )
    return [BadEntry(record.chain, seq, What.REORDERED)]  # ids grow along a chain


def truncated(record: Record, chance: random.Random) -> Found:
    record.change("DELETE FROM decisions_event WHERE chain = %(chain)s AND seq > %(seq)s", seq=chance.randrange(LENGTH))
    return [BadEntry(record.chain, LENGTH, What.TRUNCATED)]


def rewritten(record: Record, chance: random.Random) -> Found:
    """Change an entry and make every hash from there on anew, as whoever knows how the chain is made can."""
    columns, events = ", ".join(COLUMNS), "decisions_event WHERE chain = %s"
    record.hands.execute(f"SELECT {columns} FROM {events} ORDER BY seq", [record.chain])
    rows, at = [dict(zip(COLUMNS, row, strict=True)) for row in record.hands.fetchall()], chance.randrange(LENGTH)
    rows[at]["entry"] = digest.canonical({"outcome": "ham", "task": at}).decode()
    previous = bytes(rows[at - 1]["hash"]) if at else log.GENESIS
    for row in rows[at:]:
        told = {name: row[name] for name in ("chain", "seq", "kind", "reason", "entry", "at")}
        previous = log.chain_hash(previous, actor=None, item=None, **told)
        record.change(
            "UPDATE decisions_event SET entry = %(entry)s, hash = %(hash)s WHERE chain = %(chain)s AND seq = %(seq)s",
            entry=row["entry"],
            hash=previous,
            seq=row["seq"],
        )
    return [BadEntry(record.chain, LENGTH, What.REWRITTEN)]


@pytest.fixture
def record(committed_db: Clone) -> Iterator[Record]:
    with owner.session() as hands:
        yield Record(hands)


@pytest.mark.parametrize("tamper", [changed, removed, swapped, slipped_in, truncated, rewritten])
def test_a_thousand_of_each_kind_are_found_and_the_entry_is_named(
    record: Record, tamper: Callable[[Record, random.Random], Found]
) -> None:
    chance = random.Random(tamper.__name__)
    assert record.found() == []
    for _ in range(TIMES):
        expected = tamper(record, chance)
        assert expected[0] in record.found()
        assert record.found()[0].seq == expected[0].seq
        record.restore()
    assert record.found() == []
