"""Simulated people: they decide demo items from the truth, with a known error rate, and leave work for people.

Audits are drawn every few minutes instead of once a day, and decided items are marked as gold by what their rows really
are, so that there is something to measure by.
"""

import heapq
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from decisions.exceptions import CapReached, PersonPaused, QueuePaused, Refused
from decisions.models import Item, Queue, Ruling, Task, User
from decisions.queues.spec import Outcome, Spec, Truth
from decisions.record import log
from decisions.routing import frames
from decisions.work import claim, decide, gold, why
from decisions.work.answer import Answer
from reviewqueue.demo import replay

ERROR_RATE = 0.04  # of all answers but a lead's: the other truth than the row's
DOUBT_RATE = 0.01  # "can't tell", where the queue has such an outcome
HANDLING = (4.0, 14.0)  # seconds
LEFT_FOR_PEOPLE = 25  # tasks that stay in each queue for whoever comes to look
IDLE = 3.0
DRAW_EVERY = 120.0
LEAST_DRAW = 20  # audits: fewer say nothing of so many passes
GOLD = 40  # items of each truth that a queue has as gold
RECENT = 500  # rulings among which items for gold are looked for
MARKED = 5  # of them at once
WHY = "Demo: a frame every few minutes, so that audits need not wait for the day to end"


@dataclass
class Crew:
    """The simulated people and what the rows really are, by queue and external id."""

    people: list[User]
    queues: list[Queue]
    truths: Mapping[str, Mapping[str, Truth]]
    chance: random.Random
    due: list[tuple[float, int]] = field(default_factory=list)  # when whom is free again

    def work(self) -> None:
        """Decide until stopped; each person takes as long as people do."""
        now = time.monotonic()
        self.due = [(now + self.chance.uniform(0, IDLE), number) for number in range(len(self.people))]
        heapq.heapify(self.due)
        draw_at = now + DRAW_EVERY
        while True:
            if time.monotonic() >= draw_at:
                self.draw()
                self.mark()
                draw_at = time.monotonic() + DRAW_EVERY
            at, number = heapq.heappop(self.due)
            time.sleep(max(0.0, at - time.monotonic()))
            seconds = self.turn(self.people[number])
            heapq.heappush(self.due, (time.monotonic() + seconds, number))

    def draw(self) -> None:
        """Close a frame of each queue whose share of the day's audits is worth it, and open its audits."""
        for queue in self.queues:
            at = log.now()
            span = frames.preview(queue.pk, at)
            if span and span.budget >= LEAST_DRAW:
                frames.close(queue.pk, at, why=WHY)

    def mark(self) -> None:
        """Mark a few more decided items of each queue as gold, as many of either truth, whatever was answered."""
        for queue in self.queues:
            routes = queue.spec.routes
            for key in (routes.positive, routes.negative):
                self._mark(queue, key)

    def _mark(self, queue: Queue, key: str) -> None:
        outcome = queue.spec.outcome(key)
        room = GOLD - gold.marked(queue.pk).filter(outcome=key).count()
        truths = self.truths.get(queue.slug, {})
        known = [row for row in _decided(queue) if outcome and truths.get(row.external_id) == outcome.truth]
        for item in self.chance.sample(known, min(len(known), MARKED, max(0, room))):
            try:
                gold.mark(item_id=item.pk, person=None, outcome=key, reason=why.Known.SIMULATED)
            except Refused:  # somebody is asked about it again
                continue

    def turn(self, person: User) -> float:
        """Let one person finish what they hold and take the next; return the seconds until they are free again."""
        for queue in self.chance.sample(self.queues, len(self.queues)):
            for task in claim.held(person, queue.pk):
                self.answer(task, person, queue.spec)
        for queue in self.chance.sample(self.queues, len(self.queues)):
            if take(person, queue):
                return self.chance.uniform(*HANDLING)
        return IDLE

    def answer(self, task: Task, person: User, spec: Spec) -> None:
        """Decide one task; what was lost meanwhile is left."""
        outcome = self.conclude(task, spec)
        reason = next((reason.code for reason in outcome.reasons if not reason.needs_note), "")
        seconds = round(self.chance.uniform(*HANDLING), 1)
        given = Answer(outcome=outcome.key, reason=reason, note="", active_seconds=seconds)
        try:
            decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=given)
        except Refused:
            return

    def conclude(self, task: Task, spec: Spec) -> Outcome:
        """Return the outcome of the row's truth, or now and then another one."""
        truth = self.truths.get(spec.slug, {}).get(task.item.external_id, Truth.NONE)
        draw = 1.0 if task.rank >= Task.Rank.EXPERT else self.chance.random()  # whoever settles a dispute is right
        if draw < DOUBT_RATE:
            truth = Truth.NONE
        elif draw < DOUBT_RATE + ERROR_RATE:
            truth = Truth.NEGATIVE if truth == Truth.POSITIVE else Truth.POSITIVE
        fitting = [outcome for outcome in spec.outcomes if outcome.truth == truth]
        return fitting[0] if fitting else spec.outcomes[0]


def _decided(queue: Queue) -> list[Item]:
    """Return demo items that people decided lately and that are no gold yet."""
    recent = Ruling.objects.filter(queue=queue, source=Ruling.Source.DECISION).order_by("-at").values("item")[:RECENT]
    return list(Item.objects.filter(pk__in=recent, source=replay.SOURCE, gold=None))


def take(person: User, queue: Queue) -> bool:
    """Claim one task for a person, unless too few would be left."""
    waiting = Task.objects.waiting().filter(queue=queue)
    if len(waiting.values_list("pk")[: LEFT_FOR_PEOPLE + 1]) <= LEFT_FOR_PEOPLE:
        return False
    try:
        return bool(claim.next_tasks(queue_id=queue.pk, person=person))
    except (CapReached, PersonPaused, QueuePaused):
        return False
