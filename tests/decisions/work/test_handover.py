"""Work goes from hand to hand: assigned, given back, moved, balanced, undone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid, LeaseLost, NotFound, TooLate
from decisions.models import Event, Exclusion, Handover, Membership, Move, Presence, Queue, Task, User
from decisions.record import log, proof
from decisions.work import claim, decide, handover, team
from decisions.work.handover import Plan
from tests.decisions.work.makers import HAM, answered, claimed, desk, moves
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def floor(**spec: Any) -> tuple[Queue, User, User, User]:
    """Return a queue with a lead and two reviewers."""
    queue, lead = desk("lead", **spec)
    return queue, lead, make_user("reviewer", queue, name="Ann"), make_user("reviewer", queue, name="Ben")


def assigned(task: Task, to: User, by: User, **given: Any) -> Task:
    return handover.assign(task_id=task.pk, to=to.pk, by=by, reason="skill", **given)


def at_work(queue: Queue, *persons: User) -> datetime:
    at = log.now()
    for person in persons:
        team.note(person, queue.pk, Presence.Place.DESK, at)
    return at


def done(plan: Plan, queue: Queue, by: User) -> Handover:
    return handover.carry_out(plan, queue=queue, by=by, reason="absence", seen=plan.digest)


def event(queue: Queue) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(Event.objects.get(chain=queue.pk, kind="tasks.handed_over").entry)
    return found


def test_an_assigned_task_is_kept_for_the_person_and_leaves_one_move_and_one_event() -> None:
    queue, lead, ann, ben = floor()
    task = make_task(queue)
    until = log.now() + 2 * HOUR
    assigned(task, ann, lead, until=until)
    task.refresh_from_db()
    assert (task.only_for, task.only_until, task.state) == (ann, until, "waiting")
    assert handover.kept_for(ann, queue.pk) == [task]
    assert claim.next_tasks(queue_id=queue.pk, person=ben) == []
    assert claimed(ann, queue) == task
    assert moves(task) == ["opened", "assigned", "claimed"]
    move = Move.objects.get(task=task, kind="assigned")
    assert (move.person, move.reason) == (ann, "skill")
    assert event(queue)["tasks"] == [{"task": task.pk, "from": None, "to": ann.pk}]
    assert not proof.verify(queue.pk).bad


def test_reassigned_while_held_the_former_holder_is_fenced_off() -> None:
    queue, lead, ann, ben = floor()
    make_task(queue)
    held = claimed(ann, queue)
    assigned(held, ben, lead)
    with pytest.raises(LeaseLost):
        decide.decide(task_id=held.pk, lease=held.lease, person=ann, answer=HAM)
    again = claimed(ben, queue)
    assert (again.pk, again.lease) == (held.pk, held.lease + 2)


def test_a_skip_lets_an_assigned_task_go_to_all() -> None:
    queue, lead, ann, ben = floor()
    assigned(make_task(queue), ann, lead)
    held = claimed(ann, queue)
    claim.skip(task_id=held.pk, lease=held.lease, person=ann, reason="unclear")
    assert claimed(ben, queue) == held


def test_released_it_is_still_kept() -> None:
    queue, lead, ann, ben = floor()
    assigned(make_task(queue), ann, lead)
    held = claimed(ann, queue)
    claim.release(task_id=held.pk, lease=held.lease, person=ann)
    assert claim.next_tasks(queue_id=queue.pk, person=ben) == []
    assert claimed(ann, queue) == held


@pytest.mark.parametrize("why", ["rank", "value", "skill", "excluded", "opted out", "stranger", "auditor", "own hand"])
def test_nobody_is_given_what_is_out_of_their_reach_and_the_refusal_does_not_say_why(why: str) -> None:
    queue, lead, ann, _ben = floor()
    item = make_item(queue, external_id="theirs", value=7.0)
    special: dict[str, dict[str, Any]] = {
        "rank": {"rank": 3},
        "skill": {"needs": "law"},
        "opted out": {"needs": "!a=b"},
    }
    fields = special.get(why, {})
    if why == "own hand":
        make_task(queue, item, purpose="audit")
        answered(ann, queue, HAM)
        fields = {"purpose": "second"}
    task = make_task(queue, item, **fields)
    if why == "value":
        Membership.objects.filter(user=ann).update(value_limit=6.0)
    elif why == "excluded":
        Exclusion.objects.create(user=ann, queue=queue, kind="item", key="theirs", why="own", by=ann, at=NOON)
    elif why == "opted out":
        User.objects.filter(pk=ann.pk).update(opt_outs=[f"{queue.pk}:a=b"])
        ann.refresh_from_db()
    elif why in ("stranger", "auditor"):
        ann = make_user("auditor", queue if why == "auditor" else make_queue())
    with pytest.raises(Invalid) as refused:
        assigned(task, ann, lead)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("person", "reach")]
    assert refused.value.detail == "This task cannot be given to them."
    assert not Event.objects.filter(kind="tasks.handed_over").exists()


def test_the_cap_counts_what_is_held_and_what_is_kept() -> None:
    queue, lead, ann, ben = floor(cap=2)
    tasks = [make_task(queue) for _ in range(3)]
    claimed(ann, queue)
    assigned(tasks[1], ann, lead)
    with pytest.raises(Conflict, match="as many"):
        assigned(tasks[2], ann, lead)
    assigned(tasks[1], ann, lead, until=log.now() + 9 * HOUR)  # what is theirs already is not one more
    assigned(tasks[2], ben, lead)


@pytest.mark.parametrize("hours", [-1, 73])
def test_a_time_past_or_too_far_is_refused(hours: int) -> None:
    queue, lead, ann, _ben = floor()
    with pytest.raises(Invalid) as refused:
        assigned(make_task(queue), ann, lead, until=log.now() + hours * HOUR)
    assert refused.value.faults[0].field == "until"


def test_what_is_closed_or_for_one_person_alone_is_not_assigned() -> None:
    queue, lead, ann, ben = floor()
    closed = make_task(queue, state="decided")
    gold = make_task(queue, purpose="gold", only_for=ben)
    for task in (closed, gold):
        with pytest.raises(Conflict):
            assigned(task, ann, lead)
        with pytest.raises(Conflict):
            handover.give_back(task_id=task.pk, by=lead, reason="load")
    with pytest.raises(NotFound):
        handover.assign(task_id=0, to=ann.pk, by=lead, reason="skill")


@pytest.mark.parametrize("act", ["assign", "give back", "plan", "undo"])
def test_only_leads_and_managers_hand_over(act: str) -> None:
    queue, lead, ann, ben = floor()
    task = make_task(queue)
    assigned(task, ann, lead)
    handed = Handover.objects.get()
    acts: dict[str, Callable[[], object]] = {
        "assign": lambda: assigned(task, ben, ben),
        "give back": lambda: handover.give_back(task_id=task.pk, by=ben, reason="load"),
        "plan": lambda: handover.plan("balance", queue=queue, by=ben, at=log.now()),
        "undo": lambda: handover.undo(handover_id=handed.pk, by=ben),
    }
    with pytest.raises(Forbidden) as refused:
        acts[act]()
    assert refused.value.right == "assign"
    with pytest.raises(NotFound):
        handover.undo(handover_id=handed.pk, by=make_user("lead", make_queue()))


def test_given_back_it_waits_for_all() -> None:
    queue, lead, ann, ben = floor()
    make_task(queue)
    held = claimed(ann, queue)
    handover.give_back(task_id=held.pk, by=lead, reason="urgent")
    assert moves(held) == ["opened", "claimed", "returned"]
    with pytest.raises(Conflict, match="already"):
        handover.give_back(task_id=held.pk, by=lead, reason="urgent")
    assert claimed(ben, queue) == held


def test_all_that_somebody_has_goes_back_to_all_after_a_preview() -> None:
    queue, lead, ann, ben = floor()
    for _ in range(2):
        make_task(queue)
    held = claimed(ann, queue)
    kept = assigned(Task.objects.waiting().get(), ann, lead)
    gold = make_task(queue, purpose="gold", only_for=ann)
    plan = handover.plan("release", queue=queue, by=lead, person=ann, at=log.now())
    assert {(step.task, step.source, step.to) for step in plan.steps} == {
        (held.pk, ann.pk, None),
        (kept.pk, ann.pk, None),
    }
    done(plan, queue, lead)
    assert len(claim.next_tasks(queue_id=queue.pk, person=ben, count=5)) == 2
    gold.refresh_from_db()
    assert gold.only_for == ann  # it measures them and is nobody's business


def test_what_somebody_has_is_spread_over_the_others_at_work() -> None:
    queue, lead, ann, ben = floor()
    away = make_user("reviewer", queue, name="Cleo")
    at = at_work(queue, ann, ben)
    for _ in range(3):
        make_task(queue)
    claim.next_tasks(queue_id=queue.pk, person=away, count=3)
    plan = handover.plan("move", queue=queue, by=lead, person=away, at=at)
    assert [step.to for step in plan.steps] == [ann.pk, ben.pk, ann.pk]
    done(plan, queue, lead)
    assert [len(handover.kept_for(person, queue.pk)) for person in (ann, ben, away)] == [2, 1, 0]
    assert event(queue)["kind"] == "move"


def test_assigned_work_is_levelled_over_who_is_at_work() -> None:
    queue, lead, ann, ben = floor()
    away = make_user("reviewer", queue, name="Cleo")
    for person in (ann, ann, ann, away):
        assigned(make_task(queue), person, lead)
    at = at_work(queue, ann, ben)
    plan = handover.plan("balance", queue=queue, by=lead, at=at)
    assert sorted((step.kept, step.to) for step in plan.steps) == sorted([(away.pk, ben.pk), (ann.pk, ben.pk)])
    handover.carry_out(plan, queue=queue, by=lead, reason="load", seen=plan.digest)
    assert [len(handover.kept_for(person, queue.pk)) for person in (ann, ben, away)] == [2, 2, 0]
    with pytest.raises(Conflict, match="nothing"):
        done(handover.plan("balance", queue=queue, by=lead, at=at), queue, lead)


def test_a_plan_that_is_no_longer_true_is_refused() -> None:
    queue, lead, ann, _ben = floor()
    for _ in range(2):
        make_task(queue)
    held = claimed(ann, queue)
    plan = handover.plan("release", queue=queue, by=lead, person=ann, at=log.now())
    with pytest.raises(Conflict, match="Look at it again"):
        handover.carry_out(plan, queue=queue, by=lead, reason="load", seen="x" * 32)
    decide.decide(task_id=held.pk, lease=held.lease, person=ann, answer=HAM)
    with pytest.raises(Conflict, match="Look at it again"):
        done(plan, queue, lead)
    assert not Handover.objects.exists()


@pytest.mark.parametrize(("kind", "field"), [("assign", "kind"), ("x", "kind"), ("move", "person")])
def test_an_act_that_is_none_or_says_not_whose_is_refused(kind: str, field: str) -> None:
    queue, lead, _ann, _ben = floor()
    with pytest.raises(Invalid) as refused:
        handover.plan(kind, queue=queue, by=lead, at=log.now())
    assert refused.value.faults[0].field == field


def test_undone_what_nobody_touched_goes_back_to_who_had_it() -> None:
    queue, lead, ann, ben = floor()
    tasks = [make_task(queue) for _ in range(3)]
    for task in tasks:
        assigned(task, ann, lead)
    held = claimed(ann, queue)
    handed = done(handover.plan("release", queue=queue, by=lead, person=ann, at=log.now()), queue, lead)
    taken = claimed(ben, queue)
    _handover, count = handover.undo(handover_id=handed.pk, by=lead)
    assert count == 2
    assert {task.pk for task in handover.kept_for(ann, queue.pk)} == {t.pk for t in tasks} - {taken.pk}
    assert taken == held  # it was the most urgent one
    undone = orjson.loads(Event.objects.get(kind="tasks.handover_undone").entry)
    assert set(undone["tasks"]) == {t.pk for t in tasks} - {taken.pk}
    with pytest.raises(Conflict, match="already"):
        handover.undo(handover_id=handed.pk, by=lead)
    assert not proof.verify(queue.pk).bad


def test_an_undo_is_open_for_ten_minutes() -> None:
    queue, lead, ann, _ben = floor()
    assigned(make_task(queue), ann, lead)
    handed = Handover.objects.get()
    assert handover.undoable(queue.pk, log.now()) == [handed]
    Handover.objects.update(at=log.now() - timedelta(minutes=11))
    assert handover.undoable(queue.pk, log.now()) == []
    with pytest.raises(TooLate):
        handover.undo(handover_id=handed.pk, by=lead)


@pytest.mark.parametrize("reason", ["", "because", "unclear"])
def test_a_handover_says_why(reason: str) -> None:
    queue, lead, ann, _ben = floor()
    with pytest.raises(Invalid):
        handover.assign(task_id=make_task(queue).pk, to=ann.pk, by=lead, reason=reason)
