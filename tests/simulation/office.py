"""An office at work on one of the demo's queues: its real rows arrive with peaks, people of different skill decide.

Everything goes through the house's own verbs at pretended times; what people do beside deciding (they skip, hold,
escalate, put back, walk away, take back) comes by chance from a seed.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from decisions.exceptions import Refused
from decisions.intake import parse, submit
from decisions.learning import labels
from decisions.measure import rollups
from decisions.models import Queue, Task, User
from decisions.queues import apply, live
from decisions.queues import parse as parse_file
from decisions.queues.spec import Truth
from decisions.routing import frames
from decisions.watch import books
from decisions.work import claim, decide, gold, grading, rule, shifts, sweep
from decisions.work.answer import Answer
from reviewqueue.demo import replay, rows, setup
from tests.clock import Clock
from tests.factories import make_user

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PEOPLE: tuple[tuple[str, float, float, int, int], ...] = (
    # role, how often right, seconds an item takes, first and last hour of the shift by the queue's clock
    *((("reviewer", 0.97, 40, 8, 16),) * 3),
    *((("reviewer", 0.92, 75, 9, 17),) * 2),
    ("reviewer", 0.95, 150, 13, 21),
    *((("crowd", 0.85, 25, 11, 15),) * 3),
    *((("expert", 0.99, 90, 8, 16),) * 2),
    ("lead", 0.99, 120, 9, 17),
)
CROWD = '[crowd]\npurposes = ["soft", "control", "audit"]\n'
# How a card that was taken ends, and how often; what is left is decided.
ENDS = {
    "skip": 0.03,
    "hold": 0.03,
    "wait": 0.02,
    "escalate": 0.04,
    "release": 0.02,
    "walk_away": 0.03,
    "take_back": 0.04,
}


@dataclass(eq=False)
class Worker:
    """A person at work: `right` is their share of right answers, `pace` the seconds that an item takes them."""

    user: User
    right: float
    pace: float
    first: int
    last: int


@dataclass
class Plan:
    """What arrives: items an hour by hour of the week, and how many at each peak (hours since the start)."""

    per_hour: float
    peaks: Sequence[tuple[int, int]]
    hours: int

    def arrivals(self, chance: random.Random) -> list[float]:
        """Return the times of arrivals in hours since the start: more by day than at night, and the peaks."""
        times = []
        for hour in range(self.hours):
            usual = self.per_hour * (1.5 if 8 <= hour % 24 < 20 else 0.5)
            count = int(usual) + (chance.random() < usual % 1)
            count += sum(more for at, more in self.peaks if at == hour)
            times += [hour + chance.random() for _ in range(count)]
        return sorted(times)


@dataclass
class Office:
    """A queue, its people and a clock that jumps from one thing to the next."""

    clock: Clock
    chance: random.Random
    queue: Queue
    workers: list[Worker]
    sender: User
    truths: dict[str, Truth]
    due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    marked: set[int] = field(default_factory=set)
    numbers: Any = field(default_factory=itertools.count)

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        """Let something happen then, or at once if that is over."""
        heapq.heappush(self.due, (max(when, self.clock.at), next(self.numbers), what))

    def every(self, span: timedelta, what: Callable[[], object], shift: float) -> None:
        """Let something happen again and again, so many seconds beside the full hour: nothing falls together."""

        def again() -> None:
            what()
            self.at(self.clock.at + span, again)

        self.at(self.clock.at + span + timedelta(seconds=shift), again)

    def run(self, until: datetime) -> None:
        """Let all happen that is due before then."""
        while self.due and self.due[0][0] < until:
            when, _number, what = heapq.heappop(self.due)
            self.clock.set(when)
            what()
        self.clock.set(until)

    def open(self, plan: Plan) -> None:
        """Let items come, people work and the house's own tasks run, from now on."""
        start, found = self.clock.at, iter(rows.live(self.queue.slug))
        for hours in plan.arrivals(self.chance):
            self.at(start + HOUR * hours, lambda: self.send(next(found)))
        for worker in self.workers:
            self.at(start, lambda worker=worker: self.turn(worker))  # type: ignore[misc]
        self.every(MINUTE * 10, lambda: (sweep.lapse(self.clock.at), sweep.free(self.clock.at)), 3)
        self.every(MINUTE * 30, lambda: sweep.expire(self.clock.at), 17)
        self.every(HOUR, self.count, -30)
        self.every(HOUR * 6, lambda: labels.feed_due(self.clock.at), 41)
        self.every(HOUR * 8, self.draw, 301)
        self.every(HOUR * 5, self.mark, 707)
        self.every(HOUR * 3, lambda: grading.regrade(live.of(self.queue.slug), self.clock.at), 919)

    def send(self, row: rows.DemoRow) -> None:
        sent = parse.many(replay.line(row))
        submit.many(queue=live.of(self.queue.slug), lines=sent, sender=self.sender, at=self.clock.at)

    def count(self) -> None:
        """Write the figures that pages read, and check the accounts."""
        rollups.roll_up(self.clock.at)
        books.check(self.queue, self.clock.at)

    def draw(self) -> None:
        """Close a frame; the audits of what was passed wait among the rest."""
        self.tried(frames.close, queue_id=self.queue.pk, at=self.clock.at, why="a frame a shift")

    def mark(self) -> None:
        """Let an expert say of some decided items what they are known to be."""
        expert = next(worker.user for worker in self.workers if worker.last == 16 and worker.right == 0.99)
        decided = Task.objects.filter(queue=self.queue, state="decided").exclude(item__in=self.marked)
        for task in decided.select_related("item").order_by("pk")[:3]:
            self.marked.add(task.item_id)
            outcome = "spam" if self.truths[task.item.external_id] == Truth.POSITIVE else "ham"
            self.tried(gold.mark, item_id=task.item_id, person=expert, outcome=outcome, reason="clear")

    # People

    def turn(self, worker: Worker) -> None:
        """Take what is next, or look again later."""
        local = self.clock.at.astimezone(self.queue.spec.zone)
        if not worker.first <= local.hour < worker.last:
            opens = local.replace(hour=worker.first, minute=0, second=0, microsecond=0)
            self.at(opens if opens > local else opens + timedelta(days=1), lambda: self.turn(worker))
            return
        taken = self.tried(claim.next_tasks, queue_id=self.queue.pk, person=worker.user)
        if not taken:
            self.at(self.clock.at + MINUTE * 20, lambda: self.turn(worker))
            return
        seconds = round(worker.pace * self.chance.lognormvariate(0, 0.6), 1)
        self.at(self.clock.at + timedelta(seconds=seconds), lambda: self.finish(worker, taken[0], seconds))

    def finish(self, worker: Worker, task: Task, seconds: float) -> None:
        """Do with a card what people do with cards, and go on."""
        (end,) = self.chance.choices([*ENDS, "decide"], [*ENDS.values(), 1 - sum(ENDS.values())])
        given: dict[str, Any] = {"task_id": task.pk, "lease": task.lease, "person": worker.user}
        if end in ("skip", "release", "escalate"):
            self.tried(
                getattr(claim, end),
                **given,
                **{"skip": {"reason": "unclear"}, "escalate": {"reason": "expert"}}.get(end, {}),
            )
        elif end in ("hold", "wait"):
            until = {"until": self.clock.at + HOUR * 2, "reason": "information"} if end == "wait" else {}
            self.tried(claim.hold, **given, **until)
            self.at(self.clock.at + MINUTE * 30, lambda: self.answer(worker, task, seconds))
        elif end != "walk_away":
            decision = self.answer(worker, task, seconds)
            if end == "take_back" and decision:
                self.clock.pass_(timedelta(seconds=3))
                self.tried(rule.undo, decision_id=decision.pk, person=worker.user)
        self.at(self.clock.at + timedelta(seconds=self.chance.uniform(2, 20)), lambda: self.turn(worker))

    def answer(self, worker: Worker, task: Task, seconds: float) -> Any:
        outcome = "spam" if self.truths[task.item.external_id] == Truth.POSITIVE else "ham"
        if self.chance.random() > worker.right:
            outcome = {"spam": "ham", "ham": "spam"}[outcome]
        reason = {"spam": "bulk", "ham": "wanted"}[outcome]
        timed = seconds if self.chance.random() < 0.9 else None
        said = Answer(outcome, reason, active_seconds=timed)
        return self.tried(decide.decide, task_id=task.pk, lease=task.lease, person=worker.user, answer=said)

    def tried(self, call: Callable[..., Any], **given: Any) -> Any:
        """Return what a call returns, None where it was refused: people are late, and say what does not go."""
        try:
            return call(**given)
        except Refused as error:
            self.refused[error.code] += 1
            return None


def found(clock: Clock, seed: int) -> Office:
    """Found an office on the demo's e-mails, with a trained model, its twelve people and two shifts in the plan."""
    file = setup.QUEUES / "emails.toml"
    said = parse_file.document(file.read_text() + CROWD, file.name)
    queue = apply.apply(apply.preview(said), by=None, why="an office", at=clock.at).queue
    Queue.objects.filter(pk=queue.pk).update(created_at=clock.at)
    queue = Queue.objects.select_related("version").get(pk=queue.pk)
    setup.model(queue, lambda _said: None)
    workers = [Worker(make_user(role, queue), right, pace, a, b) for role, right, pace, a, b in PEOPLE]
    manager = make_user("manager", queue)
    for day in range(8):
        midnight = clock.at.astimezone(queue.spec.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        opens = midnight + timedelta(days=day, hours=8)
        shifts.enter(queue_id=queue.pk, by=manager, starts_at=opens, ends_at=opens + HOUR * 8, people=7)
        shifts.enter(
            queue_id=queue.pk, by=manager, starts_at=opens + HOUR * 5, ends_at=opens + HOUR * 13, people=1, rate=12
        )
    truths = rows.truths("emails", queue.spec)
    return Office(clock, random.Random(seed), queue, workers, manager, truths)
