"""Django's `migrate`, as the owner of the tables."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import connections

from decisions.record import guards


class Command(DjangoCommand):
    help = "Brings the tables up to date as the owner role (DATABASE_OWNER_URL), the cache table too."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; refuse to where the application would own its tables, for then it could change the record."""
        connection = connections[options["database"]]
        if guards.is_one_role(connection) and not settings.DEBUG:
            message = (
                f'The tables would belong to the role "{guards.app_role()}" that the application runs under, and it '
                "could change its own record. Name another role in DATABASE_OWNER_URL."
            )
            raise CommandError(message)
        try:
            super().handle(*args, **options)
        except guards.RoleMissing as error:
            raise CommandError(str(error)) from error
        if not (options["plan"] or options["check_unapplied"]):
            call_command("createcachetable", database=options["database"], verbosity=options["verbosity"])
