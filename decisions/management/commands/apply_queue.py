"""Puts a queue file in force, after showing what it changes."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from decisions.management import doors
from decisions.queues import apply, parse
from decisions.queues.apply import Applied, Plan
from decisions.queues.parse import SpecError
from decisions.record import log


class Command(BaseCommand):
    """Shows what a queue file changes, asks, and puts it in force."""

    help = "Show what a queue file changes, ask, and put it in force."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.toml")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--as", dest="email", default="", metavar="EMAIL", help="the person who does it")
        parser.add_argument("--why", default="", metavar="TEXT", help="why; it is kept with the version")

    def handle(self, **options: Any) -> None:
        file: Path = options["file"]
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            message = f"{file}: {error}"
            raise CommandError(message) from error
        by = doors.person(options["email"]) if options["email"] else None
        with doors.refusals(by), self.faults_of(text, str(file)):
            plan = apply.preview(parse.document(text, str(file)))
            self.show(plan)
            if plan.is_empty or options["dry_run"]:
                return
            if not options["yes"]:
                self.ask()
            self.tell(apply.apply(plan, by=by, why=options["why"] or f"apply_queue {file.name}", at=log.now()))

    def show(self, plan: Plan) -> None:
        """Print each key that changes, old and new."""
        slug = plan.document.spec.slug
        if plan.is_empty:
            self.stdout.write(f"Queue {slug}, version {plan.version}: nothing changes.")
            return
        state = f"now at version {plan.version}" if plan.version else "new"
        self.stdout.write(f"Queue {slug}, {state}:")
        for change in (*plan.changes, *plan.policy_changes):
            self.stdout.write(f"  {change}")
        if plan.policy_changes:
            what = (
                "The changed policy becomes a draft; policy {} stays live." if plan.policy else "The policy goes live."
            )
            self.stdout.write(what.format(plan.policy))

    def ask(self) -> None:
        """Go on only when somebody says yes."""
        if not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here: say --yes, or --dry-run to look only.")
        if input("Apply this? [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")

    def tell(self, applied: Applied) -> None:
        """Say what was made."""
        if applied.version:
            self.stdout.write(f"Queue {applied.queue.slug} is at version {applied.version.no}.")
        if applied.policy:
            self.stdout.write(f"Policy {applied.policy.no} is {applied.policy.state}.")

    @contextmanager
    def faults_of(self, text: str, name: str) -> Iterator[None]:
        """Write what is wrong with the file as `FILE:LINE: key: what`, a line each."""
        try:
            yield
        except SpecError as error:
            placed = error if any(error.places) else parse.placed(error.faults, text, name)
            for message in placed.messages:
                self.stderr.write(message)
            raise CommandError("Nothing was changed.") from error
