"""Second opinions on audits: who is asked, what a dispute leads to, and what holds meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import orjson
import pytest
from django.db import connection, connections, transaction

from decisions import redact, rights
from decisions.exceptions import Conflict, Forbidden, TooLate
from decisions.learning import labels
from decisions.models import Decision, Draw, Event, Label, Lot, Queue, Task
from decisions.queues.spec import Crowd, Quality
from decisions.record import log, proof
from decisions.redact import REVIEW
from decisions.routing import sampling
from decisions.work import claim, decide, quality, rule, sweep
from decisions.work.answer import Answer
from tests.databases import Clone
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, desk, moves, passed_item, rulings
from tests.factories import NOON, make_frame, make_task, make_user

UNCLEAR = Answer("unclear", "content")
LATER = timedelta(days=365)


def audited(queue: Queue, **fields: object) -> Task:
    """Make an audit that waits."""
    return make_task(queue, passed_item(queue, **fields), purpose="audit")


def second_of(task: Task) -> Task | None:
    return Task.objects.filter(parent=task, purpose="second").order_by("-pk").first()


def asked_twice(first: Answer, second: Answer) -> tuple[Queue, Task]:
    """Let two people answer an audit; return the queue and the audit."""
    queue, person = desk()
    task = audited(queue)
    answered(person, queue, first)
    answered(make_user("reviewer", queue), queue, second)
    return queue, task


@pytest.mark.django_db
def test_a_positive_audit_is_seen_by_somebody_else_who_is_told_nothing() -> None:
    queue, first = desk()
    other = make_user("reviewer", queue)
    task = audited(queue)
    answered(first, queue, SPAM)
    second = second_of(task)
    assert second is not None
    assert (second.state, second.rank, second.value, moves(second)) == ("waiting", 1, None, ["opened"])
    assert second.opened_at <= second.due_step <= second.opened_at + queue.spec.sla + queue.spec.sla_step
    assert claim.next_tasks(queue_id=queue.pk, person=first) == []
    (held,) = claim.next_tasks(queue_id=queue.pk, person=other)
    assert held.pk == second.pk
    stands = rights.standing(other, queue.pk)
    assert stands is not None
    sight = redact.for_person(held.item, standing=stands, user=other, spec=queue.spec)
    assert (sight.machine, sight.history, redact.purpose(held, sight)) == (False, False, REVIEW)


@pytest.mark.django_db
def test_the_same_answer_confirms_and_the_first_ruling_stands() -> None:
    queue, task = asked_twice(SPAM, SPAM)
    assert rulings(task.item) == [(1, "spam", "decision")]
    assert not Task.objects.filter(purpose="escalation").exists()
    assert not Event.objects.filter(kind="item.disputed").exists()
    assert list(Decision.objects.order_by("pk").values_list("purpose", flat=True)) == ["audit", "second"]
    assert not proof.verify(queue.pk).bad


# first and second answer, and whether a lead is asked
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second", "disputed"),
    [
        (SPAM, HAM, True),
        (SPAM, UNCLEAR, True),  # what nobody could confirm is not confirmed
        (HAM, SPAM, True),
        (HAM, UNCLEAR, True),
        (HAM, HAM, False),
    ],
)
def test_another_truth_is_a_dispute(
    first: Answer, second: Answer, disputed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "NEGATIVES", 1.0)
    _queue, task = asked_twice(first, second)
    assert rulings(task.item) == [(1, first.outcome, "decision")]  # holds until somebody settles it
    escalations = Task.objects.filter(purpose="escalation", rank=3, state="waiting")
    assert escalations.count() == Event.objects.filter(kind="item.disputed").count() == disputed
    if disputed:
        opened, asked = escalations.get(), second_of(task)
        assert asked is not None
        entry = orjson.loads(Event.objects.get(kind="item.disputed").entry)
        assert entry == {"task": asked.pk, "first": task.pk, "escalation": opened.pk}
        assert (opened.parent_id, opened.due_at, moves(opened)) == (asked.pk, asked.due_at, ["opened"])


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "held"), [(HAM, "ham"), (SPAM, "spam")])
def test_a_lead_who_knows_neither_answer_rules_and_that_stands(answer: Answer, held: str) -> None:
    queue, task = asked_twice(SPAM, HAM)
    lead = make_user("lead", queue)
    held_task = claimed(lead, queue)
    stands = rights.standing(lead, queue.pk)
    assert stands is not None
    sight = redact.for_person(task.item, standing=stands, user=lead, spec=queue.spec)
    assert (held_task.purpose, sight.machine, sight.history) == ("escalation", False, False)
    decide.decide(task_id=held_task.pk, lease=held_task.lease, person=lead, answer=answer)
    assert rulings(task.item) == [(1, "spam", "decision"), (2, held, "adjudication")]
    assert not Task.objects.open().filter(item=task.item).exists()
    assert not proof.verify(queue.pk).bad


@pytest.mark.django_db
def test_an_expert_settles_a_dispute_and_one_passed_on_is_settled_by_a_lead() -> None:
    queue, _ = desk()
    expert, lead = make_user("expert", queue), make_user("lead", queue)
    task = audited(queue)
    for answer in (SPAM, HAM):
        answered(make_user("reviewer", queue), queue, answer)
    opened = claimed(expert, queue)
    assert (opened.purpose, opened.rank) == ("escalation", Task.Rank.EXPERT)
    claim.escalate(task_id=opened.pk, lease=opened.lease, person=expert, reason="guideline")
    answered(lead, queue, HAM)
    assert rulings(task.item) == [(1, "spam", "decision"), (2, "ham", "adjudication")]


@pytest.mark.django_db
@pytest.mark.parametrize("answers", [(SPAM, HAM)])
def test_who_answered_before_settles_nothing(answers: tuple[Answer, Answer]) -> None:
    queue, _ = desk()
    first, second = make_user("lead", queue), make_user("lead", queue)
    audited(queue)
    for person, answer in zip((first, second), answers, strict=True):
        answered(person, queue, answer)
    assert Task.objects.waiting().get().purpose == "escalation"
    for person in (first, second):
        assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("lead", queue))


@pytest.mark.django_db
def test_who_decided_is_refused_a_second_opinion_they_came_to_hold() -> None:
    queue, first = desk()
    task = audited(queue)
    answered(first, queue, SPAM)
    second = second_of(task)
    assert second is not None
    until = log.now() + timedelta(minutes=5)
    Task.objects.filter(pk=second.pk).update(state="claimed", holder=first, lease=1, lease_until=until)
    second.moves.create(kind="claimed", person=first, lease=1, at=NOON)
    with pytest.raises(Forbidden):
        decide.decide(task_id=second.pk, lease=1, person=first, answer=SPAM)


@pytest.mark.django_db
def test_a_second_opinion_that_is_escalated_is_settled_by_the_lead() -> None:
    queue, first = desk()
    task = audited(queue)
    answered(first, queue, SPAM)
    other = make_user("reviewer", queue)
    second = claimed(other, queue)
    claim.escalate(task_id=second.pk, lease=second.lease, person=other, reason="expert")
    answered(make_user("lead", queue), queue, HAM)
    assert rulings(task.item) == [(1, "spam", "decision"), (2, "ham", "adjudication")]


@pytest.fixture
def every_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each lot be below its chance."""
    monkeypatch.setattr(sampling, "u", lambda _secret, _queue, names, _purpose: np.zeros(len(list(names))))


CHECKED = Quality(gold_share=0.0, second_share=0.1)


@pytest.mark.django_db
@pytest.mark.usefixtures("every_lot")
@pytest.mark.parametrize("answer", [SPAM, HAM, UNCLEAR])
def test_a_soft_answer_is_given_again_by_lot_whatever_it_says(answer: Answer) -> None:
    queue, first = desk(quality=CHECKED)
    task = make_task(queue)
    answered(first, queue, answer)
    second = second_of(task)
    assert second is not None
    assert (second.purpose, second.rank, second.state) == ("second", 1, "waiting")
    assert Lot.objects.get(task=second).pi == 0.2  # nobody was measured yet: the most
    assert claim.next_tasks(queue_id=queue.pk, person=first) == []
    other = make_user("reviewer", queue)
    held = claimed(other, queue)
    stands = rights.standing(other, queue.pk)
    assert stands is not None
    sight = redact.for_person(held.item, standing=stands, user=other, spec=queue.spec)
    assert (held.pk, sight.machine, redact.purpose(held, sight)) == (second.pk, False, REVIEW)


@pytest.mark.django_db
@pytest.mark.usefixtures("every_lot")
def test_two_soft_answers_that_differ_are_settled_by_a_lead() -> None:
    queue, first = desk(quality=CHECKED)
    task = make_task(queue)
    answered(first, queue, SPAM)
    answered(make_user("reviewer", queue), queue, HAM)
    assert rulings(task.item) == [(1, "spam", "decision")]
    answered(make_user("lead", queue), queue, HAM)
    assert rulings(task.item) == [(1, "spam", "decision"), (2, "ham", "adjudication")]
    assert Event.objects.filter(kind="item.disputed").count() == 1
    assert not proof.verify(queue.pk).bad


@pytest.mark.django_db
@pytest.mark.usefixtures("every_lot")
def test_what_the_crowd_answered_is_looked_at_by_a_reviewer() -> None:
    crowd = Crowd(purposes=("soft", "second"))
    queue, _ = desk(quality=CHECKED, crowd=crowd)
    task = make_task(queue, rank=0)
    answered(make_user("crowd", queue), queue, SPAM)
    second = second_of(task)
    assert second is not None
    assert second.rank == 1
    assert claim.next_tasks(queue_id=queue.pk, person=make_user("crowd", queue)) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("every_lot")
def test_taking_a_soft_answer_back_cancels_its_second_opinion() -> None:
    queue, first = desk(quality=CHECKED)
    task = make_task(queue)
    made = answered(first, queue, SPAM)
    rule.undo(decision_id=made.pk, person=first)
    second = second_of(task)
    assert second is not None
    assert second.state == "cancelled"


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", ["soft", "control"])
def test_other_work_gets_no_second_opinion(purpose: str) -> None:
    queue, person = desk()
    make_task(queue, purpose=purpose)
    answered(person, queue, SPAM)
    assert Task.objects.count() == 1


@pytest.mark.django_db
def test_cannot_tell_is_no_answer_to_confirm() -> None:
    queue, person = desk()
    audited(queue)
    answered(person, queue, UNCLEAR)
    assert Task.objects.count() == 1


@pytest.mark.django_db
def test_a_few_negative_audits_get_one_by_a_number_of_their_own() -> None:
    queue, person = desk()
    names = [f"n-{i}" for i in range(400)]
    lots = sampling.lots(queue.slug, names, sampling.Purpose.SECOND)
    chosen = [name for name, lot in zip(names, lots, strict=True) if lot < quality.NEGATIVES]
    assert 0.02 <= quality.NEGATIVES <= 0.05
    assert len(chosen) < 40
    for name in [*chosen[:2], *[name for name in names if name not in chosen][:2]]:
        audited(queue, external_id=name)
    for _ in range(4):
        answered(person, queue, HAM)
    found = Task.objects.filter(purpose="second").values_list("item__external_id", flat=True)
    assert set(found) == set(chosen[:2])


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["waiting", "claimed"])
def test_undoing_the_audit_cancels_its_second_opinion(state: str) -> None:
    queue, first = desk()
    task = audited(queue)
    made = answered(first, queue, SPAM)
    other = make_user("reviewer", queue)
    held = claimed(other, queue) if state == "claimed" else None
    rule.undo(decision_id=made.pk, person=first)
    second = second_of(task)
    assert second is not None
    assert (second.state, second.holder, moves(second)[-1]) == ("cancelled", None, "cancelled")
    if held:
        with pytest.raises(Conflict):
            decide.decide(task_id=held.pk, lease=held.lease, person=other, answer=SPAM)
    task.refresh_from_db()
    decide.decide(task_id=task.pk, lease=task.lease, person=first, answer=SPAM)
    anew = second_of(task)
    assert anew is not None
    assert (anew.state, anew.pk != second.pk) == ("waiting", True)


@pytest.mark.django_db
def test_an_audit_is_not_undone_once_the_second_opinion_was_given() -> None:
    queue, first = desk()
    audited(queue)
    made = answered(first, queue, SPAM)
    answered(make_user("reviewer", queue), queue, HAM)
    with pytest.raises(TooLate):
        rule.undo(decision_id=made.pk, person=first)
    assert Task.objects.filter(purpose="escalation", state="waiting").exists()


@pytest.mark.django_db
def test_where_nobody_else_could_answer_it_waits_and_expires_without_effect() -> None:
    queue, only = desk()
    task = audited(queue)
    answered(only, queue, SPAM)
    assert claim.next_tasks(queue_id=queue.pk, person=only) == []
    second = second_of(task)
    assert second is not None
    assert sweep.expire(second.due_at) == 1
    second.refresh_from_db()
    assert (second.state, rulings(task.item)) == ("expired", [(1, "spam", "decision")])


@pytest.mark.django_db
def test_labels_of_an_audit_have_the_draw_s_probability_whoever_had_the_last_word() -> None:
    queue, task = asked_twice(SPAM, HAM)
    Draw.objects.create(frame=make_frame(queue), item=task.item, pi=0.125)
    answered(make_user("lead", queue), queue, HAM)
    labels.feed_due(NOON + LATER)
    got = Label.objects.order_by("no").values_list("provenance", "propensity", "value")
    assert list(got) == [("audit", 0.125, 1), ("audit", 0.125, 0)]


def test_an_undo_and_a_second_answer_at_once_never_both_count(committed_db: Clone) -> None:
    """The second answer is written and not committed yet; who takes back the first waits, and is too late."""
    queue, first = desk()
    other = make_user("reviewer", queue)
    task = audited(queue)
    made = answered(first, queue, SPAM)
    held = claimed(other, queue)
    written, waiting = threading.Event(), threading.Event()

    def answer() -> None:
        try:
            with transaction.atomic():
                decide.decide(task_id=held.pk, lease=held.lease, person=other, answer=HAM)
                written.set()
                assert waiting.wait(30)
        finally:
            connections.close_all()

    def take_back() -> str:
        try:
            rule.undo(decision_id=made.pk, person=first)
        except TooLate:
            return "too late"
        finally:
            connections.close_all()
        return "undone"

    with ThreadPoolExecutor(2) as pool:
        answering = pool.submit(answer)
        assert written.wait(30)
        undoing = pool.submit(take_back)
        while not _somebody_waits():
            assert not undoing.done()
        waiting.set()
        answering.result(30)
        assert undoing.result(30) == "too late"
    task.refresh_from_db()
    assert (task.state, Event.objects.filter(kind="item.disputed").count()) == ("decided", 1)


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
