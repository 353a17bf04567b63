"""The demo's processes: set-up, replay of real rows, simulated reviewers, a receiver of webhooks."""

import os
import random
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from decisions.models import Queue
from decisions.record import log
from reviewqueue.demo import drift, history, receiver, replay, reviewers, rows, setup, state


class Command(BaseCommand):
    """Runs one part of the demo; `make run` runs them all."""

    help = "Run one part of the demo: setup, replay, drift, reviewers, history or receiver."

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        parts.add_parser("setup", help="make queues, models, people and keys where they are missing")
        paced = parts.add_parser("replay", help="send the rows that no model learnt from, as live traffic")
        paced.add_argument("--rate", type=float, default=2.0, help="items per second over all queues")
        drifted = parts.add_parser("drift", help="send rows that drifted, for the watch to find")
        drifted.add_argument("drift", type=drift.Drift, choices=list(drift.Drift), help="what changes")
        drifted.add_argument("--queue", default="emails", choices=list(rows.DEMOS))
        drifted.add_argument("--rate", type=float, default=5.0, help="items per second")
        crew = parts.add_parser("reviewers", help="let simulated people decide demo items")
        crew.add_argument("--people", type=int, default=3)
        parts.add_parser("history", help="import eight weeks of made-up history where a queue has none")
        parts.add_parser("receiver", help="receive webhooks, check their signatures, answer with results")

    def handle(self, *, part: str, **options: Any) -> None:
        getattr(self, part)(options)

    def say(self, text: str) -> None:
        """Write one line."""
        self.stdout.write(text)
        self.stdout.flush()

    def setup(self, _options: dict[str, Any]) -> None:
        setup.run(self.say)

    def replay(self, options: dict[str, Any]) -> None:
        sender = replay.Sender(settings.PUBLIC_URL, state.read().sender_token, self.say)
        replay.run(sender, rate=options["rate"])

    def drift(self, options: dict[str, Any]) -> None:
        known = state.read()
        sender = replay.Sender(known.site, known.sender_token, self.say)
        name = f"drift-{options['drift']}-{log.now():%Y%m%d%H%M%S}"
        sent = drift.run(sender, options["queue"], options["drift"], rate=options["rate"], name=name)
        self.say(f"{sent} drifted items accepted. {drift.DELAY}")

    def reviewers(self, options: dict[str, Any]) -> None:
        queues = list(Queue.objects.filter(slug__in=rows.DEMOS).select_related("version"))
        truths = {queue.slug: rows.truths(queue.slug, queue.spec) for queue in queues}
        people = setup.crew(options["people"])
        reviewers.Crew(people, queues, truths, random.Random(len(people))).work()  # noqa: S311 - a simulation

    def history(self, _options: dict[str, Any]) -> None:
        os.nice(10)  # whoever looks at the site comes first
        history.run(self.say, settings.RUN_DIR)

    def receiver(self, _options: dict[str, Any]) -> None:
        known = state.read()
        receiver.serve(
            port=known.receiver_port,
            secrets=known.secrets,
            api=settings.PUBLIC_URL,
            token=known.receiver_token,
            folder=settings.RUN_DIR,
        )
