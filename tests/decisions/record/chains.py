"""Long chains, written in one go."""

import io
from datetime import timedelta

from decisions.record import digest, log
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
