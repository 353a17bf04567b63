"""What is measured: intake of a batch, one item, one decision, a claim beside a long queue, and the proof."""

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection, connections

from decisions.intake import parse
from decisions.models import Event, Task
from decisions.record import proof, streams
from decisions.work import claim, decide
from decisions.work.answer import Answer
from tests.bench import copies, facts, ground, sites
from tests.bench.figures import Figure, Measure, Meter, Rounds, take_turns
from tests.bench.ground import SLUG, Ground
from tests.bench.sites import BARE, OURS, Client
from tests.databases import Clone
from tests.decisions.record.chains import write_chain

COPIER = "bench copy"
ITEMS = f"/api/v1/queues/{SLUG}/items/"


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
            sender=Client(ours.port, self.ground.send_token),
            reviewer=Client(ours.port, self.ground.review_token),
            bare=Client(bare.port),
            meters=(ours.cpu, bare.cpu),
        )


@dataclass(frozen=True)
class Callers:
    """Who calls the two sites."""

    sender: Client
    reviewer: Client
    bare: Client
    meters: tuple[Meter, Meter]


def intake(place: Place, callers: Callers, rounds: Rounds, batch: int = parse.MAX_LINES) -> list[Figure]:
    """Measure a batch over HTTP, from its first byte to the whole answer, beside a COPY of the rows that it left."""
    with closing(ground.app_session(COPIER)) as session:

        def ours() -> float:
            body = place.ground.lines(batch)
            return callers.sender.post(f"{ITEMS}batch/", body, "application/x-ndjson")[0]

        def bare() -> float:
            return copies.store(session, copies.of_last_batch(place.ground.queue_id))

        meters = (callers.meters[0], lambda: sites.cpu_of_sessions(COPIER))
        found = take_turns(ours, bare, replace(rounds, calls=rounds.calls // 10, warm=1), meters)
    return [Figure(f"batch of {batch:,} / COPY", found, at_least=0.4)]


def single(place: Place, callers: Callers, rounds: Rounds) -> list[Figure]:
    """Measure one item with its score, and apart one that the queue's pipeline scores, beside the bare inserts."""
    numbers = iter(range(10**9))

    def ours(*, scored: bool) -> Callable[[], float]:
        return lambda: callers.sender.post(ITEMS, place.ground.line(next(numbers) // 2, scored=scored))[0]

    def bare() -> float:
        return callers.bare.post("/items/", place.ground.line(next(numbers) // 2))[0]

    sent, here = (take_turns(ours(scored=scored), bare, rounds, callers.meters) for scored in (True, False))
    return [Figure("POST, score sent / bare POST", sent, at_least=0.6), Figure("POST, scored here / bare POST", here)]


def work(place: Place, callers: Callers, rounds: Rounds) -> list[Figure]:
    """Measure a claim and a decision over HTTP beside a bare endpoint that runs the same statements."""
    parts: list[tuple[float, float, float, float]] = []

    def ours() -> float:
        claiming, deciding = _our_work(callers.reviewer)
        parts.append((claiming, deciding, 0.0, 0.0))
        return claiming + deciding

    def bare() -> float:
        claiming, deciding = _bare_work(callers.bare)
        parts[-1] = (*parts[-1][:2], claiming, deciding)
        return claiming + deciding

    both = take_turns(ours, bare, rounds, callers.meters)
    claims_, decides, bare_claims, bare_decides = map(median, zip(*parts[rounds.warm :], strict=True))
    return [
        Figure("claim + decide / bare", both, at_least=0.5),
        Figure("claim alone / bare", Measure(claims_, bare_claims, both.calls)),
        Figure("decide alone / bare", Measure(decides, bare_decides, both.calls)),
    ]


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
        found = take_turns(turns[0], turns[1], rounds)
    finally:
        for wrapper in wrappers:
            wrapper.close()
    return [Figure(f"claim, {long.waiting:,} / {short.waiting:,} waiting", found, at_most=1.3)]


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


def record(rounds: Rounds) -> list[Figure]:
    """Measure the proof of a chain, in this one process, beside reading the same entries and hashing their texts."""
    chain, length = 1_000_000, 100_000
    write_chain(chain, length)
    texts = Event.objects.filter(chain=chain).order_by("seq").values_list("entry", "hash")

    def ours() -> float:
        report = proof.verify(chain)
        assert report.entries == length
        return report.seconds

    def bare() -> float:
        began = time.perf_counter()
        for entry, sealed in streams.tuples(texts):
            hashlib.sha256(bytes(sealed) + entry.encode()).digest()
        return time.perf_counter() - began

    found = take_turns(ours, bare, replace(rounds, calls=rounds.calls // 20, warm=1))
    return [Figure(f"verify {length:,} entries / read and hash", found)]


def settle() -> None:
    """Write back what was changed, so that no measure pays for another."""
    with ground.superuser(str(connection.settings_dict["NAME"])) as session, session.cursor() as cursor:
        cursor.execute("CHECKPOINT")
