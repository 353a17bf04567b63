"""Checks the record; needs no more than the right to read."""

from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from decisions.exceptions import Invalid
from decisions.management import doors
from decisions.record import checkpoint, deep, proof, streams
from decisions.record.checkpoint import Checkpoint

LIMIT = (
    "What this cannot show: that the newest entries were cut off, or everything was written anew from some point on, "
    "unless you hold a checkpoint from before (--checkpoint FILE) that was kept outside this database."
)
SHOWN = 100


class Command(BaseCommand):
    help = "Checks that the record is whole: each chain's entries, and with --deep the rows they speak of."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", metavar="SLUG", help="only this queue's chain")
        parser.add_argument("--deep", action="store_true", help="recompute the digests of the rows too")
        parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="compare with signed heads kept outside")
        parser.add_argument("--public-key", default="", metavar="HEX", help="the key the checkpoint must be signed by")

    def handle(self, *_: Any, **options: Any) -> None:
        """Check, print what was found, and fail if anything is wrong."""
        chain = doors.queue(options["queue"]).pk if options["queue"] else None
        kept = self.kept(options["checkpoint"], options["public_key"])
        with streams.snapshot():
            faults = self.chains(chain)
            if kept:
                faults += self.against(kept, chain)
            if options["deep"]:
                faults += self.rows(chain)
        if not kept:
            self.stdout.write(LIMIT)
        if faults:
            msg = f"The record does not hold: {faults} found."
            raise CommandError(msg)
        self.stdout.write(self.style.SUCCESS("The record holds."))

    def kept(self, path: Path | None, public_key: str) -> Checkpoint | None:
        """Read a checkpoint and check its signature."""
        if path is None:
            return None
        try:
            return checkpoint.parse(path.read_bytes(), public_key)
        except (OSError, Invalid) as error:
            msg = f"{path}: {error}"
            raise CommandError(msg) from error

    def chains(self, chain: int | None) -> int:
        """Check the chains and return the number of bad ones."""
        report = proof.verify(chain)
        for head in report.heads:
            self.stdout.write(f"chain {head.chain}: {head.seq} entries, head {head.hash}")
        for bad in report.bad:
            self.stderr.write(str(bad))
        speed = round(report.entries / report.seconds) if report.seconds else 0
        self.stdout.write(f"{report.entries} entries hold; {report.seconds:.2f} s, {speed} entries/s")
        return len(report.bad)

    def against(self, kept: Checkpoint, chain: int | None) -> int:
        """Compare with a checkpoint and return the number of chains that differ."""
        bad = checkpoint.compare(kept, chain)
        for entry in bad:
            self.stderr.write(f"{entry} since the checkpoint of {kept.made_at}")
        self.stdout.write(f"compared with the checkpoint of {kept.made_at}, signed by key {kept.key}")
        return len(bad)

    def rows(self, chain: int | None) -> int:
        """Check the rows that events speak of and return the number of bad ones, which stops at a hundred."""
        bad = list(islice(deep.verify(chain), SHOWN))
        for row in bad:
            self.stderr.write(str(row))
        self.stdout.write(f"{len(bad)} rows differ from the record" + (" at least" if len(bad) == SHOWN else ""))
        return len(bad)
