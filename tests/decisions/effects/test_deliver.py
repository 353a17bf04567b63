"""Deliveries: what is due arrives, once where all goes well, and under the same id where it does not."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event as Flag

import orjson
import pytest
from django.db import connection, transaction
from django.utils import timezone

from decisions.effects import deliver, endpoints, letters, outbound, outbox, webhooks
from decisions.effects.outbound import Answer
from decisions.models import Action, Delivery, Endpoint, Event, Ruling
from tests.databases import Clone
from tests.decisions.effects.conftest import Street
from tests.decisions.effects.world import (
    Letter,
    Receiver,
    elsewhere,
    make_action,
    make_actions,
    make_endpoint,
    make_ruling,
)
from tests.factories import make_item, make_queue

SECOND = timedelta(seconds=1)
NOW = timezone.now()
FAULTS = 8  # of one letter, at most


def state(action: Action) -> str:
    action.refresh_from_db()
    return action.state


def advance(at: datetime, until: timedelta, step: timedelta = timedelta(minutes=20)) -> Iterator[datetime]:
    """Yield the times at which a sweep comes by."""
    end = at + until
    while at < end:
        at += step
        yield at


def test_what_is_due_arrives_signed_and_is_stored_as_delivered(street: Street) -> None:
    action = make_action(street.queue, NOW)
    assert deliver.deliver_due(NOW) == 1
    (letter,) = street.world.letters
    assert letter.id == f"act_{action.pk}"
    assert letter.body == bytes(action.body or b"")
    assert letter.is_signed_with(street.secret)
    assert state(action) == "delivered"
    assert action.delivered_at is not None
    row = Delivery.objects.get()
    assert (row.action_id, row.attempt, row.status, row.error) == (action.pk, 1, 200, "")


def test_what_is_not_due_waits(street: Street) -> None:
    action = make_action(street.queue, NOW, due_at=NOW + SECOND * 30, next_at=NOW + SECOND * 30)
    assert deliver.deliver_due(NOW) == 0
    assert state(action) == "pending"
    assert deliver.deliver_due(NOW + SECOND * 30) == 1


def test_a_delivery_leaves_one_event_a_batch_that_speaks_of_its_rows(street: Street) -> None:
    actions = make_actions(street.queue, NOW, 20)
    assert deliver.deliver_due(NOW) == 20
    events = Event.objects.filter(kind=Event.Kind.ACTION_DELIVERED)
    assert len(events) < 20
    told = [pk for event in events for pk in orjson.loads(event.entry)["actions"]]
    spoken = [pk for event in events for _, pk, _ in orjson.loads(event.entry)["rows"]]
    assert sorted(told) == sorted(action.pk for action in actions)
    assert sorted(spoken) == sorted(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("status", [500, 404, 301, 429])
def test_what_is_refused_is_tried_again_after_the_schedule_under_the_same_id(street: Street, status: int) -> None:
    street.world.reply = lambda _: (status, {})
    action = make_action(street.queue, NOW)
    assert deliver.deliver_due(NOW) == 0
    assert state(action) == "pending"
    assert NOW + SECOND * 5 <= action.next_at <= NOW + SECOND * 7
    assert deliver.deliver_due(NOW + SECOND * 4) == 0
    assert len(street.world.letters) == 1
    street.world.reply = lambda _: (204, {})
    assert deliver.deliver_due(NOW + SECOND * 8) == 1
    assert street.world.ids == [f"act_{action.pk}"] * 2
    assert [row.status for row in Delivery.objects.order_by("attempt")] == [status, 204]
    assert street.world.letters[0].body == street.world.letters[1].body


def test_after_ten_attempts_in_three_days_a_letter_is_dead_and_an_event_says_so(street: Street) -> None:
    street.world.reply = lambda _: (500, {})
    action = make_action(street.queue, NOW)
    times = [NOW]
    for _ in webhooks.SCHEDULE:
        deliver.deliver_due(times[-1])
        action.refresh_from_db()
        times.append(action.next_at + SECOND)
    assert state(action) == "dead"
    assert action.attempts == Delivery.objects.count() == 10
    assert timedelta(hours=75) < times[-2] - NOW < timedelta(hours=85)
    event = Event.objects.get(kind=Event.Kind.ACTION_DIED)
    assert orjson.loads(event.entry)["actions"] == [action.pk]
    assert deliver.deliver_due(times[-1] + timedelta(days=9)) == 0
    assert letters.post(street.queue.pk).dead == 1


def test_a_dead_letter_can_be_replayed_under_its_id(street: Street) -> None:
    action = make_action(street.queue, NOW, state="dead", attempts=10)
    assert letters.replay(queue_id=street.queue.pk, by=None, at=NOW) == [action.pk]
    assert deliver.deliver_due(NOW) == 1
    assert street.world.ids == [f"act_{action.pk}"]
    assert state(action) == "delivered"
    assert Delivery.objects.get().attempt == 11


def test_a_call_that_breaks_in_an_unforeseen_way_is_a_failed_attempt_and_holds_up_no_other(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = make_action(street.queue, NOW), make_action(street.queue, NOW)
    post = outbound.post

    def sometimes(url: str, body: bytes, headers: dict[str, str]) -> Answer:
        if headers["webhook-id"] == f"act_{broken.pk}":
            raise ZeroDivisionError
        return post(url, body, headers)

    monkeypatch.setattr(outbound, "post", sometimes)
    assert deliver.deliver_due(NOW) == 1
    assert (state(broken), state(whole)) == ("pending", "delivered")
    assert Delivery.objects.get(action=broken).error.startswith("ZeroDivisionError")


def test_retry_after_is_obeyed(street: Street) -> None:
    street.world.reply = lambda _: (503, {"Retry-After": "3600"})
    action = make_action(street.queue, NOW)
    deliver.deliver_due(NOW)
    action.refresh_from_db()
    assert NOW + SECOND * 3600 <= action.next_at <= NOW + SECOND * 3605


def test_gone_disables_the_endpoint_and_what_waits_goes_out_when_it_is_back(street: Street) -> None:
    street.world.reply = lambda _: (410, {})
    action = make_action(street.queue, NOW)
    deliver.deliver_due(NOW)
    endpoint = Endpoint.objects.get()
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, "gone")
    event = Event.objects.filter(kind=Event.Kind.ENDPOINT_CHANGED).latest("seq")
    assert event.reason == "gone"
    assert deliver.deliver_due(NOW + timedelta(days=1)) == 0
    assert len(street.world.letters) == 1
    post = letters.post(street.queue.pk)
    assert (post.is_told, post.nobody_to_tell, post.disabled_reason) == (False, 1, "gone")
    street.world.reply = lambda _: (200, {})
    endpoints.enable(queue_id=street.queue.pk, by=None, at=NOW)
    assert deliver.deliver_due(NOW + timedelta(days=1)) == 1
    assert state(action) == "delivered"


@pytest.mark.django_db
def test_without_an_endpoint_actions_wait_and_are_counted() -> None:
    queue = make_queue()
    action = make_action(queue, NOW)
    assert deliver.deliver_due(NOW) == 0
    assert state(action) == "pending"
    assert action.attempts == 0
    assert letters.post(queue.pk).nobody_to_tell == 1


def test_a_key_rotation_in_between_leaves_every_letter_verifiable_with_old_and_new(street: Street) -> None:
    make_action(street.queue, NOW)
    deliver.deliver_due(NOW)
    new = endpoints.put(queue=street.queue, url=street.world.url, by=None, at=NOW, rotate=True)
    make_action(street.queue, NOW)
    deliver.deliver_due(NOW)
    before, after = street.world.letters
    assert before.is_signed_with(street.secret)
    assert not before.is_signed_with(new)
    assert after.is_signed_with(street.secret)
    assert after.is_signed_with(new)
    assert len(after.headers["webhook-signature"].split()) == 2
    make_action(street.queue, NOW)
    deliver.deliver_due(NOW + timedelta(hours=25))
    assert not street.world.letters[-1].is_signed_with(street.secret)
    assert street.world.letters[-1].is_signed_with(new)


def assert_all_arrive(street: Street, count: int) -> None:
    """Deliver so many actions to a receiver that fails three times of ten, with its keys rotated on the way."""
    dice, failed = random.Random(7), Counter[str]()

    def reply(letter: Letter) -> tuple[int, dict[str, str]]:
        # Ten failures in a row would be a dead letter: among ten thousand that happens once in a while.
        if dice.random() >= 0.3 or failed[letter.id] == FAULTS:
            return 200, {}
        failed[letter.id] += 1
        return 500, {}

    street.world.reply = reply
    actions, secrets = make_actions(street.queue, NOW, count), {street.secret}
    deliver.deliver_due(NOW)
    secrets.add(endpoints.put(queue=street.queue, url=street.world.url, by=None, at=NOW, rotate=True))
    for at in advance(NOW, timedelta(hours=100)):  # until after the last attempt of the schedule
        deliver.deliver_due(at)
    assert set(Action.objects.values_list("state", flat=True)) == {"delivered"}
    assert set(street.world.ids) == {f"act_{action.pk}" for action in actions}
    assert all(any(letter.is_signed_with(secret) for secret in secrets) for letter in street.world.letters)
    assert Delivery.objects.count() == len(street.world.letters) > count
    assert Delivery.objects.filter(status=200).count() == count


def test_with_a_third_of_faults_all_arrive_under_their_ids_and_verify_through_a_rotation(street: Street) -> None:
    assert_all_arrive(street, 300)


def test_an_older_action_that_still_waits_is_not_told_after_a_newer_one_of_its_item(street: Street) -> None:
    item = make_item(street.queue)
    older = make_action(street.queue, NOW, item, attempts=2, next_at=NOW + SECOND * 60)
    newer = outbox.plan(ruling=make_ruling(item, NOW - SECOND * 20), outcome_action="deliver")
    assert newer is not None
    deliver.deliver_due(NOW)
    assert (state(newer), state(older)) == ("delivered", "cancelled")
    event = Event.objects.get(kind=Event.Kind.ACTION_DELIVERED)
    assert orjson.loads(event.entry)["superseded"] == [older.pk]


def test_what_was_erased_is_not_sent(street: Street) -> None:
    make_action(street.queue, NOW, body=None)
    assert deliver.deliver_due(NOW) == 0
    assert street.world.letters == []


def test_an_answer_that_comes_after_the_lease_changes_nothing(street: Street) -> None:
    action = make_action(street.queue, NOW)
    (late,) = deliver.take({street.queue.pk: 1}, NOW)
    after = NOW + deliver.LEASE + SECOND
    (second,) = deliver.take({street.queue.pk: 1}, after)
    assert (late.attempt, second.attempt) == (1, 2)
    assert deliver.store([deliver.Outcome.of(late, Answer(500), after)]) == 0
    assert state(action) == "pending"
    assert action.next_at == after + deliver.LEASE
    assert deliver.store([deliver.Outcome.of(second, Answer(200), after)]) == 1
    assert state(action) == "delivered"
    assert list(Delivery.objects.order_by("attempt").values_list("attempt", "status")) == [(1, 500), (2, 200)]


def test_what_was_cancelled_while_its_call_was_under_way_says_that_it_was_told(street: Street) -> None:
    told, failed = make_action(street.queue, NOW), make_action(street.queue, NOW)
    taken = deliver.take({street.queue.pk: 2}, NOW)
    for action in (told, failed):
        outbox.supersede(item=action.item)
    answers = {told.pk: Answer(200), failed.pk: Answer(500)}
    deliver.store([deliver.Outcome.of(one, answers[one.id], NOW) for one in taken])
    assert (state(told), state(failed)) == ("delivered", "cancelled")


def test_a_taken_action_is_left_alone_until_its_lease_ends(street: Street) -> None:
    make_action(street.queue, NOW)
    assert len(deliver.take({street.queue.pk: 5}, NOW)) == 1
    assert deliver.take({street.queue.pk: 5}, NOW + deliver.LEASE - SECOND) == []
    assert len(deliver.take({street.queue.pk: 5}, NOW + deliver.LEASE)) == 1


def test_a_slow_receiver_does_not_hold_up_another_queue(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "RUN_SECONDS", 1.0)
    slow, release = make_queue(), Flag()
    make_endpoint(slow, street.world.url + "/slow", NOW)
    blocked = {f"act_{action.pk}" for action in make_actions(slow, NOW, 40)}
    quick = make_actions(street.queue, NOW, 40)
    arrived = Flag()

    def reply(letter: Letter) -> tuple[int, dict[str, str]]:
        if letter.id in blocked:
            release.wait(5)
        elif len([one for one in street.world.ids if one not in blocked]) == len(quick):
            arrived.set()
        return 200, {}

    street.world.reply = reply
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(arrived.wait, 5)
        waiter.add_done_callback(lambda _: release.set())
        deliver.deliver_due(NOW)
        assert waiter.result()


def test_two_senders_never_take_the_same_action(committed_db: Clone) -> None:
    queue = make_queue()
    make_actions(queue, NOW, 100)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        mine = deliver.take({queue.pk: 60}, NOW)  # not committed yet
        other = pool.submit(elsewhere, lambda: deliver.take({queue.pk: 100}, NOW)).result(timeout=10)
    assert (len(mine), len(other)) == (60, 40)
    assert {one.id for one in mine}.isdisjoint(one.id for one in other)


def test_an_undo_whose_clock_is_behind_waits_for_the_sender_and_comes_too_late(committed_db: Clone) -> None:
    item = make_item(make_queue())
    ruling = make_ruling(item, NOW)
    outbox.plan(ruling=ruling, outcome_action="quarantine")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert len(deliver.take({item.queue_id: 1}, ruling.final_at)) == 1
            undo = pool.submit(elsewhere, lambda: outbox.withdraw(Ruling.objects.get(pk=ruling.pk), NOW))
            assert wait_until(is_somebody_waiting)
            assert not undo.done()
        assert undo.result(timeout=10) is False
    assert Action.objects.get().state == "pending"


def test_a_sender_skips_what_is_being_withdrawn(committed_db: Clone) -> None:
    item = make_item(make_queue())
    ruling = make_ruling(item, NOW)
    outbox.plan(ruling=ruling, outcome_action="quarantine")

    def send() -> list[deliver.Taken]:
        return deliver.take({item.queue_id: 1}, ruling.final_at)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert outbox.withdraw(ruling, NOW)
            assert pool.submit(elsewhere, send).result(timeout=10) == []
        assert pool.submit(elsewhere, send).result(timeout=10) == []


def test_two_runs_at_once_deliver_each_action_once(committed_db: Clone, world: Receiver) -> None:
    queue = make_queue()
    make_endpoint(queue, world.url, NOW)
    make_actions(queue, NOW, 200)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(elsewhere, lambda: deliver.deliver_due(NOW)) for _ in range(2)]
        assert sum(run.result() for run in runs) == 200
    assert max(Counter(world.ids).values()) == 1
    assert len(world.ids) == 200


def is_somebody_waiting() -> bool:
    """Say whether a statement waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Wait until it holds; False where it does not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.01)
    return False
