"""Tasks on hold: who keeps them, how long, and what becomes of their deadline."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from decisions.exceptions import Invalid
from decisions.models import Queue, Task, User
from decisions.queues.spec_time import Calendar, Deadlines
from decisions.record import log
from decisions.work import claim, sweep
from decisions.work import lease as leases
from tests.decisions.work.makers import claimed, desk, moves
from tests.factories import NOON, make_queue, make_task

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_on_hold_stays_with_its_holder_until_resumed() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    on_hold = claim.hold(task_id=task.pk, lease=task.lease, person=person, reason="colleague")
    assert (on_hold.state, on_hold.holder) == ("held", person)
    assert claim.held(person, queue.pk) == [task]
    assert claim.extend(task_id=task.pk, lease=task.lease, person=person).state == "claimed"
    assert moves(task) == ["opened", "claimed", "held", "resumed"]


def waiting_for_information(queue: Queue, person: User, hours: int, left: int = 2) -> Task:
    """Make a task with some hours to go, and put it on hold for some."""
    at = log.now()
    make_task(queue, due_at=at + left * HOUR)
    task = claimed(person, queue)
    return claim.hold(task_id=task.pk, lease=task.lease, person=person, until=at + hours * HOUR, reason="information")


def test_a_deadline_stands_still_while_information_is_waited_for() -> None:
    queue, person = desk()
    task = waiting_for_information(queue, person, 24)
    assert task.lease_until is not None
    left = task.due_at - task.lease_until
    assert timedelta(0) <= 2 * HOUR - left < timedelta(minutes=1)  # the hold began a moment after the task
    due, step = task.due_at, task.due_step
    assert sweep.lapse(task.lease_until) == 1  # nobody resumed it
    task.refresh_from_db()
    assert (task.state, task.due_at, task.due_step) == ("waiting", due, step)


@pytest.mark.parametrize("verb", ["extend", "release", "skip", "escalate"])
def test_only_the_time_that_was_waited_is_added(verb: str) -> None:
    queue, person = desk()
    task = waiting_for_information(queue, person, 24)
    given = {"skip": {"reason": "unclear"}, "escalate": {"reason": "stakes"}}.get(verb, {})
    after = getattr(claim, verb)(task_id=task.pk, lease=task.lease, person=person, **given)
    assert abs(after.due_at - log.now() - 2 * HOUR) < timedelta(minutes=1)


def test_what_is_late_when_it_is_put_on_hold_stays_late() -> None:
    queue, person = desk()
    task = waiting_for_information(queue, person, 1, left=0)
    assert task.due_at <= log.now()
    assert claim.extend(task_id=task.pk, lease=task.lease, person=person).due_at == task.due_at


def test_what_is_left_is_left_in_business_hours() -> None:
    friday = datetime(2026, 11, 27, 14, tzinfo=UTC)
    hours = ("09:00-17:00",)
    queue = make_queue(calendar=Calendar(mon=hours, fri=hours))
    task = make_task(queue, due_at=friday + 2 * HOUR)
    changed = leases.put_off(task, friday + 20 * HOUR, friday)
    assert changed == {"due_at": datetime(2026, 11, 30, 11, tzinfo=UTC)}


@pytest.mark.parametrize("reason", ["", "colleague", "break"])
def test_a_deadline_runs_on_in_any_other_hold(reason: str) -> None:
    queue, person = desk()
    due = log.now() + 2 * HOUR
    make_task(queue, due_at=due)
    task = claimed(person, queue)
    claim.hold(task_id=task.pk, lease=task.lease, person=person, reason=reason)
    assert claim.extend(task_id=task.pk, lease=task.lease, person=person).due_at == due


def test_a_second_hold_starts_from_what_was_left() -> None:
    queue, person = desk()
    task = waiting_for_information(queue, person, 24)
    again: dict[str, Any] = {"task_id": task.pk, "lease": task.lease, "person": person}
    task = claim.hold(**again, until=log.now() + 3 * HOUR, reason="information")
    assert abs(task.due_at - log.now() - 5 * HOUR) < timedelta(minutes=1)
    assert abs(claim.hold(**again, reason="break").due_at - log.now() - 2 * HOUR) < timedelta(minutes=1)


def test_an_escalation_may_have_a_deadline_of_its_own() -> None:
    queue, person = desk(deadlines=Deadlines(escalation=3 * HOUR))
    make_task(queue)
    task = claimed(person, queue)
    escalation = claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="stakes")
    assert escalation.due_at == escalation.opened_at + 3 * HOUR
    assert escalation.due_step >= escalation.due_at


def test_nobody_holds_longer_than_allowed() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    assert task.lease_until is not None
    for until in (NOON, task.lease_until + 73 * HOUR):
        with pytest.raises(Invalid):
            claim.hold(task_id=task.pk, lease=task.lease, person=person, until=until)
    claim.hold(task_id=task.pk, lease=task.lease, person=person, until=task.lease_until + 71 * HOUR)
