"""Sets where a queue's actions go."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions.effects import endpoints
from decisions.learning import push
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
        parser.add_argument(
            "--labels",
            choices=["off", "single", "batch"],
            help="send labels there too, one by one or up to 100 in a letter; or no longer",
        )
        parser.add_argument(
            "--labels-after", type=int, metavar="NO", help="begin after this label; 0 for all there are"
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
            if options["labels"]:
                queue, after = doors.queue(options["queue"]), options["labels_after"]
                made = push.subscribe(queue=queue, mode=options["labels"], by=None, at=log.now(), after=after)
                self.stderr.write(f"Labels: {made.mode}, those after {made.after_no}.")
        if secret:
            self.stderr.write("The signing secret is on standard output, this once.")
            self.stdout.write(secret)
        else:
            self.stderr.write("The secret stays as it is.")
