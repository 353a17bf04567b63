"""Writes part of the record to a file."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from decisions.management import doors
from decisions.record import export, log
from decisions.record.export import Form, Kind
from decisions.record.history import Wanted


class Command(BaseCommand):
    help = "Exports everything that matches as CSV or JSON lines; the last line is a manifest with count and SHA-256."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[kind.value for kind in Kind])
        parser.add_argument("--queue", metavar="SLUG", help="left out: the site's own events")
        parser.add_argument("--form", choices=[form.value for form in Form], default=Form.JSONL.value)
        parser.add_argument("--as", dest="person", required=True, metavar="EMAIL", help="who exports")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write a new file instead of printing")
        parser.add_argument("--since", type=moment, metavar="TIME", help="from this time on, with its zone")
        parser.add_argument("--until", type=moment, metavar="TIME", help="before this time")
        parser.add_argument("--outcome", default="")
        parser.add_argument("--reason", default="")

    def handle(self, *_: Any, **options: Any) -> None:
        """Export as that person."""
        by = doors.person(options["person"])
        wanted = Wanted(**{name: options[name] for name in ("since", "until", "outcome", "reason")})
        queue = doors.queue(options["queue"]) if options["queue"] else None
        with doors.refusals(by):
            made = export.begin(
                kind=Kind(options["kind"]),
                form=Form(options["form"]),
                queue=queue,
                wanted=wanted,
                by=by,
                at=log.now(),
            )
        if options["out"] is None:
            for piece in made.lines():
                sys.stdout.buffer.write(piece)
            return
        try:
            with options["out"].open("xb") as file:
                file.writelines(made.lines())
        except OSError as error:
            message = f"{options['out']}: {error.strerror}"
            raise CommandError(message) from error


def moment(text: str) -> datetime:
    """Return the time that an argument names."""
    found = parse_datetime(text)
    if found is None or is_naive(found):
        message = f"{text}: not a time with a zone, such as 2026-03-01T00:00:00Z"
        raise CommandError(message)
    return found
