"""What is measured: intake of a batch, one item, one decision, and a claim beside a long queue."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection, connections

from decisions.models import Task
from decisions.work import claim, decide
from decisions.work.answer import Answer
from tests.bench import copies, facts, ground, sites
from tests.bench.figures import Figure, take_turns
from tests.bench.ground import SLUG, Ground
from tests.bench.sites import BARE, OURS, Client
from tests.databases import Clone

ITEMS = f"/api/v1/queues/{SLUG}/items/"


@dataclass(frozen=True)
class Rounds:
    """How often each is measured, and how many items a batch brings."""

    batches: int
    calls: int
    batch: int
    warm: int


@dataclass(frozen=True)
class Place:
    """One size: its database, already filled and pointed to, and the sites that serve it."""

    ground: Ground
    clone: Clone
    waiting: int
    folder: Path

    def enter(self, stack: ExitStack) -> "Callers":
        """Start both sites on this database and connect to them."""
        told = self.folder / f"facts-{self.waiting}.json"
        told.write_text(json.dumps({**facts.rows_of(self.ground), **facts.statements_of(self.ground)}))
        environment = {**self.clone.environment, "BENCH_FACTS": str(told)}
        ours, bare = (
            stack.enter_context(sites.serving(name, environment, self.folder / "log" / f"{name}.log"))
            for name in (OURS, BARE)
        )
        return Callers(
            sender=Client(ours, self.ground.send_token),
            reviewer=Client(ours, self.ground.review_token),
            bare=Client(bare),
        )


@dataclass(frozen=True)
class Callers:
    """Who calls the two sites."""

    sender: Client
    reviewer: Client
    bare: Client


def intake(place: Place, callers: Callers, rounds: Rounds) -> list[Figure]:
    """Measure a batch over HTTP, from its first byte to the whole answer, beside a COPY of the rows that it left."""
    with closing(ground.app_session()) as session:

        def ours() -> float:
            body = place.ground.lines(rounds.batch)
            return callers.sender.post(f"{ITEMS}batch/", body, "application/x-ndjson")[0]

        def bare() -> float:
            return copies.store(session, copies.of_last_batch(place.ground.queue_id))

        seconds = take_turns(ours, bare, rounds.batches, 1)
    return [Figure(f"batch of {rounds.batch:,} / COPY", *seconds, at_least=0.4)]


def single(place: Place, callers: Callers, rounds: Rounds) -> list[Figure]:
    """Measure one item with its score, and apart one that the queue's pipeline scores, beside the bare inserts."""
    numbers = iter(range(10**9))

    def ours(*, scored: bool) -> Callable[[], float]:
        return lambda: callers.sender.post(ITEMS, place.ground.line(next(numbers) // 2, scored=scored))[0]

    def bare() -> float:
        return callers.bare.post("/items/", place.ground.line(next(numbers) // 2))[0]

    return [
        Figure(
            "POST, score sent / bare POST",
            *take_turns(ours(scored=True), bare, rounds.calls, rounds.warm),
            at_least=0.6,
        ),
        Figure("POST, scored here / bare POST", *take_turns(ours(scored=False), bare, rounds.calls, rounds.warm)),
    ]


def work(place: Place, callers: Callers, rounds: Rounds) -> list[Figure]:
    """Measure a claim and a decision over HTTP beside a bare endpoint that runs the same statements."""
    parts: dict[str, list[tuple[float, float]]] = {"claim": [], "decide": []}
    for _ in range(rounds.warm + rounds.calls):
        ours, bare = _our_work(callers.reviewer), _bare_work(callers.bare)
        for name, pair in zip(parts, zip(ours, bare, strict=True), strict=True):
            parts[name].append(pair)
    both = [tuple(map(sum, zip(*pairs, strict=True))) for pairs in zip(*parts.values(), strict=True)]
    return [
        Figure("claim + decide / bare", *_medians(both, rounds.warm), at_least=0.5),
        Figure("claim alone / bare", *_medians(parts["claim"], rounds.warm)),
        Figure("decide alone / bare", *_medians(parts["decide"], rounds.warm)),
    ]


def _medians(pairs: list[Any], warm: int) -> tuple[float, float]:
    return median(pair[0] for pair in pairs[warm:]), median(pair[1] for pair in pairs[warm:])


def _our_work(reviewer: Client) -> tuple[float, float]:
    claiming, claimed = reviewer.post(f"/api/v1/queues/{SLUG}/claim/", b"{}")
    (task,) = claimed["tasks"]
    said = json.dumps(facts.answer(task["lease"])).encode()
    return claiming, reviewer.post(f"/api/v1/tasks/{task['id']}/decide/", said)[0]


def _bare_work(bare: Client) -> tuple[float, float]:
    claiming, ids = bare.post("/claim/", b"{}")
    return claiming, bare.post("/decide/", json.dumps({**facts.answer(1), "ids": ids}).encode())[0]


def claims(long: Place, short: Place, rounds: Rounds) -> list[Figure]:
    """Measure a claim beside a long and a short queue, in this one process, each in a database of its own."""
    wrappers = [_wrapper(place.clone.name) for place in (long, short)]
    try:
        turns = [_claim(place.ground, wrapper) for place, wrapper in zip((long, short), wrappers, strict=True)]
        seconds = take_turns(turns[0], turns[1], rounds.calls, rounds.warm)
    finally:
        for wrapper in wrappers:
            wrapper.close()
    return [Figure(f"claim, {long.waiting:,} / {short.waiting:,} waiting", *seconds, at_most=1.3)]


def _wrapper(name: str) -> Any:
    wrapper = connections.create_connection("default")
    wrapper.settings_dict["NAME"] = name
    return wrapper


def _claim(ground_: Ground, wrapper: Any) -> Callable[[], float]:
    """Return what claims one task and decides it, so that the queue is worked as it is in life; the claim is timed."""

    def turn() -> float:
        connections["default"] = wrapper
        began = time.perf_counter()
        (task,) = claim.next_tasks(queue_id=ground_.queue_id, person=ground_.reviewer)
        seconds = time.perf_counter() - began
        assert task.state == Task.State.CLAIMED
        answer = Answer(outcome="ham", reason="wanted")
        decide.decide(task_id=task.pk, lease=task.lease, person=ground_.reviewer, answer=answer)
        return seconds

    return turn


def settle() -> None:
    """Write back what was changed, so that no measure pays for another."""
    with ground.superuser(str(connection.settings_dict["NAME"])) as session, session.cursor() as cursor:
        cursor.execute("CHECKPOINT")
