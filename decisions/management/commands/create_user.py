"""Makes a person, or gives one a role."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from decisions import people
from decisions.management import doors
from decisions.models import Membership, User
from decisions.record import log


class Command(BaseCommand):
    """Makes a person and prints the password, alone and once; gives a role to one who is here already."""

    help = "Make a person and print the password, alone and once; or give a role to a person who is here already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=Membership.Role.values)
        parser.add_argument("--queue", metavar="SLUG", help="the queue where the role counts; without it, on all")
        parser.add_argument("--name", default="")
        parser.add_argument("--limit", type=float, metavar="VALUE", help="the value up to which the person may decide")
        parser.add_argument("--simulated", action="store_true", help="a person played by the demo")

    def handle(self, **options: Any) -> None:
        with doors.refusals():
            password = self.make(options)
        if password:
            self.stdout.write(password)

    def make(self, options: dict[str, Any]) -> str:
        """Make the person or give the role; return the password of a new person."""
        email, role = options["email"], options["role"]
        queue = doors.queue(options["queue"]) if options["queue"] else None
        where = f"on {queue.slug}" if queue else "on all queues"
        user = User.objects.filter(email=email.lower()).first()
        if user is not None:
            self.warn_unused(options)
            given = {"role": role, "value_limit": options["limit"]}
            changed = people.change_role(user=user, queue=queue, by=None, at=log.now(), **given)
            self.stderr.write(f"{email} was here already and {'is now' if changed else 'was'} {role} {where}.")
            return ""
        password = secrets.token_urlsafe(18)
        people.make_user(
            email=email,
            role=role,
            queue=queue,
            name=options["name"],
            kind=User.Kind.SIMULATED if options["simulated"] else User.Kind.PERSON,
            value_limit=options["limit"],
            password=password,
            by=None,
            at=log.now(),
        )
        self.stderr.write(f"{email} is {role} {where}. The password is on standard output, this once.")
        return password

    def warn_unused(self, options: dict[str, Any]) -> None:
        """Say what does not count for somebody who is here already."""
        if options["name"] or options["simulated"]:
            self.stderr.write("--name and --simulated count for new people only.")
