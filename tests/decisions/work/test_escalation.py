"""Escalated tasks: to whom they go, and when to whom else."""

import pytest

from decisions.exceptions import Conflict, Forbidden
from decisions.models import Event, Task
from decisions.work import claim
from tests.decisions.work.makers import claimed, desk, moves
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def test_an_escalation_waits_for_a_lead_at_the_same_place() -> None:
    queue, person = desk()
    item = make_item(queue, value=7.0)
    make_task(queue, item, priority=3.0)
    task = claimed(person, queue)
    escalation = claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="stakes")
    task.refresh_from_db()
    assert (task.state, task.holder) == ("escalated", None)
    assert (escalation.purpose, escalation.rank, escalation.parent) == ("escalation", 3, task)
    assert (escalation.due_step, escalation.priority, escalation.value) == (task.due_step, 3.0, 7.0)
    assert (moves(task)[-1], moves(escalation)) == ("escalated", ["opened"])
    event = Event.objects.get(chain=queue.pk)
    assert (event.kind, event.actor, event.item, event.reason) == ("item.escalated", person, item, "stakes")


def test_an_escalation_goes_to_a_lead_who_did_not_escalate_it() -> None:
    queue, lead = desk("lead")
    make_task(queue)
    task = claimed(lead, queue)
    escalation = claim.escalate(task_id=task.pk, lease=task.lease, person=lead, reason="expert")
    assert claim.next_tasks(queue_id=queue.pk, person=lead) == []
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("reviewer", queue)) == []
    other = make_user("lead", queue)
    taken = claimed(other, queue)
    assert taken == escalation
    with pytest.raises(Forbidden) as refused:
        claim.escalate(task_id=taken.pk, lease=taken.lease, person=other, reason="expert")
    assert refused.value.right == "escalate"


def test_an_escalation_waits_for_experts_first_and_from_them_for_leads() -> None:
    queue, person = desk()
    expert, lead = make_user("expert", queue), make_user("lead", queue)
    make_task(queue)
    task = claimed(person, queue)
    first = claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
    assert (first.rank, first.parent) == (Task.Rank.EXPERT, task)
    taken = claimed(expert, queue)
    assert taken == first
    second = claim.escalate(task_id=taken.pk, lease=taken.lease, person=expert, reason="stakes")
    assert (second.rank, second.parent, second.purpose) == (Task.Rank.LEAD, task, "escalation")
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("expert", queue)) == []
    assert claimed(lead, queue) == second


def test_who_was_an_expert_and_left_or_is_one_elsewhere_is_waited_for_by_nobody() -> None:
    queue, person = desk()
    make_user("expert", queue, is_active=False)
    make_user("expert", make_queue())
    make_task(queue)
    task = claimed(person, queue)
    assert claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert").rank == Task.Rank.LEAD


def test_an_item_is_not_escalated_twice_at_once() -> None:
    queue, person = desk()
    item = make_item(queue)
    make_task(queue, item, purpose="escalation", rank=3)
    make_task(queue, item)
    task = claimed(person, queue)
    with pytest.raises(Conflict):
        claim.escalate(task_id=task.pk, lease=task.lease, person=person, reason="expert")
