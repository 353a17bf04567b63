"""Labels by webhook: in order, signed, none skipped after an outage, a repeat the same to the byte."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from decisions.effects import endpoints, webhooks
from decisions.effects.outbound import Answer
from decisions.exceptions import Forbidden, NotFound
from decisions.learning import labels, push
from decisions.models import Endpoint, Event, Evidence, LabelPush, Queue
from tests.decisions.effects.world import LOOPBACK, Letter, Receiver, make_endpoint, make_ruling, receiver
from tests.factories import NOON, make_item, make_queue, make_user

NOW = timezone.now()
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Settings) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    with receiver() as it:
        yield it


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def labelled(queue: Queue, count: int) -> None:
    for _ in range(count):
        labels.plan(make_ruling(make_item(queue), NOON))
    labels.feed_due(NOW + DAY)


def subscribed(queue: Queue, world: Receiver, mode: str, **given: Any) -> str:
    secret = make_endpoint(queue, world.url, NOW)
    push.subscribe(queue=queue, mode=mode, by=None, at=NOW, **given)
    return secret


def told(letter: Letter) -> list[int]:
    """Return the numbers that a letter tells of."""
    return [line["no"] for line in orjson.loads(letter.body)["data"]["labels"]]


def test_labels_go_out_one_by_one_signed_and_in_order(queue: Queue, world: Receiver) -> None:
    secret = subscribed(queue, world, "single")
    labelled(queue, 3)
    assert push.push_due(NOW) == 3
    assert [told(letter) for letter in world.letters] == [[1], [2], [3]]
    assert world.ids == ["lbl_1", "lbl_2", "lbl_3"]
    assert all(letter.is_signed_with(secret) for letter in world.letters)
    body = orjson.loads(world.letters[0].body)
    assert (body["type"], body["data"]["queue"]) == ("label.made", queue.slug)
    assert body["data"]["labels"][0] | {"weight": 0.81, "corrects": False} == body["data"]["labels"][0]
    assert push.push_due(NOW) == 0
    assert len(world.letters) == 3


def test_in_batches_there_are_so_many_in_a_letter(
    queue: Queue, world: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(push.SIZES, LabelPush.Mode.BATCH, 2)
    subscribed(queue, world, "batch")
    labelled(make_queue(), 1)  # another queue's, which goes nowhere
    labelled(queue, 3)
    assert push.push_due(NOW) == 3
    assert [(letter.id, told(letter)) for letter in world.letters] == [("lbl_2_3", [2, 3]), ("lbl_4", [4])]
    entries = Event.objects.filter(kind="labels.pushed").order_by("seq").values_list("entry", flat=True)
    assert [orjson.loads(entry)["count"] for entry in entries] == [2, 1]


def test_after_an_outage_nothing_is_skipped_and_the_repeat_is_the_same(queue: Queue, world: Receiver) -> None:
    subscribed(queue, world, "batch")
    labelled(queue, 2)
    world.reply = lambda _letter: (503, {})
    assert push.push_due(NOW) == 0
    assert push.push_due(NOW) == 0  # not before its time
    item = make_item(queue)
    labels.plan(make_ruling(item, NOON))
    labels.feed_due(NOW + DAY)
    Evidence.objects.create(
        queue=queue,
        item=item,
        kind="feedback",
        said="wrong",
        source="app",
        told_by=make_user(),
        occurred_at=NOON,
        at=NOON,
    )
    world.reply = lambda _letter: (200, {})
    assert push.push_due(NOW + timedelta(minutes=1)) == 3
    first, again, rest = world.letters
    assert (first.id, first.body) == (again.id, again.body)
    assert (told(again), told(rest)) == ([1, 2], [3])
    row = LabelPush.objects.get()
    assert (row.after_no, row.upto_no, row.attempts, row.error) == (3, None, 0, "")


def test_it_goes_on_trying_daily_for_as_long_as_it_takes(queue: Queue, world: Receiver) -> None:
    subscribed(queue, world, "batch")
    labelled(queue, 1)
    world.reply = lambda _letter: (500, {})
    at = NOW
    for _ in range(len(webhooks.SCHEDULE) + 3):
        push.push_due(at)
        at = LabelPush.objects.get().next_at
    row = LabelPush.objects.get()
    assert (row.attempts, row.error) == (len(webhooks.SCHEDULE) + 3, "status 500")
    world.reply = lambda _letter: (200, {})
    assert push.push_due(at) == 1
    assert set(world.ids) == {"lbl_1"}


def test_who_was_killed_in_between_sends_the_same_again(queue: Queue, world: Receiver) -> None:
    subscribed(queue, world, "batch")
    labelled(queue, 1)
    assert push.take(queue.pk, NOW)  # and then the process is gone
    labelled(queue, 1)
    assert push.push_due(NOW) == 0  # its lease keeps others off
    assert push.push_due(NOW + push.LEASE) == 2
    assert [told(letter) for letter in world.letters] == [[1], [2]]


def test_an_attempt_that_was_overtaken_changes_nothing(queue: Queue, world: Receiver) -> None:
    subscribed(queue, world, "batch")
    labelled(queue, 1)
    stale = push.take(queue.pk, NOW)
    assert stale
    push.push_due(NOW + push.LEASE)
    assert not push._settle(stale, Answer(200), push._lines(stale), NOW)
    assert Event.objects.filter(kind="labels.pushed").count() == 1


def test_it_begins_with_what_comes_or_where_one_says(queue: Queue, world: Receiver) -> None:
    labelled(queue, 3)
    subscribed(queue, world, "batch")
    assert push.push_due(NOW) == 0
    push.subscribe(queue=queue, mode="batch", by=None, at=NOW, after=1)
    assert push.push_due(NOW) == 2
    push.subscribe(queue=queue, mode="off", by=None, at=NOW)
    labelled(queue, 1)
    assert push.push_due(NOW) == 0
    push.subscribe(queue=queue, mode="single", by=None, at=NOW)
    assert push.push_due(NOW) == 1  # it goes on where it was
    assert [told(letter) for letter in world.letters] == [[2, 3], [4]]


def test_gone_switches_the_endpoint_off_and_what_waited_follows(queue: Queue, world: Receiver) -> None:
    subscribed(queue, world, "batch")
    labelled(queue, 1)
    world.reply = lambda _letter: (410, {})
    push.push_due(NOW)
    assert not Endpoint.objects.get().is_active
    world.reply = lambda _letter: (200, {})
    assert push.push_due(NOW + DAY) == 0
    endpoints.enable(queue_id=queue.pk, by=None, at=NOW + DAY)
    assert push.push_due(NOW + DAY) == 1


def test_who_may_not_and_a_queue_without_an_endpoint_are_refused(queue: Queue, world: Receiver) -> None:
    with pytest.raises(NotFound):
        push.subscribe(queue=queue, mode="batch", by=None, at=NOW)
    make_endpoint(queue, world.url, NOW)
    with pytest.raises(Forbidden, match="manage_endpoint"):
        push.subscribe(queue=queue, mode="batch", by=make_user("auditor", queue), at=NOW)
    push.subscribe(queue=queue, mode="batch", by=make_user("manager", queue), at=NOW)
    event = Event.objects.get(reason="labels")
    assert orjson.loads(event.entry) == {"before": {}, "after": {"labels": "batch", "after": 0}}


def test_the_command_sets_it(queue: Queue, world: Receiver) -> None:
    labelled(queue, 2)
    told = StringIO()
    call_command(
        "set_endpoint", queue.slug, world.url, "--labels", "batch", "--labels-after", "0", stderr=told, stdout=told
    )
    assert "Labels: batch, those after 0." in told.getvalue()
    assert push.push_due(timezone.now()) == 2
