"""Makes a token of the API."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from decisions import people
from decisions.management import doors
from decisions.models import Membership, Queue, Token, User
from decisions.record import log


class Command(BaseCommand):
    """Makes a token that acts as a person, or as a service of its own name, and prints it, alone and once."""

    help = "Make a token that acts as a person, or as a service of its own name, and print it, alone and once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is for; without --as also the name of the service")
        parser.add_argument("--as", dest="email", default="", metavar="EMAIL", help="the person the token acts as")
        parser.add_argument("--scope", action="append", required=True, choices=Token.Scope.values)
        parser.add_argument("--queue", action="append", default=[], metavar="SLUG", help="without it, all queues")
        parser.add_argument("--role", choices=Membership.Role.values, help="the service's role; else from its scopes")
        parser.add_argument("--days", type=int, metavar="N", help="how long it works; without it, until revoked")

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        if options["days"] is not None and not 0 < options["days"] <= 36500:
            raise CommandError("--days is from 1 to 36500.")
        if options["email"] and options["role"]:
            raise CommandError("--role is for a service; a person has a role already.")
        with doors.refusals():
            text = self.make(options)
        self.stderr.write("The token is on standard output, this once.")
        self.stdout.write(text)

    def make(self, options: dict[str, Any]) -> str:
        """Make the token, and the service where there is none; return the token's text."""
        at = log.now()
        queues = [doors.queue(slug) for slug in dict.fromkeys(options["queue"])]
        user = doors.person(options["email"]) if options["email"] else self.service(options, queues, at)
        days = options["days"]
        _token, text = people.make_token(
            user=user,
            name=options["name"],
            scopes=options["scope"],
            queues=queues,
            expires_at=at + timedelta(days=days) if days else None,
            by=None,
            at=at,
        )
        return text

    def service(self, options: dict[str, Any], queues: list[Queue], at: datetime) -> User:
        """Return the service that the token is for."""
        role = options["role"] or people.role_for(options["scope"])
        self.stderr.write(f"The service “{options['name']}” has the role {role} there.")
        return people.make_service(name=options["name"], role=role, queues=queues, by=None, at=at)
