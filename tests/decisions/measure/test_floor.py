"""The figures of the floor, against what was put in."""

from datetime import timedelta

import pytest

from decisions.measure import floor, rollups
from decisions.models import Queue
from decisions.record import log
from decisions.work import decide, rule
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
