"""Trains a queue's model from a file of rows with their truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from decisions.learning import rows, training
from decisions.learning.rows import Condition, FileRow, Part
from decisions.learning.training import Example
from decisions.management import doors
from decisions.models import ModelVersion, Queue, User
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.routing import publish


class Command(BaseCommand):
    """Trains the queue's scikit-learn pipeline, stores it, and on request lets a policy use it."""

    help = "Train a queue's model from a CSV file (gzip welcome) that holds the payload fields and the truth."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", metavar="QUEUE")
        parser.add_argument("file", type=Path, metavar="FILE.csv[.gz]")
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="COLUMN<VALUE",
            help="only rows for which this holds (< <= > >= = !=); may be repeated",
        )
        parser.add_argument("--share", type=float, default=1.0, help="only this share of the rows, drawn by --salt")
        parser.add_argument("--salt", default="", help="another salt draws another share")
        parser.add_argument(
            "--prefix", default="", help="how rows are named: PREFIX-000001; the queue's slug by default"
        )
        parser.add_argument("--time", default="", metavar="COLUMN", help="order rows by it and measure on later ones")
        after = parser.add_mutually_exclusive_group()
        after.add_argument("--draft", action="store_true", help="make a policy draft that pins the model")
        after.add_argument("--publish", action="store_true", help="make that draft live")
        parser.add_argument("--why", default="", help="why; it is kept with the policy")
        parser.add_argument("--as", dest="email", default="", metavar="EMAIL", help="the person who does it")

    def handle(self, *_: Any, **options: Any) -> None:
        queue, by = doors.queue(options["queue"]), doors.person(options["email"]) if options["email"] else None
        with doors.refusals(by):
            part = Part(tuple(map(Condition.parse, options["where"])), options["share"], options["salt"])
            chosen = [row for row in self.rows(options["file"], options["prefix"] or queue.slug) if part.holds(row)]
            if options["time"]:
                chosen.sort(key=lambda row: row.cells[options["time"]])
            learnt = examples(chosen, queue.spec)
            model = training.train(queue=queue, examples=learnt, in_time=bool(options["time"]), by=by, at=log.now())
            self.tell(model)
            if options["draft"] or options["publish"]:
                self.use(queue, model, by, options["why"] or f"train {options['file'].name}", live=options["publish"])

    def rows(self, file: Path, prefix: str) -> list[FileRow]:
        """Return the rows of the file."""
        try:
            return list(rows.read(file, prefix))
        except (OSError, EOFError, UnicodeDecodeError) as error:
            message = f"{file}: {error}"
            raise CommandError(message) from error

    def tell(self, model: ModelVersion) -> None:
        """Print which model came out and what it can."""
        figures = ", ".join(f"{name} {value:.4g}" for name, value in model.figures.items())
        self.stdout.write(f"Model {model.name}: {figures}.")

    def use(self, queue: Queue, model: ModelVersion, by: User | None, why: str, *, live: bool) -> None:
        """Make a policy draft that pins the model, and make it live if asked."""
        policy = publish.draft(queue=queue, changes={"model": model}, by=by, why=why, at=log.now())
        self.stdout.write(f"Policy {policy.no} pins it: a draft.")
        if live:
            publish.approve(policy=policy, by=by, why=why, at=log.now())
            publish.publish(policy=policy, by=by, why=why, at=log.now())
            self.stdout.write(f"Policy {policy.no} is live.")


def examples(chosen: Sequence[FileRow], spec: Spec) -> list[Example]:
    """Return what can be learnt from rows; those without an answer teach nothing. Refuses a file without the column."""
    label = spec.model.label
    if chosen and label not in chosen[0].cells:
        message = f"The file has no column “{label}”, which the queue says holds the truth."
        raise CommandError(message)
    return [
        Example(row.external_id, rows.payload(row.cells, spec.fields), row.cells[label] == spec.model.positive)
        for row in chosen
        if row.cells[label]
    ]
