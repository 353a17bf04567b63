"""Many at once: ten thousand answers sent twice, a thousand stale ones, ten thousand claims of a hundred items."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from django.db import connection

from decisions.exceptions import Refused
from decisions.intake import parse, submit
from decisions.models import Action, Decision, Event, Move, PendingLabel, Queue, Ruling, Task, User
from decisions.queues import live
from decisions.record import log, proof
from decisions.work import claim, decide
from tests.databases import Clone
from tests.decisions.work.makers import SPAM
from tests.factories import make_queue, make_token, make_user
from tests.faults.inside import Inside

pytestmark = pytest.mark.proof
DOUBLES, STALE, CLAIMS, ITEMS, THREADS = 10_000, 1_000, 10_000, 100, 32


def queue_with(items: int) -> Queue:
    """Make a queue on which so many items wait for people, and nobody is limited."""
    queue = make_queue(cap=DOUBLES)
    sender = make_user("manager", queue)
    for start in range(0, items, 1_000):
        names = range(start, min(items, start + 1_000))
        lines = [{"external_id": f"m-{n}", "payload": {"text": "x", "words": 1}, "score": 0.6} for n in names]
        rows = parse.many(b"\n".join(map(orjson.dumps, lines)))
        submit.many(queue=live.of(queue.slug), lines=rows, sender=sender, at=log.now(), with_results=False)
    return queue


def all_at_once(work: Callable[[Any], str], given: Sequence[Any], threads: int = 4) -> Counter[str]:
    """Do it with each of these, in threads with connections of their own; count what came of it."""

    def share(part: Sequence[Any]) -> Counter[str]:
        try:
            return Counter(work_or_code(work, this) for this in part)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(share, [given[n::threads] for n in range(threads)]), Counter[str]())


def work_or_code(work: Callable[[Any], str], this: Any) -> str:
    try:
        return work(this)
    except Refused as refused:
        return refused.code


def test_ten_thousand_answers_sent_twice_have_one_effect_each(committed_db: Clone) -> None:
    queue = queue_with(DOUBLES)
    person = make_user("reviewer", queue)
    tasks = [
        task for _ in range(DOUBLES // 500) for task in claim.next_tasks(queue_id=queue.pk, person=person, count=500)
    ]

    def answer(task: Task) -> str:
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM)
        return "decided"

    twice = [task for task in tasks for _ in range(2)]  # side by side, in two threads
    assert all_at_once(answer, twice) == {"decided": DOUBLES, "already_decided": DOUBLES}
    assert {row.objects.filter(queue=queue).count() for row in (Decision, Ruling)} == {DOUBLES}
    assert Ruling.objects.filter(queue=queue).values("item").distinct().count() == DOUBLES
    assert Action.objects.filter(queue=queue, ruling__isnull=False).count() == DOUBLES
    assert PendingLabel.objects.count() == DOUBLES
    assert Event.objects.filter(chain=queue.pk, kind="decision.made").count() == DOUBLES
    assert Move.objects.filter(kind="decided").count() == DOUBLES
    assert proof.verify(queue.pk).bad == ()


def test_a_thousand_stale_answers_are_a_thousand_conflicts(committed_db: Clone) -> None:
    """Through the door: the lease was given back, taken by another, decided, or is of a round that was taken back."""
    queue = queue_with(4)
    person, other = make_user("reviewer", queue), make_user("reviewer", queue)
    _, token = make_token(person, "review")
    stale = claim.next_tasks(queue_id=queue.pk, person=person, count=4)
    for task in stale:
        claim.release(task_id=task.pk, lease=task.lease, person=person)
    again = claim.next_tasks(queue_id=queue.pk, person=other, count=2)
    decide.decide(task_id=again[0].pk, lease=again[0].lease, person=other, answer=SPAM)

    def answer(number: int) -> str:
        task = stale[number % len(stale)]
        said = {"lease": task.lease, "outcome": "spam", "reason": "content"}
        given = Inside().insist("POST", f"/api/v1/tasks/{task.pk}/decide/", token, said)
        return f"{given.status} {given.data['code']}"

    told = all_at_once(answer, range(STALE))
    assert told == {"409 lease_lost": STALE * 3 // 4, "409 already_decided": STALE // 4}
    assert Decision.objects.filter(queue=queue).count() == 1


def test_ten_thousand_claims_of_a_hundred_items_have_one_winner_each(committed_db: Clone) -> None:
    queue = queue_with(ITEMS)
    people = [make_user("reviewer", queue) for _ in range(THREADS)]

    def take(person: User) -> str:
        tasks = claim.next_tasks(queue_id=queue.pk, person=person)
        return "taken" if tasks else "nothing"

    told = all_at_once(take, [people[n % THREADS] for n in range(CLAIMS)], THREADS)
    assert told == {"taken": ITEMS, "nothing": CLAIMS - ITEMS}
    assert set(Task.objects.filter(queue=queue).values_list("state", "lease")) == {("claimed", 1)}
    assert Move.objects.filter(kind="claimed").values("task").distinct().count() == ITEMS
    assert Move.objects.filter(kind="claimed").count() == ITEMS
