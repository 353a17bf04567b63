"""Brings in a model file that was sealed elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from decisions.learning import imports
from decisions.management import doors
from decisions.record import log


class Command(BaseCommand):
    """Checks a sealed model file without parsing it, reads it in a process of its own, and stores it."""

    help = "Bring in a model file (.skops) with its seal; it routes nothing until a policy pins it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", metavar="QUEUE")
        parser.add_argument("file", type=Path, metavar="FILE.skops")
        parser.add_argument(
            "--seal", type=Path, metavar="FILE.seal", help="by default beside the file: FILE.skops.seal"
        )
        parser.add_argument("--as", dest="email", default="", metavar="EMAIL", help="the person who does it")

    def handle(self, *_: Any, **options: Any) -> None:
        file: Path = options["file"]
        queue, by = doors.queue(options["queue"]), doors.person(options["email"]) if options["email"] else None
        sealed = options["seal"] or file.with_name(f"{file.name}.seal")
        with doors.refusals(by):
            model = imports.bring(queue=queue, file=file, sealed=sealed, by=by, at=log.now())
            self.stdout.write(f"Model {model.name}: {model.sha256}.")
