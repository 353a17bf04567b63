"""What time does to tasks."""

import json
from datetime import timedelta
from typing import Any

import pytest

from decisions.exceptions import LeaseLost
from decisions.measure import rollups
from decisions.models import Action, Event, Move, PendingLabel, Queue, Rollup, Ruling, Task
from decisions.queues.spec_time import Expiry, Lapsed, Unanswered
from decisions.work import claim, decide, sweep
from tests.decisions.work.makers import SPAM, answered, claimed, control_task, desk, moves, rulings
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
LATE = NOON + timedelta(days=2)  # past every deadline here


def run_out(task: Task) -> None:
    """Let a task's lease end at noon."""
    Task.objects.filter(pk=task.pk).update(lease_until=NOON)


def test_a_lease_that_is_over_goes_back_and_fences_off_its_holder() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    run_out(task)
    assert sweep.lapse(NOON) == 1
    task.refresh_from_db()
    assert (task.state, task.holder, task.lease_until, task.lease) == ("waiting", None, None, 2)
    assert moves(task) == ["opened", "claimed", "lapsed"]
    lapsed = Move.objects.get(task=task, kind="lapsed")
    assert (lapsed.person, lapsed.lease, lapsed.at) == (person, 2, NOON)
    with pytest.raises(LeaseLost):
        decide.decide(task_id=task.pk, lease=1, person=person, answer=SPAM)


def test_a_live_lease_is_left_alone() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    assert task.lease_until is not None
    assert sweep.lapse(task.lease_until - timedelta(seconds=1)) == 0
    assert sweep.lapse(task.lease_until) == 1


def test_a_hold_ends_too() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    claim.hold(task_id=task.pk, lease=task.lease, person=person)
    run_out(task)
    assert sweep.lapse(NOON) == 1
    task.refresh_from_db()
    assert task.state == "waiting"


def test_many_lapse_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "LEASES", 2)
    queue, person = desk(cap=5)
    for _ in range(5):
        make_task(queue)
    claim.next_tasks(queue_id=queue.pk, person=person, count=5)
    Task.objects.update(lease_until=NOON)
    assert sweep.lapse(NOON) == 5
    assert sweep.lapse(NOON) == 0


@pytest.mark.parametrize("purpose", ["soft", "control"])
def test_overdue_items_fall_to_the_rule(purpose: str) -> None:
    queue = make_queue(expire_to="ham")
    task = control_task(queue) if purpose == "control" else make_task(queue)
    assert sweep.expire(LATE) == 1
    task.refresh_from_db()
    ruling = Ruling.objects.get(item=task.item)
    assert (task.state, moves(task)) == ("expired", ["opened", "expired"])
    assert (ruling.source, ruling.outcome, ruling.person, ruling.was) == ("expiry", "ham", None, "spam")
    assert (ruling.is_override, ruling.is_reversal, ruling.final_at) == (False, False, LATE)
    assert Action.objects.get(item=task.item).name == "deliver"
    event = Event.objects.get(chain=queue.pk)
    assert (event.kind, event.actor, event.item, event.at) == ("task.expired", None, task.item, LATE)
    assert json.loads(event.entry)["outcome"] == "ham"


def expired(rules: Expiry, purpose: str, **spec: Any) -> tuple[Task, dict[str, Any]]:
    """Let a task of a purpose run out of time under these rules; return it with its event's entry."""
    queue = make_queue(expiry=rules, **spec)
    task = control_task(queue) if purpose == "control" else make_task(queue, purpose=purpose)
    assert sweep.expire(LATE) == 1
    task.refresh_from_db()
    assert (task.state, moves(task)) == ("expired", ["opened", "expired"])
    event = Event.objects.get(chain=queue.pk, kind="task.expired")
    assert event.reason == Move.objects.get(task=task, kind="expired").reason
    return task, {"rule": event.reason, **json.loads(event.entry)}


# purpose, rule, outcome that then holds
ENDS = [
    ("soft", Expiry(soft=Lapsed.PASS), "pass", "ham"),  # what PASS stands for
    ("soft", Expiry(soft=Lapsed.ACT), "act", "spam"),  # the outcome of `expire_to`
    ("control", Expiry(control=Lapsed.PASS), "pass", "ham"),
    ("control", Expiry(control=Lapsed.ACT), "act", "spam"),  # as no outcome of its own is named
    ("control", Expiry(control=Lapsed.ACT, control_to="ham"), "act", "ham"),
]


@pytest.mark.parametrize(("purpose", "rules", "word", "outcome"), ENDS)
def test_each_purpose_follows_its_own_rule(purpose: str, rules: Expiry, word: str, outcome: str) -> None:
    task, entry = expired(rules, purpose, expire_to="spam")
    assert (entry["rule"], entry["purpose"], entry["outcome"]) == (word, purpose, outcome)
    assert rulings(task.item) == [(1, outcome, "expiry")]
    assert not PendingLabel.objects.exists()


@pytest.mark.parametrize(
    ("purpose", "rules"),
    [
        ("soft", Expiry(soft=Lapsed.ESCALATE)),
        ("control", Expiry(control=Lapsed.ESCALATE)),
        ("audit", Expiry(audit=Unanswered.ESCALATE)),
        ("second", Expiry(second=Unanswered.ESCALATE)),
    ],
)
def test_a_lead_answers_what_ran_out_of_time(purpose: str, rules: Expiry) -> None:
    task, entry = expired(rules, purpose)
    escalation = Task.objects.get(purpose="escalation")
    assert (entry["rule"], entry["outcome"], entry["escalation"]) == ("escalate", "", escalation.pk)
    assert (escalation.parent, escalation.rank, escalation.state) == (task, Task.Rank.LEAD, "waiting")
    assert (escalation.due_at, escalation.due_step) == (LATE + timedelta(hours=24), task.due_step)
    assert sweep.expire(LATE + timedelta(days=9)) == 0  # an escalation waits on
    lead = make_user("lead", task.queue)
    answered(lead, task.queue)
    assert rulings(task.item) == [(1, "spam", "adjudication" if purpose == "second" else "decision")]


def test_one_lead_is_enough() -> None:
    queue = make_queue(expiry=Expiry(soft=Lapsed.ESCALATE))
    task = make_task(queue)
    before = make_task(queue, task.item, purpose="escalation", rank=Task.Rank.LEAD, due_at=LATE + HOUR)
    assert sweep.expire(LATE) == 1
    assert Task.objects.filter(purpose="escalation").get() == before
    assert json.loads(Event.objects.get(chain=queue.pk).entry)["escalation"] == before.pk


def test_a_rule_may_say_that_controls_wait_on_while_the_others_fall() -> None:
    queue = make_queue(expire_to="ham", expiry=Expiry(control=Lapsed.WAIT))
    soft, control = make_task(queue), control_task(queue)
    assert sweep.expire(LATE) == 1
    assert [Task.objects.get(pk=task.pk).state for task in (soft, control)] == ["expired", "waiting"]


def test_what_expired_is_counted_by_the_rule_that_ended_it() -> None:
    queue = make_queue(expiry=Expiry(soft=Lapsed.PASS, audit=Unanswered.ESCALATE))
    Queue.objects.update(created_at=NOON)
    for purpose in ("soft", "soft", "audit"):
        make_task(queue, purpose=purpose)
    sweep.expire(LATE)
    rollups.roll_up(LATE + HOUR)
    counted = dict(Rollup.objects.filter(queue=queue, figure="expired").values_list("key", "value"))
    assert counted == {"soft:pass": 2, "audit:escalate": 1}


def test_an_expiry_rule_teaches_nothing() -> None:
    queue = make_queue(expire_to="ham")
    make_task(queue)
    sweep.expire(LATE)
    assert not PendingLabel.objects.exists()


def test_without_a_rule_items_wait_on() -> None:
    queue = make_queue()
    soft, control = make_task(queue), control_task(queue)
    assert sweep.expire(LATE) == 0
    for task in (soft, control):
        task.refresh_from_db()
        assert task.state == "waiting"


@pytest.mark.parametrize("expire_to", ["", "ham"])
@pytest.mark.parametrize("purpose", ["audit", "second", "gold"])
def test_an_overdue_audit_is_closed_without_a_ruling(expire_to: str, purpose: str) -> None:
    queue = make_queue(expire_to=expire_to)
    task = make_task(queue, purpose=purpose)
    assert sweep.expire(LATE) == 1
    task.refresh_from_db()
    assert (task.state, rulings(task.item)) == ("expired", [])
    assert json.loads(Event.objects.get(chain=queue.pk).entry)["outcome"] == ""


@pytest.mark.parametrize("purpose", ["appeal", "escalation"])
def test_what_only_people_can_end_waits_on(purpose: str) -> None:
    queue = make_queue(expire_to="ham")
    make_task(queue, purpose=purpose)
    assert sweep.expire(LATE) == 0


def test_what_is_not_due_waits() -> None:
    queue = make_queue(expire_to="ham")
    make_task(queue, due_at=LATE + HOUR)
    assert sweep.expire(LATE) == 0


def test_work_in_progress_is_left_alone_and_holds_are_not() -> None:
    queue, person = desk(expire_to="ham")
    working, on_hold = make_task(queue, due_step=NOON), make_task(queue, due_step=NOON + HOUR)
    claim.next_tasks(queue_id=queue.pk, person=person, count=2)
    claim.hold(task_id=on_hold.pk, lease=1, person=person)
    assert sweep.expire(LATE) == 1
    on_hold.refresh_from_db()
    assert (on_hold.state, on_hold.holder) == ("expired", None)
    run_out(working)
    assert sweep.expire(LATE) == 1


def test_many_expire_in_batches_and_queues_follow_their_own_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "TASKS", 2)
    ham, spam = make_queue(expire_to="ham"), make_queue(expire_to="spam")
    for queue in (ham, spam, ham, spam, ham):
        make_task(queue, make_item(queue))
    assert sweep.expire(LATE) == 5
    assert set(Ruling.objects.values_list("queue", "outcome")) == {(ham.pk, "ham"), (spam.pk, "spam")}


def test_a_person_who_lost_a_lapsed_task_can_have_it_again() -> None:
    queue, person = desk()
    make_task(queue)
    task = claimed(person, queue)
    run_out(task)
    sweep.lapse(NOON)
    again = claimed(make_user("reviewer", queue), queue)
    assert (again, again.lease) == (task, 3)
