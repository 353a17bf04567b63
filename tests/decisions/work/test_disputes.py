"""Disagreements: which wait for whom, and what is told of them when they are settled."""

import pytest

from decisions import rights
from decisions.models import Queue, Task, User
from decisions.work import disputes
from tests.decisions.work.makers import HAM, SPAM, answered, desk, passed_item
from tests.factories import make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def disputed(queue: Queue, first: User, second: User) -> Task:
    """Let two people disagree on an audit; return the task that settles it."""
    make_task(queue, passed_item(queue), purpose="audit")
    answered(first, queue, SPAM)
    answered(second, queue, HAM)
    return Task.objects.filter(queue=queue, purpose="escalation").latest("pk")


def waits_for(person: User, queue: Queue) -> list[Task]:
    stands = rights.standing(person, queue.pk)
    assert stands is not None
    return list(disputes.waiting_for(queue.pk, stands, person))


def test_a_disagreement_waits_for_who_may_settle_it_and_had_no_hand_in_it() -> None:
    queue, first = desk()
    second, lead = make_user("lead", queue), make_user("lead", queue)
    task = disputed(queue, first, second)
    make_task(queue, purpose="escalation", rank=3)  # passed on by somebody: no disagreement
    assert waits_for(lead, queue) == [task]
    assert waits_for(second, queue) == []
    assert waits_for(make_user("reviewer", queue), queue) == []
    assert waits_for(make_user("lead", other := make_queue()), other) == []
    assert disputes.waiting(queue.pk).count() == 1


def test_what_two_people_said_is_told_when_it_is_settled_and_not_before() -> None:
    queue, first = desk()
    second, lead = make_user("reviewer", queue), make_user("lead", queue)
    task = disputed(queue, first, second)
    assert disputes.settled(queue.pk) == []
    answered(lead, queue, HAM)
    (told,) = disputes.settled(queue.pk)
    assert told.item.pk == task.item_id
    assert (told.first.person, told.first.outcome) == (first, "spam")
    assert (told.second.person, told.second.outcome) == (second, "ham")
    assert (told.ruling.person, told.ruling.outcome) == (lead, "ham")
    assert disputes.waiting(queue.pk).count() == 0
    assert disputes.settled(make_queue().pk) == []
