"""Freezes a queue's labels as a data set."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions.learning import datasets
from decisions.management import doors
from decisions.record import log


class Command(BaseCommand):
    """Freezes the latest label of each item as a data set on disk, and prints its folder."""

    help = "Freeze the latest label of each item of a queue as a data set on disk, and print its folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("queue", help="the queue's slug")

    def handle(self, **options: Any) -> None:
        with doors.refusals():
            made = datasets.freeze(doors.queue(options["queue"]), log.now())
        self.stdout.write(str(datasets.path(made)))
