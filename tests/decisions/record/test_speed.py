"""The proof keeps its pace and its memory, however long the record is."""

import io
import time
import tracemalloc
from datetime import timedelta

import pytest

from decisions.record import digest, log, proof
from tests.databases import Clone
from tests.decisions.record import owner
from tests.factories import NOON

COLUMNS = ("chain", "seq", "kind", "reason", "entry", "version", "hash", "at")


def write_chain(chain: int, length: int) -> None:
    """Put a whole chain in by COPY: appending it entry by entry would take minutes."""
    previous, lines = log.GENESIS, io.StringIO()
    for seq in range(1, length + 1):
        at = NOON + timedelta(microseconds=seq * 1001)
        rows = [["decision", seq, "ab" * 32], ["ruling", seq, "cd" * 32]]
        entry = digest.canonical({"outcome": "spam", "rows": rows, "task": seq}).decode()
        previous = log.chain_hash(
            previous, chain=chain, seq=seq, kind="decision.made", actor=None, item=None, reason="x", entry=entry, at=at
        )
        lines.write(f"{chain}\t{seq}\tdecision.made\tx\t{entry}\t1\t\\\\x{previous.hex()}\t{at.isoformat()}\n")
    lines.seek(0)
    with owner.session() as cursor:
        cursor.copy_expert(f"COPY decisions_event ({', '.join(COLUMNS)}) FROM STDIN", lines)


def peak(length: int, chain: int) -> int:
    """Return the memory in bytes that verifying a chain of this length takes at most."""
    write_chain(chain, length)
    tracemalloc.start()
    report = proof.verify(chain)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.entries, report.bad) == (length, ())
    return most


def test_memory_does_not_grow_with_the_chain(committed_db: Clone) -> None:
    assert peak(40_000, chain=2) < peak(10_000, chain=1) * 1.2


@pytest.mark.proof
def test_a_hundred_thousand_entries_a_second(committed_db: Clone) -> None:
    write_chain(1, 200_000)
    assert max(rate() for _ in range(3)) >= 100_000


def rate() -> float:
    """Return the entries verified in a second of our own processor time.

    The database reads ahead on another core; the wall clock would tell of whatever else this machine does.
    """
    begun = time.process_time()
    return proof.verify().entries / (time.process_time() - begun)
