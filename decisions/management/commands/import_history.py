"""Brings the history of an earlier tool into a queue."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from decisions.intake import history, imported
from decisions.intake.imported import Outcome
from decisions.intake.parse import Bad
from decisions.management import doors
from decisions.record import log

SHOWN = 50


class Command(BaseCommand):
    """Imports items and what was concluded of them, and prints what became of each line that is wrong."""

    help = (
        "Import an earlier tool's items and conclusions (NDJSON or CSV, gzip welcome), each with its own past time. "
        "They are marked as imported everywhere; bringing the same file in again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", metavar="QUEUE")
        parser.add_argument("file", type=Path, metavar="FILE.ndjson|csv[.gz]")
        parser.add_argument("--as", dest="email", required=True, metavar="EMAIL", help="the person who does it")
        parser.add_argument("--dry-run", action="store_true", help="say what is wrong with the file, and store nothing")

    def handle(self, *_: Any, **options: Any) -> None:
        queue, by, file = doors.queue(options["queue"]), doors.person(options["email"]), options["file"]
        if not file.is_file():
            message = f"There is no file {file}."
            raise CommandError(message)
        with doors.refusals(by):
            if options["dry_run"]:
                found = list(history.read(file, queue.spec, log.now()))
                bad = tuple(one for one in found if isinstance(one, Bad))
                done = Outcome(history.digest_of(file), len(found) - len(bad), bad=bad)
            else:
                done = imported.run(queue=queue, file=file, by=by, at=log.now(), said=self.say)
        self.close(done)

    def say(self, done: Outcome) -> None:
        """Write how far it is."""
        self.stdout.write(f"{done.accepted:,} imported, {done.duplicates:,} were here, {len(done.bad):,} refused.")

    def close(self, done: Outcome) -> None:
        """Write the file's digest and what is wrong; refused lines are a failure."""
        self.stdout.write(f"SHA-256 {done.sha256}: {done.accepted:,} items, {done.duplicates:,} were here already.")
        for text in list(imported.lines(done))[:SHOWN]:
            self.stderr.write(text)
        if done.bad:
            message = f"{len(done.bad):,} lines were refused; the others are in." if done.accepted else "No line is in."
            raise CommandError(message)
