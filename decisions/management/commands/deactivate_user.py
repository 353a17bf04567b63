"""Lets a person go."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions import people
from decisions.management import doors
from decisions.record import log


class Command(BaseCommand):
    """Lets a person go: what they held goes back, roles and tokens end, their name gives way to a pseudonym."""

    help = "Let a person go: what they held goes back, roles and tokens end, their name gives way to a pseudonym."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's address")

    def handle(self, *, email: str, **_: Any) -> None:
        user = doors.person(email)
        with doors.refusals():
            people.deactivate(user=user, by=None, at=log.now())
        self.stdout.write(f"{email} has left. What they decided stays, as {user.name}.")
