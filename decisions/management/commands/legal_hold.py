"""Puts an item on legal hold, or ends that."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from decisions.management import doors
from decisions.record import erase, log


class Command(BaseCommand):
    help = "Forbids (on) or allows again (off) to erase an item."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("item", type=int, help="the item's id")
        parser.add_argument("state", choices=("on", "off"))
        parser.add_argument("--why", required=True, help="stays in the record: name nobody")
        parser.add_argument("--as", dest="person", required=True, metavar="EMAIL", help="who does it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Hold or let go as that person."""
        by = doors.person(options["person"])
        with doors.refusals(by):
            erase.hold(
                item_id=options["item"], is_held=options["state"] == "on", by=by, why=options["why"], at=log.now()
            )
        self.stdout.write(f"Item {options['item']}: legal hold {options['state']}.")
