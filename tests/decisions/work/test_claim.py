"""Taking and leaving tasks."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.exceptions import CapReached, Forbidden, Invalid, LeaseLost, NotFound, QueuePaused
from decisions.models import Membership, Move, Task, User
from decisions.work import claim
from tests.decisions.work.makers import answered, claimed, desk, moves
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_the_most_urgent_task_comes_first_and_priority_decides_within_a_step() -> None:
    queue, person = desk()
    late = make_task(queue, due_step=NOON + HOUR)
    second = make_task(queue, due_step=NOON, priority=2.0)
    first = make_task(queue, due_step=NOON, priority=-1.0)
    assert claim.next_tasks(queue_id=queue.pk, person=person, count=3) == [first, second, late]


def test_a_claim_sets_holder_lease_and_deadline_by_the_databases_clock() -> None:
    queue, person = desk(lease=timedelta(minutes=7))
    make_task(queue, make_item(queue, {"text": "buy"}))
    task = claimed(person, queue)
    task.refresh_from_db()
    assert (task.state, task.holder, task.lease) == ("claimed", person, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert task.lease_until is not None
    assert timedelta(minutes=6, seconds=50) < task.lease_until - now <= timedelta(minutes=7)
    assert moves(task) == ["opened", "claimed"]


def test_claimed_tasks_come_with_what_the_card_shows() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    with connection.execute_wrapper(_refuse_queries):
        assert (task.item.body.content, task.item.policy.no) == ('{"payload":{"text":"hello","words":1}}', 1)


def _refuse_queries(*_arguments: object) -> object:
    raise AssertionError("a query")


def test_a_task_for_one_person_is_nobody_elses() -> None:
    queue, person = desk()
    lead = make_user("lead", queue)
    task = make_task(queue, only_for=person)
    assert claim.next_tasks(queue_id=queue.pk, person=lead) == []
    assert claim.next_tasks(queue_id=queue.pk, person=person) == [task]


def test_nothing_waits_nothing_comes() -> None:
    queue, person = desk()
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []


def test_a_batch_fills_the_cap_and_no_more() -> None:
    queue, person = desk(cap=3)
    for _ in range(5):
        make_task(queue)
    assert len(claim.next_tasks(queue_id=queue.pk, person=person, count=10)) == 3
    with pytest.raises(CapReached):
        claim.next_tasks(queue_id=queue.pk, person=person)


def test_the_cap_counts_this_queue_only_and_what_is_on_hold() -> None:
    queue, person = desk(cap=2)
    other = make_queue(cap=2)
    make_user("reviewer", other)
    Membership.objects.create(user=person, queue=other, role="reviewer")
    for where in (queue, queue, queue, other):
        make_task(where)
    task = claimed(person, queue)
    claim.hold(task_id=task.pk, lease=task.lease, person=person)
    claimed(person, queue)
    with pytest.raises(CapReached):
        claimed(person, queue)
    claimed(person, other)


def test_a_lease_that_is_over_does_not_count_for_the_cap() -> None:
    queue, person = desk(cap=2)
    for _ in range(3):
        make_task(queue)
    claim.next_tasks(queue_id=queue.pk, person=person, count=2)
    Task.objects.filter(holder=person).update(lease_until=NOON)
    assert len(claim.next_tasks(queue_id=queue.pk, person=person, count=2)) == 1


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_one_is_refused(count: int) -> None:
    queue, person = desk()
    with pytest.raises(Invalid):
        claim.next_tasks(queue_id=queue.pk, person=person, count=count)


def test_a_paused_queue_gives_nothing() -> None:
    queue, person = desk()
    make_task(queue)
    queue.is_paused = True
    queue.save()
    with pytest.raises(QueuePaused):
        claimed(person, queue)


def test_who_does_not_belong_finds_no_queue() -> None:
    queue = make_queue()
    with pytest.raises(NotFound):
        claimed(make_user("lead", make_queue()), queue)
    with pytest.raises(NotFound):
        claim.next_tasks(queue_id=0, person=make_user("reviewer"))


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_who_only_reads_or_manages_cannot_claim(role: str) -> None:
    queue = make_queue()
    make_task(queue)
    with pytest.raises(Forbidden) as refused:
        claimed(make_user(role, queue), queue)
    assert refused.value.right == "claim"


def test_only_tasks_in_reach_are_claimed() -> None:
    queue = make_queue()
    limited = make_user("reviewer", queue, value_limit=100.0)
    make_task(queue, value=101.0)
    make_task(queue, value=None)
    make_task(queue, value=1.0, purpose="escalation", rank=3)
    fits = make_task(queue, value=100.0, due_step=NOON + 9 * HOUR)
    assert claim.next_tasks(queue_id=queue.pk, person=limited, count=5) == [fits]


def test_simulated_people_get_demo_items_only() -> None:
    queue = make_queue()
    simulated = make_user("reviewer", queue, kind=User.Kind.SIMULATED)
    make_task(queue)
    demo = make_task(queue, make_item(queue, source="demo"))
    assert claim.next_tasks(queue_id=queue.pk, person=simulated, count=5) == [demo]


def test_a_second_opinion_never_goes_to_who_decided_first() -> None:
    queue, person = desk()
    make_task(queue)
    item = answered(person, queue).item
    second = make_task(queue, item, purpose="second")
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("reviewer", queue)) == [second]


def test_skipped_goes_to_others_first() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    claim.skip(task_id=task.pk, lease=task.lease, person=person, reason="unclear")
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    assert moves(task) == ["opened", "claimed", "skipped"]
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("reviewer", queue)) == [task]


def test_skipped_comes_back_after_a_rest() -> None:
    queue, person = desk()
    task = make_task(queue, skips=1)
    Move.objects.create(task=task, kind="skipped", person=person, at=NOON)
    assert claimed(person, queue) == task


@pytest.mark.parametrize("reason", ["", "because", "content"])
def test_a_skip_needs_one_of_its_reasons(reason: str) -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    with pytest.raises(Invalid) as refused:
        claim.skip(task_id=task.pk, lease=task.lease, person=person, reason=reason)
    assert refused.value.faults[0].field == "reason"


def test_released_waits_again_at_its_old_place() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    claim.release(task_id=task.pk, lease=task.lease, person=person)
    task.refresh_from_db()
    assert (task.state, task.holder, task.lease_until) == ("waiting", None, None)
    again = claimed(person, queue)
    assert (again, again.lease) == (task, 2)


def test_an_extended_lease_starts_anew() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    before = task.lease_until
    extended = claim.extend(task_id=task.pk, lease=task.lease, person=person)
    assert before is not None
    assert extended.lease_until is not None
    assert extended.lease_until > before
    assert extended.lease == task.lease
    assert moves(task) == ["opened", "claimed", "extended"]


@pytest.mark.parametrize("verb", ["extend", "release", "skip", "hold", "escalate"])
@pytest.mark.parametrize("wrong", ["lease", "person", "time", "foreign", "task"])
def test_every_verb_needs_the_live_lease(verb: str, wrong: str) -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    given = {"task_id": task.pk, "lease": task.lease, "person": person}
    given |= {"skip": {"reason": "unclear"}, "escalate": {"reason": "expert"}}.get(verb, {})
    refusal: type[Exception] = LeaseLost
    if wrong == "lease":
        given["lease"] = task.lease - 1
    elif wrong == "person":
        given["person"] = make_user("lead", queue)
    elif wrong == "time":
        Task.objects.filter(pk=task.pk).update(lease_until=NOON)
    elif wrong == "foreign":
        given["person"], refusal = make_user("lead", make_queue()), NotFound
    else:
        given["task_id"], refusal = task.pk + 1000, NotFound
    before = moves(task)
    with pytest.raises(refusal):
        getattr(claim, verb)(**given)
    assert moves(task) == before


def test_held_lists_what_a_person_has_on_this_queue() -> None:
    queue, person = desk()
    for _ in range(3):
        make_task(queue)
    tasks = claim.next_tasks(queue_id=queue.pk, person=person, count=3)
    Task.objects.filter(pk=tasks[0].pk).update(lease_until=NOON)
    assert claim.held(person, queue.pk) == tasks[1:]
    assert claim.held(make_user("reviewer", queue), queue.pk) == []


def test_what_a_person_holds_is_not_looked_for_in_the_queue() -> None:
    """Seen at 200,000 waiting tasks: with the queue as a condition, PostgreSQL read the index of all that is open."""
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    with CaptureQueriesContext(connection) as captured:
        assert claim.held(person, queue.pk) == [task]
    assert '"queue_id" =' not in captured[0]["sql"]
