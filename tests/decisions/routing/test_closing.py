"""Many at once: each frame closes once, and every item is in exactly one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import orjson
from django.db import connection, connections, transaction

from decisions.exceptions import Conflict
from decisions.intake import parse, submit
from decisions.models import Draw, Frame, Item, Queue, Task
from decisions.queues import live
from decisions.record import deep
from decisions.routing import frames, recount
from tests.databases import Clone
from tests.decisions.routing.framed import DAY, audited_queue, named, send
from tests.factories import NOON, make_user


def closing(queue: Queue, at: datetime, start: threading.Barrier) -> str:
    try:
        start.wait(30)
        try:
            frames.close(queue.pk, at)
        except Conflict:
            return "refused"
        return "closed"
    finally:
        connections.close_all()


def test_two_who_close_at_once_close_one_frame(committed_db: Clone) -> None:
    queue = audited_queue(40)
    send(queue, named(100), NOON)
    start = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: closing(queue, NOON + timedelta(hours=2), start), range(2)))
    assert sorted(done) == ["closed", "refused"]
    assert Draw.objects.count() == Frame.objects.get().drawn == Task.objects.count()


def test_what_is_on_its_way_is_waited_for(committed_db: Clone) -> None:
    """An item that arrived before the end but is not committed yet is in the frame."""
    queue = audited_queue(40)
    send(queue, named(10), NOON)
    stored, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                send(queue, ["slow"], NOON + timedelta(minutes=1))
                stored.set()
                assert go_on.wait(30)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(hold)
        assert stored.wait(30)
        closer = pool.submit(closing, queue, NOON + timedelta(hours=2), threading.Barrier(1))
        while not _somebody_waits():
            assert not closer.done()
        go_on.set()
        slow.result(30)
        assert closer.result(30) == "closed"
    assert Frame.objects.get().passes == 11


def test_what_comes_while_a_frame_closes_belongs_to_the_next(committed_db: Clone) -> None:
    """A call that was told its time before the frame closed, and stored its item after, arrives at the frame's end."""
    queue = audited_queue(40)
    send(queue, named(10), NOON)
    before = live.of(queue.slug)
    frame = frames.close(queue.pk, NOON + timedelta(hours=2))
    row = parse.one(orjson.dumps({"external_id": "late", "payload": {"text": "x"}, "score": 0.1}))
    submit.one(queue=before, row=row, sender=make_user(), at=NOON + timedelta(minutes=1))
    late = Item.objects.get(external_id="late")
    assert late.arrived_at == late.intake.at == frame.ends_at
    following = frames.close(queue.pk, NOON + timedelta(hours=5))
    assert (following.starts_at, following.passes) == (frame.ends_at, 1)
    assert not list(recount.differences(following))
    assert not list(deep.verify(queue.pk))


def test_no_item_is_lost_or_counted_twice_while_frames_close_under_load(committed_db: Clone) -> None:
    """Three bring items in, one of them always with an old time, until three frames have closed meanwhile."""
    queue = audited_queue(200_000)
    start, enough = threading.Barrier(4), threading.Event()

    def bring(sender: int) -> None:
        try:
            start.wait(30)
            for batch in range(200):
                send(queue, named(20, f"s{sender}-{batch}"), NOON + timedelta(seconds=40 * batch * sender))
                if enough.is_set():
                    return
        finally:
            connections.close_all()

    def close_often() -> None:
        try:
            start.wait(30)
            while Frame.objects.count() < 3:
                newest = Item.objects.order_by("-arrived_at").first()
                try:
                    frames.close(queue.pk, newest.arrived_at + timedelta(seconds=5) if newest else NOON)
                except Conflict:
                    continue
        finally:
            enough.set()
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        closer = pool.submit(close_often)
        for one in [pool.submit(bring, sender) for sender in range(3)]:
            one.result(120)
        closer.result(120)
    frames.close_due(NOON + 2 * DAY)
    found = Frame.objects.order_by("starts_at")
    assert len(found) >= 3
    assert [frame.starts_at for frame in found[1:]] == [frame.ends_at for frame in found][:-1]
    assert sum(frame.passes for frame in found) == Item.objects.count()
    for frame in found:
        inside = Item.objects.filter(arrived_at__gte=frame.starts_at, arrived_at__lt=frame.ends_at)
        assert inside.count() == frame.passes
        assert set(frame.draws.values_list("item", flat=True)) <= set(inside.values_list("pk", flat=True))


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])
