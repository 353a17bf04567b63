"""Computes the draw of a closed frame again from what was logged."""

from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from decisions.management import doors
from decisions.models import Frame
from decisions.record import streams
from decisions.routing import recount

SHOWN = 100


class Command(BaseCommand):
    help = "Computes u, q, tau and every inclusion probability of a frame again from the log, and compares each bit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", metavar="QUEUE", help="the queue's slug")
        parser.add_argument("frame", metavar="FRAME", type=int, help="the frame's number, as its page shows it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Compare, print what differs, and fail if anything does."""
        queue = doors.queue(options["queue"])
        with streams.snapshot():
            frame = Frame.objects.select_related("queue").filter(queue=queue, pk=options["frame"]).first()
            if frame is None:
                msg = f"The queue “{queue.slug}” has no frame {options['frame']}."
                raise CommandError(msg)
            found = list(islice(recount.differences(frame), SHOWN))
        for difference in found:
            self.stderr.write(difference)
        if found:
            msg = f"Frame {frame.pk} does not follow from the log: {len(found)} differences shown."
            raise CommandError(msg)
        self.stdout.write(
            self.style.SUCCESS(f"Frame {frame.pk} follows from the log: {frame.passes} passes, {frame.drawn} drawn.")
        )
