"""Gold items: who may mark them, how they are given out, and that their answers change nothing that holds."""

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from django.db import IntegrityError

from decisions import redact, rights
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Action, Decision, Event, Exclusion, Gold, Item, Label, Lot, Queue, Task, User
from decisions.queues.spec import Quality
from decisions.record import deep, erase, log, proof
from decisions.routing import sampling
from decisions.work import claim, decide, gold, grading, rule
from decisions.work.answer import Answer
from tests.decisions.work.makers import (
    HAM,
    SPAM,
    answered,
    claimed,
    decided_item,
    desk,
    gold_item,
    moves,
    passed_item,
    rulings,
)
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db

ALWAYS = Quality(gold_share=0.5)


@pytest.fixture
def every_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each lot be below its chance, and name the first of the items."""
    monkeypatch.setattr(sampling, "u", lambda _secret, _queue, names, _purpose: np.zeros(len(list(names))))


def empty(item: Item) -> None:
    admin = make_user("admin", item.queue)
    erase.erase(item_id=item.pk, by=admin, why="asked", legal_basis="art. 17", at=log.now())


def bad_tables(queue: Queue) -> set[str]:
    return {bad.table for bad in deep.verify(queue.pk)}


def golden(person: User) -> Task | None:
    return Task.objects.filter(only_for=person, purpose="gold").order_by("-pk").first()


def followed(**spec: Any) -> tuple[Queue, User, Item, Task]:
    """Let somebody decide on a queue with one gold item; return the gold task that follows."""
    queue, person = desk(quality=ALWAYS, **spec)
    item = gold_item(queue)
    make_task(queue)
    answered(person, queue)
    task = golden(person)
    assert task is not None
    return queue, person, item, task


def test_a_lead_marks_a_decided_item_and_the_record_says_who_and_why_but_not_what() -> None:
    queue = make_queue()
    lead = make_user("lead", queue)
    item = decided_item(queue)
    made = gold.mark(item_id=item.pk, person=lead, outcome="ham", reason="clear")
    assert (made.no, made.outcome, made.truth, made.reason, made.person) == (1, "ham", "negative", "clear", lead)
    event = Event.objects.get(kind="gold.marked")
    entry = orjson.loads(event.entry)
    assert (event.actor, event.item_id, event.reason) == (lead, item.pk, "clear")
    assert {name: value for name, value in entry.items() if name != "rows"} == {"gold": made.pk, "no": 1}
    assert rulings(item) == [(1, "spam", "decision")]  # what holds is another matter
    assert [row.item_id for row in gold.marked(queue.pk)] == [item.pk]
    assert not proof.verify(queue.pk).bad
    assert bad_tables(queue).isdisjoint({"decisions_gold", "decisions_decision", "decisions_ruling"})


def test_a_mark_without_an_event_is_found() -> None:
    queue = make_queue()
    item = decided_item(queue)
    Gold.objects.create(queue=queue, item=item, no=1, outcome="ham", truth="negative", reason="clear", at=log.now())
    assert "decisions_gold" in bad_tables(queue)


def test_what_was_adjudicated_may_be_gold() -> None:
    queue, first = desk()
    item = passed_item(queue)
    make_task(queue, item, purpose="audit")
    answered(first, queue, SPAM)
    answered(make_user("reviewer", queue), queue, HAM)
    lead = make_user("lead", queue)
    with pytest.raises(Conflict):  # it waits for a lead
        gold.mark(item_id=item.pk, person=lead, outcome="ham", reason="settled")
    answered(lead, queue, HAM)
    assert gold.mark(item_id=item.pk, person=lead, outcome="ham", reason="settled").no == 1


@pytest.mark.parametrize("role", ["reviewer", "manager", "auditor", "admin"])
def test_nobody_else_marks_or_retires(role: str) -> None:
    queue = make_queue()
    item = gold_item(queue)
    person = make_user(role, queue)
    with pytest.raises(Forbidden):
        gold.mark(item_id=item.pk, person=person, outcome="ham", reason="clear")
    with pytest.raises(Forbidden):
        gold.retire(item_id=item.pk, person=person, reason="known")
    with pytest.raises(NotFound):
        gold.mark(item_id=item.pk, person=make_user("lead", make_queue()), outcome="ham", reason="clear")
    assert Gold.objects.count() == 1


# what is said, and what is wrong with it
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"outcome": "eggs", "reason": "clear"}, "outcome"),
        ({"outcome": "unclear", "reason": "clear"}, "outcome"),  # nothing can be held against it
        ({"outcome": "spam", "reason": "known"}, "reason"),  # why it is retired, not how it is known
        ({"outcome": "spam", "reason": ""}, "reason"),
    ],
)
def test_what_does_not_fit_is_refused(said: dict[str, str], field: str) -> None:
    queue = make_queue()
    with pytest.raises(Invalid) as refused:
        gold.mark(item_id=decided_item(queue).pk, person=None, **said)
    assert [fault.field for fault in refused.value.faults] == [field]


def test_only_what_was_decided_and_can_be_shown_is_gold() -> None:
    queue = make_queue()
    fresh, waiting, erased = passed_item(queue), make_task(queue).item, decided_item(queue)
    empty(erased)
    for item in (fresh, waiting, erased):
        with pytest.raises(Conflict):
            gold.mark(item_id=item.pk, person=None, outcome="spam", reason="expert")
    with pytest.raises(NotFound):
        gold.mark(item_id=0, person=None, outcome="spam", reason="expert")


def test_marks_replace_each_other_and_are_retired() -> None:
    queue = make_queue()
    item = gold_item(queue, "spam")
    with pytest.raises(Conflict):
        gold.mark(item_id=item.pk, person=None, outcome="spam", reason="clear")
    gold.mark(item_id=item.pk, person=None, outcome="ham", reason="clear")
    gold.retire(item_id=item.pk, person=None, reason="guideline")
    with pytest.raises(Conflict):
        gold.retire(item_id=item.pk, person=None, reason="guideline")
    told = list(Gold.objects.order_by("no").values_list("no", "outcome", "truth"))
    assert told == [(1, "spam", "positive"), (2, "ham", "negative"), (3, "", "negative")]
    assert not gold.marked(queue.pk)
    assert Event.objects.filter(kind__startswith="gold.").count() == 3


def test_what_turned_out_wrong_is_held_against_nobody() -> None:
    queue = make_queue()
    item = gold_item(queue)
    assert gold.retire(item_id=item.pk, person=None, reason="wrong").truth == "none"


@pytest.mark.usefixtures("every_lot")
def test_a_gold_item_follows_in_the_place_of_what_was_answered_for_that_person_alone() -> None:
    queue, person, item, task = followed()
    answered_task = Decision.objects.filter(person=person).get().task
    assert (task.item_id, task.only_for, task.rank, task.state) == (item.pk, person, 1, "waiting")
    assert (task.due_step, task.priority) == (answered_task.due_step, answered_task.priority)
    assert moves(task) == ["opened"]
    lot = Lot.objects.get(task=task)
    assert (lot.pi, lot.u, lot.u_secret) == (0.5, 0.0, sampling.newest_secret()[0])
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("lead", queue)) == []
    held = claimed(person, queue)
    stands = rights.standing(person, queue.pk)
    assert stands is not None
    sight = redact.for_person(held.item, standing=stands, user=person, spec=queue.spec)
    assert (held.pk, redact.purpose(held, sight), sight.machine) == (task.pk, "review", False)


@pytest.mark.usefixtures("every_lot")
@pytest.mark.parametrize("answer", [SPAM, HAM])
def test_an_answer_to_gold_changes_nothing_that_holds(answer: Answer) -> None:
    queue, person, item, _task = followed()
    before = Action.objects.count(), Label.objects.count()
    made = answered(person, queue, answer)
    assert made.purpose == "gold"
    assert rulings(item) == [(1, "spam", "decision")]
    assert (Action.objects.count(), Label.objects.count()) == before
    assert rule.of(made) is None
    assert golden(person) == made.task  # no gold item follows a gold item
    assert not proof.verify(queue.pk).bad


@pytest.mark.usefixtures("every_lot")
def test_gold_that_is_escalated_is_answered_by_a_lead_and_still_changes_nothing() -> None:
    queue, person, item, _task = followed()
    held = claimed(person, queue)
    claim.escalate(task_id=held.pk, lease=held.lease, person=person, reason="expert")
    lead = make_user("lead", queue)
    made = answered(lead, queue, HAM)
    assert (made.purpose, rule.of(made)) == ("escalation", None)
    assert rulings(item) == [(1, "spam", "decision")]


@pytest.mark.usefixtures("every_lot")
def test_an_override_leaves_the_gold_tasks_alone() -> None:
    queue, person, item, task = followed()
    claimed(person, queue)
    rule.override(item_id=item.pk, person=make_user("lead", queue), answer=HAM)
    task.refresh_from_db()
    assert (task.state, rulings(item)[-1][1:]) == ("claimed", ("ham", "override"))


@pytest.mark.usefixtures("every_lot")
def test_nobody_gets_what_they_have_seen_and_one_at_a_time() -> None:
    queue, person, item, task = followed()
    make_task(queue, due_step=task.due_step)
    held = claim.next_tasks(queue_id=queue.pk, person=person, count=2)
    for one in sorted(held, key=lambda one: one.purpose == "gold"):
        decide.decide(task_id=one.pk, lease=one.lease, person=person, answer=SPAM)
    assert Task.objects.filter(purpose="gold", only_for=person).count() == 1  # one waited, and then all were seen
    second = gold_item(queue)
    make_task(queue)
    answered(person, queue)
    newest = golden(person)
    assert newest is not None
    assert (newest.item_id, item.pk != second.pk) == (second.pk, True)


@pytest.mark.usefixtures("every_lot")
@pytest.mark.parametrize("hand", ["decided", "marked", "ruled", "skipped"])
def test_who_had_a_hand_in_it_is_not_measured_by_it(hand: str) -> None:
    queue, _ = desk(quality=ALWAYS)
    person = make_user("lead", queue)
    item = make_item(queue)
    make_task(queue, item)
    if hand == "decided":
        answered(person, queue)
    elif hand == "skipped":
        task = claimed(person, queue)
        claim.skip(task_id=task.pk, lease=task.lease, person=person, reason="unclear")
    if hand != "decided":
        answered(make_user("reviewer", queue), queue)
    if hand == "ruled":
        rule.override(item_id=item.pk, person=person, answer=HAM)
    gold.mark(item_id=item.pk, person=person if hand == "marked" else None, outcome="spam", reason="expert")
    make_task(queue)
    answered(person, queue)
    assert golden(person) is None


@pytest.mark.usefixtures("every_lot")
def test_what_is_out_of_reach_or_empty_is_not_given_out() -> None:
    queue, _ = desk(quality=ALWAYS)
    limited = make_user("reviewer", queue, value_limit=5.0)
    gold_item(queue, value=6.0)
    gold_item(queue, value=None)
    erased = gold_item(queue, value=1.0)
    empty(erased)
    retired = gold_item(queue, value=1.0)
    gold.retire(item_id=retired.pk, person=None, reason="known")
    theirs = gold_item(queue, value=1.0)
    Exclusion.objects.create(
        user=limited, queue=queue, kind="item", key=theirs.external_id, why="own", by=limited, at=log.now()
    )
    make_task(queue, value=1.0)
    answered(limited, queue)
    assert golden(limited) is None
    near = gold_item(queue, value=5.0)
    make_task(queue, value=1.0)
    answered(limited, queue)
    task = golden(limited)
    assert task is not None
    assert task.item_id == near.pk


@pytest.mark.usefixtures("every_lot")
def test_simulated_people_get_demo_items_only() -> None:
    queue, _ = desk(quality=ALWAYS)
    robot = make_user("reviewer", queue, kind=User.Kind.SIMULATED)
    gold_item(queue)
    make_task(queue, make_item(queue, source="demo"))
    answered(robot, queue)
    assert golden(robot) is None
    shown = gold_item(queue, source="demo")
    make_task(queue, make_item(queue, source="demo"))
    answered(robot, queue)
    task = golden(robot)
    assert task is not None
    assert (task.item_id, task.is_demo) == (shown.pk, True)


@pytest.mark.usefixtures("every_lot")
@pytest.mark.parametrize("purpose", ["escalation", "appeal"])
def test_a_leads_own_work_is_not_followed(purpose: str) -> None:
    queue, _ = desk(quality=ALWAYS)
    gold_item(queue)
    make_task(queue, purpose=purpose, rank=2)
    person = make_user("lead", queue)
    answered(person, queue)
    assert golden(person) is None


def test_the_lot_is_drawn_with_the_chance_of_the_spec() -> None:
    queue, person = desk(cap=100)
    decisions = []
    for _ in range(120):
        make_task(queue)
        decisions.append(answered(person, queue))
    a_quarter = replace(queue.spec, quality=Quality(gold_share=0.25, most_share=0.25))
    none = replace(queue.spec, quality=Quality(gold_share=0.0))
    lots = [grading.lot(one, a_quarter, sampling.Purpose.GOLD) for one in decisions]
    assert [grading.lot(one, a_quarter, sampling.Purpose.GOLD) for one in decisions] == lots  # the same again
    assert 10 <= sum(lot is not None for lot in lots) <= 55
    assert all(0 <= lot.u < 0.25 for lot in lots if lot)
    assert [grading.lot(one, none, sampling.Purpose.GOLD) for one in decisions] == [None] * 120


def test_a_queue_without_a_share_gives_none_out() -> None:
    queue, person = desk(quality=replace(ALWAYS, gold_share=0.0))
    gold_item(queue)
    for _ in range(5):
        make_task(queue)
        answered(person, queue)
    assert golden(person) is None


def test_two_gold_tasks_of_one_person_cannot_be() -> None:
    queue, _ = desk()
    for _ in range(2):
        task = make_task(queue, purpose="gold", only_for=make_user("reviewer", queue))
    with pytest.raises(IntegrityError):
        make_task(queue, purpose="gold", only_for=task.only_for)
