"""Freezes historical rows with their truth, on which policies are checked before they go live."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from decisions.learning.frozen import TruthColumn
from decisions.learning.rows import Condition, Part
from decisions.management import doors
from decisions.record import log
from decisions.routing import known


class Command(BaseCommand):
    """Freezes a CSV file as the queue's known data, and prints what became of it."""

    help = (
        "Freeze a CSV file (gzip welcome) of payload fields and truth as the known data that policies are checked on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", metavar="QUEUE")
        parser.add_argument("file", type=Path, metavar="FILE.csv[.gz]")
        parser.add_argument("--truth", default="", metavar="COLUMN", help="the column of the truth, if not the queue's")
        parser.add_argument("--positive", default="", metavar="VALUE", help="the value of it that means positive")
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="COLUMN<VALUE",
            help="only rows for which this holds (< <= > >= = !=); may be repeated",
        )
        parser.add_argument("--note", default="", help="where the rows come from; kept with the set")
        parser.add_argument("--as", dest="email", default="", metavar="EMAIL", help="the person who does it")

    def handle(self, *_: Any, **options: Any) -> None:
        if bool(options["truth"]) != bool(options["positive"]):
            message = "--truth and --positive go together."
            raise CommandError(message)
        truth = TruthColumn(options["truth"], options["positive"]) if options["truth"] else None
        queue, by = doors.queue(options["queue"]), doors.person(options["email"]) if options["email"] else None
        with doors.refusals(by):
            part = Part(tuple(map(Condition.parse, options["where"])))
            made = known.freeze(
                queue=queue,
                file=options["file"],
                truth=truth,
                wanted=part.holds,
                note=options["note"],
                by=by,
                at=log.now(),
            )
        self.stdout.write(f"Known data {made.name}: {made.rows} rows, {made.positives} of them positive.")
