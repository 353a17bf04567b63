"""The proof keeps its memory, however long the record is; `make bench` shows its pace."""

import tracemalloc

from decisions.record import proof
from tests.databases import Clone
from tests.decisions.record.chains import write_chain


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
