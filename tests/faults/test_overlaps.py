"""Overlaps that must happen: one transaction is held open while the other runs into it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from decisions.effects import deliver
from decisions.exceptions import AlreadyDecided, CapReached, Conflict, LeaseLost, Refused, TooLate
from decisions.models import Action, Decision, Event, Move, Queue, Ruling, Task, User
from decisions.queues.spec import Confirm
from decisions.record import log, proof
from decisions.work import claim, decide, rule, second, sweep
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, desk, hard_item, rulings
from tests.factories import NOON, make_item, make_task, make_user
from tests.faults.overlap import elsewhere

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed_db")]
LATE = NOON + timedelta(days=2)


def test_two_claims_at_once_get_two_tasks() -> None:
    queue, ann = desk()
    bob = make_user("reviewer", queue)
    first, second = make_task(queue, due_step=NOON), make_task(queue, due_step=LATE)
    with elsewhere() as there, transaction.atomic():
        assert claimed(ann, queue) == first  # not committed yet
        assert there.passes(claimed, person=bob, queue=queue) == second


def test_a_task_that_is_being_claimed_is_nobody_elses() -> None:
    queue, ann = desk()
    bob = make_user("reviewer", queue)
    make_task(queue)
    with elsewhere() as there, transaction.atomic():
        claimed(ann, queue)
        assert there.passes(claim.next_tasks, queue_id=queue.pk, person=bob) == []


def test_two_tabs_of_one_person_share_one_cap() -> None:
    queue, ann = desk(cap=2)
    for _ in range(4):
        make_task(queue)
    with elsewhere() as there:
        with transaction.atomic():
            claim.next_tasks(queue_id=queue.pk, person=ann, count=2)
            tab = there.waits(claim.next_tasks, queue_id=queue.pk, person=ann, count=2)
        with pytest.raises(CapReached):
            tab.result(timeout=5)
    assert len(claim.held(ann, queue.pk)) == 2


def test_a_lease_that_is_being_swept_is_lost() -> None:
    queue, ann = desk()
    make_task(queue)
    task = claimed(ann, queue)
    assert task.lease_until is not None
    with elsewhere() as there:
        with transaction.atomic():
            assert sweep.lapse(task.lease_until) == 1
            late = there.waits(decide.decide, task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
        with pytest.raises(LeaseLost):
            late.result(timeout=5)
    assert not Decision.objects.exists()


def test_a_decision_that_is_being_written_is_not_swept() -> None:
    queue, ann = desk()
    make_task(queue)
    task = claimed(ann, queue)
    assert task.lease_until is not None
    with elsewhere() as there, transaction.atomic():
        decide.decide(task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
        assert there.passes(sweep.lapse, at=task.lease_until) == 0
    task.refresh_from_db()
    assert task.state == "decided"


def test_a_double_submit_is_one_decision() -> None:
    queue, ann = desk()
    make_task(queue)
    task = claimed(ann, queue)
    with elsewhere() as there:
        with transaction.atomic():
            decide.decide(task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
            again = there.waits(decide.decide, task_id=task.pk, lease=task.lease, person=ann, answer=HAM)
        with pytest.raises(AlreadyDecided):
            again.result(timeout=5)
    assert rulings(task.item) == [(1, "spam", "decision")]
    assert Action.objects.count() == 1


def test_a_released_task_is_not_decided() -> None:
    queue, ann = desk()
    make_task(queue)
    task = claimed(ann, queue)
    with elsewhere() as there:
        with transaction.atomic():
            claim.release(task_id=task.pk, lease=task.lease, person=ann)
            late = there.waits(decide.decide, task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
        with pytest.raises(LeaseLost):
            late.result(timeout=5)


def on_hold() -> tuple[Queue, User, Task]:
    """Make an overdue task that somebody holds, so that both its holder and the expiry may have it."""
    queue, ann = desk(expire_to="ham")
    make_task(queue)
    task = claimed(ann, queue)
    return queue, ann, claim.hold(task_id=task.pk, lease=task.lease, person=ann)


def test_a_decision_goes_before_an_expiry_that_comes_later() -> None:
    _queue, ann, task = on_hold()
    with elsewhere() as there, transaction.atomic():
        decide.decide(task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
        assert there.passes(sweep.expire, at=LATE) == 0
    assert rulings(task.item) == [(1, "spam", "decision")]


def test_an_expiry_goes_before_a_decision_that_comes_later() -> None:
    _queue, ann, task = on_hold()
    with elsewhere() as there:
        with transaction.atomic():
            assert sweep.expire(LATE) == 1
            late = there.waits(decide.decide, task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
        with pytest.raises(Conflict) as refused:
            late.result(timeout=5)
    assert "Expired" in refused.value.detail
    assert rulings(task.item) == [(1, "ham", "expiry")]


def sender_takes(queue: Queue, at: datetime) -> list[int]:
    """Take what is due, as a sender does."""
    return [taken.id for taken in deliver.take({queue.pk: 10}, at)]


def test_an_undo_goes_before_a_sender_that_comes_later() -> None:
    queue, ann = desk()
    make_task(queue)
    decision = answered(ann, queue)
    with elsewhere() as there, transaction.atomic():
        rule.undo(decision_id=decision.pk, person=ann)
        assert there.passes(sender_takes, queue=queue, at=log.now() + queue.spec.undo) == []
    assert sender_takes(queue, log.now() + queue.spec.undo) == []
    assert Action.objects.get().state == "cancelled"


def test_a_sender_goes_before_an_undo_that_comes_later() -> None:
    queue, ann = desk()
    make_task(queue)
    decision = answered(ann, queue)
    with elsewhere() as there:
        with transaction.atomic():
            assert len(sender_takes(queue, log.now() + queue.spec.undo)) == 1
            late = there.waits(rule.undo, decision_id=decision.pk, person=ann)
        with pytest.raises(TooLate):
            late.result(timeout=5)
    assert rulings(decision.item) == [(1, "spam", "decision")]
    assert Action.objects.get().state == "pending"


def test_a_double_undo_is_one() -> None:
    queue, ann = desk()
    make_task(queue)
    decision = answered(ann, queue)
    with elsewhere() as there:
        with transaction.atomic():
            rule.undo(decision_id=decision.pk, person=ann)
            again = there.waits(rule.undo, decision_id=decision.pk, person=ann)
        with pytest.raises(Conflict) as refused:
            again.result(timeout=5)
    assert type(refused.value) is Conflict
    assert Task.objects.get().round == 2


def test_two_overrides_at_once_are_one() -> None:
    queue, ann = desk("lead")
    bob = make_user("lead", queue)
    item = hard_item(queue)
    with elsewhere() as there:
        with transaction.atomic():
            rule.override(item_id=item.pk, person=ann, answer=HAM)
            other = there.waits(rule.override, item_id=item.pk, person=bob, answer=HAM)
        with pytest.raises(Conflict):
            other.result(timeout=5)
    assert rulings(item) == [(1, "ham", "override")]


def test_two_who_confirm_at_once_are_one() -> None:
    queue, ann = desk("lead", confirm=Confirm(reverse_hard=0.0))
    bob, eve = make_user("lead", queue), make_user("lead", queue)
    item = hard_item(queue)
    asked = second.override(item_id=item.pk, person=ann, answer=HAM)
    with elsewhere() as there:
        with transaction.atomic():
            second.confirm(pending_id=asked.pk, person=bob)
            other = there.waits(second.confirm, pending_id=asked.pk, person=eve)
        with pytest.raises(Conflict):
            other.result(timeout=5)
    assert rulings(item) == [(1, "ham", "override")]


def test_a_refusal_beside_a_confirmation_comes_too_late() -> None:
    queue, ann = desk("lead", confirm=Confirm(reverse_hard=0.0))
    bob, eve = make_user("lead", queue), make_user("lead", queue)
    item = hard_item(queue)
    asked = second.override(item_id=item.pk, person=ann, answer=HAM)
    with elsewhere() as there:
        with transaction.atomic():
            second.turn_down(pending_id=asked.pk, person=bob, why="no")
            other = there.waits(second.confirm, pending_id=asked.pk, person=eve)
        with pytest.raises(Conflict):
            other.result(timeout=5)
    assert rulings(item) == []


def test_an_override_waits_for_the_decision_that_is_being_written() -> None:
    queue, ann = desk()
    lead = make_user("lead", queue)
    make_task(queue)
    task = claimed(ann, queue)
    with elsewhere() as there:
        with transaction.atomic():
            decide.decide(task_id=task.pk, lease=task.lease, person=ann, answer=SPAM)
            override = there.waits(rule.override, item_id=task.item_id, person=lead, answer=HAM)
        override.result(timeout=5)
    assert rulings(task.item) == [(1, "spam", "decision"), (2, "ham", "override")]
    assert Ruling.objects.get(no=2).is_reversal


def test_a_task_that_is_taken_over_is_not_claimed() -> None:
    queue, lead = desk("lead")
    bob = make_user("reviewer", queue)
    task = make_task(queue)
    with elsewhere() as there, transaction.atomic():
        rule.override(item_id=task.item_id, person=lead, answer=HAM)
        assert there.passes(claim.next_tasks, queue_id=queue.pk, person=bob) == []


def test_many_claims_on_few_items_have_one_winner_each() -> None:
    queue, _ann = desk(cap=1_000)
    for _ in range(30):
        make_task(queue, make_item(queue))
    people = [make_user("reviewer", queue) for _ in range(8)]
    with ThreadPoolExecutor(len(people)) as pool:
        won = [pk for taken in pool.map(lambda person: _claim_all(person, queue), people) for pk in taken]
    assert sorted(won) == sorted(Task.objects.values_list("pk", flat=True))
    assert Counter(Move.objects.filter(kind="claimed").values_list("task", flat=True)) == Counter(won)


def _claim_all(person: User, queue: Queue) -> list[int]:
    """Claim one after the other until nothing waits."""
    try:
        taken = []
        while tasks := claim.next_tasks(queue_id=queue.pk, person=person):
            taken += [task.pk for task in tasks]
        return taken
    finally:
        connection.close()


def test_many_submits_of_the_same_and_of_stale_leases_have_one_effect() -> None:
    queue, ann = desk()
    make_task(queue)
    stale = claimed(ann, queue)
    claim.release(task_id=stale.pk, lease=stale.lease, person=ann)
    task = claimed(ann, queue)

    def submit(lease: int) -> str:
        try:
            decide.decide(task_id=task.pk, lease=lease, person=ann, answer=SPAM)
        except Refused as refused:
            return refused.code
        else:
            return "decided"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(submit, [stale.lease, task.lease] * 20))
    assert answers["decided"] == 1
    assert sum(answers[code] for code in ("already_decided", "lease_lost")) == 39
    assert (Decision.objects.count(), Ruling.objects.count(), Action.objects.count()) == (1, 1, 1)
    assert Event.objects.filter(kind="decision.made").count() == 1


def test_work_from_all_sides_leaves_one_chain() -> None:
    """Decisions, undos and sweeps at once: no deadlock, and the record verifies."""
    queue, _ann = desk(cap=1_000)
    for _ in range(24):
        make_task(queue)
    people = [make_user("reviewer", queue) for _ in range(4)]
    with ThreadPoolExecutor(len(people)) as pool:
        done = sum(pool.map(lambda person: _decide_all(person, queue), people))
    assert done == 24
    assert Ruling.objects.filter(source="decision").count() == 24 + Ruling.objects.filter(source="undo").count()
    assert not proof.verify(queue.pk).bad


def _decide_all(person: User, queue: Queue) -> int:
    """Decide until nothing waits, and take every third decision back once."""
    done = 0
    try:
        while tasks := claim.next_tasks(queue_id=queue.pk, person=person):
            (task,) = tasks
            decision = decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM)
            sweep.lapse(NOON)
            if done % 3 == 0:
                rule.undo(decision_id=decision.pk, person=person)
                (again,) = claim.held(person, queue.pk)
                decide.decide(task_id=again.pk, lease=again.lease, person=person, answer=HAM)
            done += 1
        return done
    finally:
        connection.close()
