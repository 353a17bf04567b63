"""Many calls at once: overlapping batches in other orders store each item once, without a deadlock."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connection, connections, transaction

from decisions.intake import parse, submit
from decisions.intake.submit import Batch
from decisions.models import Body, Event, Intake, Item, Move, Task, User
from decisions.queues import live
from decisions.record import deep, proof
from tests.databases import Clone
from tests.factories import NOON, make_queue, make_user

CALLS, ITEMS = 20, 400


def lines(names: list[str]) -> bytes:
    return b"\n".join(orjson.dumps({"external_id": name, "payload": {"text": name}, "score": 0.6}) for name in names)


def send(slug: str, names: list[str], sender: User, start: threading.Barrier | None = None) -> Batch:
    try:
        queue, parsed = live.of(slug), parse.many(lines(names))
        if start:
            start.wait(30)
        return submit.many(queue=queue, lines=parsed, sender=sender, at=NOON)
    finally:
        connections.close_all()


def test_twenty_overlapping_shuffled_batches_store_each_item_once(committed_db: Clone) -> None:
    queue, sender = make_queue(), make_user()
    names = [f"item-{i}" for i in range(ITEMS)]
    rng = random.Random(5)
    batches = [rng.sample(names, ITEMS * 3 // 4) for _ in range(CALLS)]
    start = threading.Barrier(CALLS)
    with ThreadPoolExecutor(CALLS) as pool:
        done = list(pool.map(lambda batch: send(queue.slug, batch, sender, start), batches))
    sent = {name for batch in batches for name in batch}
    assert [len(batch.bad) for batch in done] == [0] * CALLS
    assert sum(batch.accepted for batch in done) == Item.objects.count() == len(sent)
    assert sum(batch.accepted + batch.duplicates for batch in done) == sum(map(len, batches))
    assert Body.objects.count() == Task.objects.count() == Move.objects.count() == len(sent)
    assert Intake.objects.count() == Event.objects.count() == sum(batch.accepted > 0 for batch in done)


def test_a_batch_waits_for_one_that_is_not_committed_yet_and_then_sees_its_items(committed_db: Clone) -> None:
    queue, sender = make_queue(), make_user()
    stored, waiting = threading.Event(), threading.Event()

    def hold() -> Batch:
        try:
            with transaction.atomic():
                done = submit.many(
                    queue=live.of(queue.slug), lines=parse.many(lines(["b", "a"])), sender=sender, at=NOON
                )
                stored.set()
                assert waiting.wait(30)
                return done
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold)
        assert stored.wait(30)
        second = pool.submit(send, queue.slug, ["a", "c", "b"], sender)
        while not _somebody_waits():
            assert not second.done()
        waiting.set()
        assert first.result(30).accepted == 2
        assert (second.result(30).accepted, second.result(30).duplicates) == (1, 2)


def send_here(slug: str, names: list[str]) -> Batch:
    return submit.many(queue=live.of(slug), lines=parse.many(lines(names)), sender=make_user(), at=NOON)


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
def test_what_intake_records_verifies_down_to_its_rows() -> None:
    queue = make_queue()
    for names in (["a"], [f"item-{i}" for i in range(100)]):
        send_here(queue.slug, names)
    assert proof.verify(queue.pk).bad == ()
    assert list(deep.verify(queue.pk)) == []
