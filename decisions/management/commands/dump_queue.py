"""Prints a queue as a file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions.management import doors
from decisions.queues import apply


class Command(BaseCommand):
    """Prints the queue in force as a file that `apply_queue` takes."""

    help = "Print the queue in force as a file that apply_queue takes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")

    def handle(self, **options: Any) -> None:
        with doors.refusals():
            self.stdout.write(apply.source(options["slug"]), ending="")
