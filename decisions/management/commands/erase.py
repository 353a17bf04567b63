"""Erases what an item said."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from decisions.learning import datasets
from decisions.management import doors
from decisions.record import erase, log


class Command(BaseCommand):
    help = "Erases an item's content and notes for good. Backups keep them until they are deleted: let those age out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("item", type=int, help="the item's id")
        parser.add_argument("--why", required=True, help="stays in the record: name nobody")
        parser.add_argument("--basis", required=True, help="the legal basis; stays in the record too")
        parser.add_argument("--as", dest="person", required=True, metavar="EMAIL", help="who does it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Erase as that person."""
        by = doors.person(options["person"])
        with doors.refusals(by):
            event = erase.erase(
                item_id=options["item"], by=by, why=options["why"], legal_basis=options["basis"], at=log.now()
            )
        files = datasets.forget_erased()
        self.stdout.write(f"Erased; entry {event.seq} of chain {event.chain} says so: {event.entry}")
        self.stdout.write(f"Taken out of {files} data set files.")
        self.stdout.write("Backups from before still hold the content. Delete them when their time is over.")
