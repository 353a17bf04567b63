"""Sets where a queue's actions go."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions.effects import endpoints
from decisions.management import doors
from decisions.record import log


class Command(BaseCommand):
    """Sets where a queue's actions go and prints a new signing secret, alone and once."""

    help = "Set where a queue's actions go. A new signing secret is printed alone on standard output, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", help="the queue's slug")
        parser.add_argument("url", help="an https address; plain http only where OUTBOUND_ALLOWED names the place")
        parser.add_argument(
            "--rotate", action="store_true", help="make a new secret; the one before signs on for a day"
        )

    def handle(self, **options: Any) -> None:
        with doors.refusals():
            secret = endpoints.put(
                queue=doors.queue(options["queue"]),
                url=options["url"],
                by=None,
                at=log.now(),
                rotate=options["rotate"],
            )
        if secret:
            self.stderr.write("The signing secret is on standard output, this once.")
            self.stdout.write(secret)
        else:
            self.stderr.write("The secret stays as it is.")
