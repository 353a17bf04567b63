"""Signs the heads of the chains, for keeping outside the database."""

from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from decisions.exceptions import Invalid
from decisions.record import checkpoint, log


class Command(BaseCommand):
    help = "Prints the signed heads of all chains as JSON; keep them where this database's owners cannot reach."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, metavar="FILE", help="write a new file instead of printing")

    def handle(self, *_: Any, **options: Any) -> None:
        """Make the checkpoint; refuses to overwrite an earlier one."""
        try:
            document = checkpoint.make(log.now()).document()
        except Invalid as error:
            raise CommandError(str(error)) from error
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
        if options["out"] is None:
            self.stdout.write(text)
            return
        try:
            with options["out"].open("x") as file:
                file.write(text + "\n")
        except OSError as error:
            msg = f"{options['out']}: {error.strerror}"
            raise CommandError(msg) from error
        self.stdout.write(f"{len(document['heads'])} heads signed with key {document['key']}")
