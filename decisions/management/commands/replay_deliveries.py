"""Sends dead letters again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions.effects import letters
from decisions.management import doors
from decisions.record import log


class Command(BaseCommand):
    """Sends a queue's dead letters again, or the named actions, also where they were delivered; under their old ids."""

    help = "Send a queue's dead letters again, or the named actions, also where they were delivered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", help="the queue's slug")
        parser.add_argument("--action", type=int, action="append", help="an action's id; may be given several times")

    def handle(self, **options: Any) -> None:
        with doors.refusals():
            queue = doors.queue(options["queue"])
            replayed = letters.replay(queue_id=queue.pk, by=None, at=log.now(), action_ids=options["action"])
        self.stdout.write(f"{len(replayed)} will be sent again.")
