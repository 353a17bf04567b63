"""One feeder at a time: frozen or killed in mid-transaction it neither loses nor doubles, and no reader skips."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Flag

from django.db import connection, transaction

from decisions.learning import feed, labels
from decisions.models import Label, Queue
from tests.databases import Clone
from tests.decisions.effects.world import elsewhere, make_ruling
from tests.factories import NOON, make_item, make_queue

SECOND = timedelta(seconds=1)
LATER = timedelta(days=365)


def waiting(count: int) -> Queue:
    """Make a queue with rulings that become final a second after each other."""
    queue = make_queue()
    for number in range(count):
        labels.plan(make_ruling(make_item(queue), NOON + number * SECOND))
    return queue


def numbers(queue: Queue) -> list[int]:
    """Read the feed from its beginning."""
    return [row["no"] for piece in feed.after(0, [queue.pk]) for row in piece]


def test_a_feeder_frozen_in_mid_transaction_neither_loses_nor_doubles_nor_lets_a_reader_skip(
    committed_db: Clone,
) -> None:
    queue = waiting(20)
    frozen, thaw = Flag(), Flag()
    seen: list[int] = []

    def freeze_first() -> int:
        with transaction.atomic():
            count = labels._feed(NOON + 10 * SECOND)
            frozen.set()
            thaw.wait(20)
        return count

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(elsewhere, freeze_first)
        assert frozen.wait(20)
        assert labels.feed_due(NOON + LATER) == 0  # it is the other one's turn
        seen += numbers(queue)
        thaw.set()
        count = first.result(timeout=20)
    assert count == 1
    assert seen == []
    assert labels.feed_due(NOON + LATER) == 19
    seen += numbers(queue)
    assert seen == list(range(1, 21))
    assert Label.objects.values("ruling").distinct().count() == 20


def test_a_feeder_that_is_killed_leaves_everything_to_the_next(committed_db: Clone) -> None:
    queue = waiting(5)
    flags = Flag(), Flag()
    victim: list[int] = []

    def die() -> None:
        with transaction.atomic():
            labels._feed(NOON + LATER)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                victim.append(cursor.fetchone()[0])
            flags[0].set()
            flags[1].wait(20)
            connection.ensure_connection()
            Label.objects.count()

    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(elsewhere, die)
        assert flags[0].wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", victim)
        time.sleep(0.2)
        flags[1].set()
        assert dying.exception(timeout=20) is not None
    assert labels.feed_due(NOON + LATER) == 5
    assert numbers(queue) == [1, 2, 3, 4, 5]


def test_an_undo_that_meets_the_feeder_is_either_before_or_after_it(committed_db: Clone) -> None:
    ruling = make_ruling(make_item(make_queue()), NOON)
    labels.plan(ruling)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert labels.withdraw(ruling)
            assert pool.submit(elsewhere, lambda: labels.feed_due(NOON + LATER)).result(timeout=10) == 0
        assert pool.submit(elsewhere, lambda: labels.feed_due(NOON + LATER)).result(timeout=10) == 0
    assert not Label.objects.exists()
