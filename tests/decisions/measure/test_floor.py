"""The figures of the floor, against what was put in."""

from collections import Counter
from datetime import timedelta

import pytest

from decisions.measure import floor, rollups, spread
from decisions.models import Decision, Queue, Rollup, Task
from decisions.record import log
from decisions.work import decide, rule, sweep
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, claimed, desk, hard_item
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
HALF_PAST = NOON + HOUR / 2


def queue_with(*hours: float) -> Queue:
    """Make a queue of three days ago, with an item for people so many hours before noon, each."""
    queue = make_queue()
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - HOUR * 72)
    for before in hours:
        make_item(queue, arrived_at=NOON - HOUR * before)
    return queue


def test_only_decisions_with_active_time_count_for_the_time_they_take() -> None:
    queue, person = desk()
    for seconds in (30.0, None, 90.0):
        make_task(queue)
        task = claimed(person, queue)
        answer = Answer("spam", "content", active_seconds=seconds)
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=answer)
    at = log.now() + SECOND
    rollups.roll_up(at)
    assert floor.status(queue.pk, at)["handling_seconds"] == 60.0


def test_overrides_past_the_queue_are_not_counted_among_its_decisions() -> None:
    queue, person = desk()
    lead = make_user("lead", queue)
    for answer in (SPAM, HAM):
        make_task(queue, make_item(queue, score=0.9, p=0.9))
        task = claimed(person, queue)
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=answer)
    rule.override(item_id=hard_item(queue).pk, person=lead, answer=HAM)
    at = log.now() + SECOND
    rollups.roll_up(at)
    assert floor.status(queue.pk, at)["overrides"] == {"count": 1, "of": 2}


def test_rates_are_over_the_hours_that_were_counted() -> None:
    queue = queue_with(48, 24, 24, 23, 1, 0)
    rollups.roll_up(HALF_PAST)
    status = floor.status(queue.pk, HALF_PAST)
    assert status["queue_rate"]["items"] == 5
    assert status["window_hours"] == 24.5
    assert status["queue_rate"]["per_hour"] == pytest.approx(5 / 24.5)


def test_a_quiet_start_of_the_window_counts_and_the_time_before_the_first_item_does_not() -> None:
    quiet, young, fresh = queue_with(48, 1, 0), queue_with(1, 0), queue_with(0.25)
    rollups.roll_up(HALF_PAST)
    assert floor.status(quiet.pk, HALF_PAST)["window_hours"] == 24.5
    assert floor.status(young.pk, HALF_PAST)["window_hours"] == 1.5
    assert floor.status(fresh.pk, HALF_PAST)["window_hours"] == 0.75


def test_figures_by_purpose_are_those_of_a_plain_recount() -> None:
    queue, person = desk()
    other, _ = desk()
    make_task(other)
    seconds = [3.0, 8.0, 15.0, 30.0, 31.0, 32.0, 45.0, 60.0, 61.0, 400.0]
    for one in seconds:
        make_task(queue, make_item(queue, arrived_at=log.now()))
        task = claimed(person, queue)
        answer = Answer("spam", "content", active_seconds=one)
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=answer)
    at = log.now() + SECOND
    ages = [timedelta(minutes=m) for m in (1, 5, 30, 200)]
    for age in ages:
        make_task(queue, make_item(queue, arrived_at=at - age), purpose="control")
    Queue.objects.filter(pk=queue.pk).update(created_at=at - HOUR * 5)
    rollups.roll_up(at)
    status = floor.status(queue.pk, at)
    hours, purposes = status["window_hours"], status["purposes"]
    assert set(purposes) == {"soft", "control"}
    assert purposes["soft"]["opened_per_hour"] * hours == pytest.approx(10)
    assert purposes["soft"]["decided_per_hour"] * hours == pytest.approx(10)
    assert purposes["soft"]["ended_per_hour"] == 0
    assert purposes["control"]["opened_per_hour"] * hours == pytest.approx(4)
    assert purposes["control"]["waiting"] == 4
    assert purposes["control"]["mean_age"] == pytest.approx(sum(a.total_seconds() for a in ages) / 4, abs=0.1)
    assert purposes["control"]["p90_age"] == pytest.approx(200 * 60, rel=spread.ERROR + 1e-6)
    assert purposes["soft"]["handling_seconds"] == pytest.approx(sum(seconds) / 10)
    assert purposes["soft"]["p90_handling_seconds"] == pytest.approx(61.0, rel=spread.ERROR + 1e-6)
    assert purposes["soft"]["p90_age"] is None
    assert status["p90_handling_seconds"] == purposes["soft"]["p90_handling_seconds"]
    assert status["mean_age"] == purposes["control"]["mean_age"]


def test_what_waits_is_what_opened_less_what_ended() -> None:
    queue, person = desk(expire_to="ham")
    for n in range(6):
        task = make_task(queue, make_item(queue, arrived_at=log.now()))
        if n < 3:
            task = claimed(person, queue)
            decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM)
    last = Decision.objects.filter(queue=queue).latest("pk")
    rule.undo(decision_id=last.pk, person=person)
    sweep.expire(log.now() + timedelta(days=3))
    at = log.now() + timedelta(days=3, minutes=1)
    rollups.roll_up(at)
    flows = Counter[str]()
    for key, value in Rollup.objects.filter(queue=queue, figure="flow").values_list("key", "value"):
        flows[key.partition(":")[2]] += int(value)
    opened, ended = flows["opened"] + flows["reopened"], flows["decided"] + flows["expired"] + flows["cancelled"]
    assert (flows["opened"], flows["reopened"], flows["decided"]) == (6, 1, 3)
    assert opened - ended == Task.objects.filter(queue=queue, state__in=Task.OPEN).count()


def test_counting_again_changes_nothing() -> None:
    queue, person = desk()
    make_task(queue, make_item(queue, arrived_at=log.now()))
    make_task(queue, make_item(queue, arrived_at=log.now()))
    task = claimed(person, queue)
    decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM)
    at = log.now() + SECOND
    rollups.roll_up(at)
    first = sorted(Rollup.objects.filter(queue=queue).values_list("figure", "key", "at", "value"))
    rollups.roll_up(at)
    assert sorted(Rollup.objects.filter(queue=queue).values_list("figure", "key", "at", "value")) == first
