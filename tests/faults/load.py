"""People and senders who work over HTTP and never give up, and the accounts that must be right after it."""

import itertools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Flag
from threading import Thread

from django.db import connection
from django.utils import timezone

from decisions.models import Action, Decision, Delivery, Intake, Item, Label, PendingLabel, Queue, Ruling, Task
from decisions.record import deep, proof
from tests.decisions.effects.world import Receiver, make_endpoint
from tests.factories import make_queue, make_token, make_user
from tests.faults.inside import Inside
from tests.processes import Site, until

UNDO = timedelta(seconds=1)
SCORES = (0.95, 0.6, 0.35, 0.1)  # the machine acts, people decide twice, it passes
OUTCOMES = ("spam", "ham")
SHORT = 0.02  # seconds


@dataclass
class Load:
    """Who works on one queue, and what each was answered."""

    queue: Queue
    sender: str
    reviewers: list[str]
    accepted: dict[str, int] = field(default_factory=dict)
    decided: dict[int, int] = field(default_factory=dict)
    refused: list[object] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)

    @contextmanager
    def on(self, site: Site | Inside) -> Iterator[Flag]:
        """Let them work; when the flag is set no more items come. Ends when all that waits is decided."""
        no_more, home = Flag(), Flag()
        people = [Thread(target=self._guard, args=(self._review, site, token, home)) for token in self.reviewers]
        sender = Thread(target=self._guard, args=(self._send, site, no_more))
        for thread in (sender, *people):
            thread.start()
        try:
            yield no_more
            no_more.set()
            sender.join()
            until(lambda: self.broken or not Task.objects.open().exists(), 60, lambda: self.broken)
        finally:
            no_more.set()
            home.set()
            for thread in (sender, *people):
                thread.join()
        assert not self.broken, self.broken

    def send_batch(self, site: Site | Inside, count: int) -> None:
        """Send many items at once."""
        lines = [json.dumps({"external_id": name, **content(n)}) for n, name in enumerate(_names(count))]
        answer = site.insist("POST", f"{self.path}/items/batch/", self.sender, "\n".join(lines).encode())
        assert answer.data["accepted"] == count, answer
        self.accepted |= {one["external_id"]: one["id"] for one in answer.data["results"]}

    @property
    def path(self) -> str:
        return f"/api/v1/queues/{self.queue.slug}"

    def _guard(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException as error:  # told by the thread that waits
            self.broken.append(error)
        finally:
            connection.close()

    def _send(self, site: Site | Inside, no_more: Flag) -> None:
        for number in itertools.count():
            if no_more.wait(SHORT):
                return
            name = f"sent-{number}"
            answer = site.insist("POST", f"{self.path}/items/", self.sender, {"external_id": name, **content(number)})
            if answer.status not in (200, 201):
                self.refused.append(answer)
            else:
                self.accepted[name] = answer.data["id"]

    def _review(self, site: Site | Inside, token: str, home: Flag) -> None:
        for number in itertools.count():
            if home.is_set():
                return
            answer = site.insist("POST", f"{self.path}/claim/", token, {}, key=f"claim-{number}")
            if answer.status == 204:
                time.sleep(10 * SHORT)
                continue
            if answer.status != 200:
                self.refused.append(answer)
                continue
            (task,) = answer.data["tasks"]
            self.decide(site, token, task)

    def decide(self, site: Site | Inside, token: str, task: dict[str, int]) -> None:
        """Answer a task, as often as it takes to get an answer."""
        said = {"lease": task["lease"], "outcome": OUTCOMES[task["id"] % 2], "reason": "content"}
        key = f"decide-{task['id']}-{task['lease']}"
        answer = site.insist("POST", f"/api/v1/tasks/{task['id']}/decide/", token, said, key=key)
        if answer.status == 201:
            self.decided[task["id"]] = answer.data["decision"]["id"]
        else:
            self.refused.append(answer)

    def check(self, world: Receiver) -> None:
        """Hold the accounts: what was acknowledged is there, each thing once, and the record is whole."""
        assert self.refused == []
        self._check_work()
        self._check_labels()
        self._check_letters(world)
        assert proof.verify().bad == ()
        assert list(deep.verify()) == []

    def _check_work(self) -> None:
        assert dict(Item.objects.values_list("external_id", "pk")) == self.accepted
        assert sum(Intake.objects.values_list("accepted", flat=True)) == len(self.accepted)
        routes = Counter(Item.objects.values_list("route", flat=True))
        states = Counter(Task.objects.values_list("state", flat=True))
        assert states == {"decided": routes["soft"]}
        assert dict(Decision.objects.values_list("task", "pk")) == self.decided
        assert len(self.decided) == routes["soft"]
        made = Ruling.objects.values_list("decision", "no")
        assert sorted(made) == sorted((pk, 1) for pk in self.decided.values())

    def _check_labels(self) -> None:
        assert not PendingLabel.objects.exists()
        assert list(Label.objects.order_by("no").values_list("no", flat=True)) == list(range(1, len(self.decided) + 1))
        assert set(Label.objects.values_list("ruling", flat=True)) == set(Ruling.objects.values_list("pk", flat=True))

    def _check_letters(self, world: Receiver) -> None:
        """Each action that causes something was told under one id with one body, and the last word is what holds."""
        actions = Action.objects.in_bulk()
        wanted = Counter({("ruling", 1): len(self.decided)})
        wanted["machine", 1] = Item.objects.exclude(route="pass").count()  # quarantined, or flagged meanwhile
        assert wanted == Counter(("ruling" if one.ruling_id else "machine", 1) for one in actions.values())
        assert {one.state for one in actions.values()} <= {"delivered", "cancelled"}
        assert all(one.state == "delivered" for one in actions.values() if one.ruling_id)
        bodies = defaultdict(set)
        assert world.unsigned == []
        for letter in world.letters:
            bodies[letter.id].add(letter.body)
        assert all(len(different) == 1 for different in bodies.values())
        alerts = {name for name in bodies if name.startswith("ntc_")}  # the watch may speak up meanwhile
        for name in alerts:
            del bodies[name]
        told = {pk for pk, one in actions.items() if one.state == "delivered"}
        tried = {pk for pk, one in actions.items() if one.attempts}
        assert {f"act_{pk}" for pk in told} <= set(bodies) <= {f"act_{pk}" for pk in tried}
        arrived = Delivery.objects.filter(status=200, action__state="delivered").values_list("action", flat=True)
        assert sorted(arrived) == sorted(told)
        self._check_last_words([json.loads(body)["data"] for (body,) in bodies.values()])

    def _check_last_words(self, said: list[dict[str, dict[str, int]]]) -> None:
        last: dict[int, object] = {}
        for data in sorted(said, key=lambda data: str(data["ruling_no"])):
            last[data["item"]["id"]] = data["outcome"]
        holds = dict(Ruling.objects.values_list("item", "outcome"))
        assert {item: outcome for item, outcome in last.items() if item in holds} == holds


def content(number: int) -> dict[str, object]:
    """Return what an item says, and the score that came with it."""
    return {"payload": {"text": f"message {number}", "words": number}, "score": SCORES[number % len(SCORES)]}


def _names(count: int) -> list[str]:
    return [f"batch-{number}" for number in range(count)]


def make_load(world: Receiver, people: int) -> Load:
    """Make a queue whose actions go to `world`, a sender and reviewers with their keys."""
    queue = make_queue(undo=UNDO, cap=5)
    world.secret = make_endpoint(queue, world.url, timezone.now())
    _, sender = make_token(make_user("manager", queue), "intake")
    reviewers = [make_token(make_user("reviewer", queue), "review")[1] for _ in range(people)]
    return Load(queue, sender, reviewers)


def is_quiet() -> bool:
    """Tell whether all that is due was done."""
    return not Action.objects.pending().exists() and not PendingLabel.objects.exists()


def what_is_left() -> str:
    """Say what was not done."""
    left = Action.objects.pending().values_list("pk", "attempts", "next_at")
    return f"actions: {list(left)[:5]}, labels: {PendingLabel.objects.count()}, now {timezone.now()}"
