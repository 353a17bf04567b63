"""Makes a token useless."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from decisions import people
from decisions.management import doors
from decisions.models import Token
from decisions.record import log


class Command(BaseCommand):
    """Makes the token that begins like this useless from now on."""

    help = "Make a token useless from now on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="how the token begins, up to its second underscore")

    def handle(self, *, prefix: str, **_: Any) -> None:
        token = Token.objects.filter(prefix=prefix).first()
        if token is None:
            message = f"There is no token that begins with {prefix}."
            raise CommandError(message)
        with doors.refusals():
            was_of_use = people.revoke_token(token=token, by=None, at=log.now())
        self.stdout.write("Revoked." if was_of_use else "It was revoked before.")
