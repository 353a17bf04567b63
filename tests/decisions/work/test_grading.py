"""How much of a person's work is checked: what is counted, what follows, pauses and their end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound, PersonPaused
from decisions.measure import answers
from decisions.models import Decision, Event, Gold, Grade, Lot, Queue, User
from decisions.queues import dump, live, parse
from decisions.queues.spec import Quality
from decisions.record import deep, log, proof
from decisions.routing import sampling
from decisions.work import claim, decide, gold, grading
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, desk, passed_item
from tests.factories import make_item, make_queue, make_spec, make_task, make_user

pytestmark = pytest.mark.django_db

STRICT = Quality(gold_share=0.02, second_share=0.04, most_share=0.2, error_limit=0.2)


def checked(person: User, queue: Queue, right: int, wrong: int = 0) -> None:
    """Let somebody answer so many gold items."""
    for k in range(right + wrong):
        item, at = make_item(queue), log.now()
        Gold.objects.create(queue=queue, item=item, no=1, outcome="spam", truth="positive", reason="expert", at=at)
        task = make_task(queue, item, purpose="gold", state="decided", only_for=person)
        Decision.objects.create(
            queue=queue, item=item, task=task, round=1, purpose="gold", queue_version=item.queue_version, person=person,
            outcome="spam" if k < right else "ham", claimed_at=at, at=at,
        )  # fmt: skip


def regraded(queue: Queue) -> list[Grade]:
    return grading.regrade(live.of(queue.slug), log.now())


def grade_of(person: User, queue: Queue) -> Grade:
    found = grading.newest(queue.pk, person.pk)
    assert found is not None
    return found


def test_right_answers_bring_the_shares_down_and_wrong_ones_up() -> None:
    queue, careful = desk(quality=STRICT)
    careless = make_user("reviewer", queue)
    checked(careful, queue, 60)
    checked(careless, queue, 50, 10)
    assert {grade.person_id for grade in regraded(queue)} == {careful.pk, careless.pk}
    good, bad = grade_of(careful, queue), grade_of(careless, queue)
    assert (good.n, good.wrong, bad.n, bad.wrong) == (60, 0, 60, 10)
    assert 0.02 < good.gold_share < bad.gold_share <= 0.2
    assert 0.04 < good.second_share < bad.second_share <= 0.2
    assert not good.is_paused
    assert not bad.is_paused  # 10 of 60 may well be below a fifth


def test_a_grade_is_written_when_it_moved_with_an_entry_that_tells_no_figure() -> None:
    queue, person = desk(quality=STRICT)
    checked(person, queue, 20)
    regraded(queue)
    assert regraded(queue) == []
    checked(person, queue, 1)
    assert regraded(queue) == []  # hardly moved
    checked(person, queue, 40)
    (grade,) = regraded(queue)
    assert (grade.no, grade.why) == (2, "counted")
    event = Event.objects.filter(kind="person.graded").latest("seq")
    entry = orjson.loads(event.entry)
    assert (event.actor, entry.keys()) == (None, {"grade", "person", "rows"})
    assert not proof.verify(queue.pk).bad
    assert "decisions_grade" not in {bad.table for bad in deep.verify(queue.pk)}


def test_who_surely_errs_too_often_is_paused_on_that_queue_alone() -> None:
    queue, person = desk(quality=STRICT)
    other = make_queue()
    other_person = make_user("reviewer", queue)
    person.memberships.create(queue=other, role="reviewer")
    checked(person, queue, 1, 5)
    (grade,) = regraded(queue)
    assert (grade.is_paused, grade.why, grade.gold_share) == (True, "errors", 0.2)
    assert Event.objects.filter(kind="person.paused").count() == 1
    make_task(queue), make_task(other)
    with pytest.raises(PersonPaused):
        claim.next_tasks(queue_id=queue.pk, person=person)
    assert claim.next_tasks(queue_id=other.pk, person=person)
    assert claim.next_tasks(queue_id=queue.pk, person=other_person)
    checked(person, queue, 200)
    regraded(queue)
    assert grade_of(person, queue).is_paused  # only a lead ends it


def test_what_a_paused_person_holds_they_may_finish() -> None:
    queue, person = desk(quality=STRICT)
    make_task(queue)
    task = claimed(person, queue)
    checked(person, queue, 0, 5)
    regraded(queue)
    assert decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM).pk


def test_without_a_limit_nobody_is_paused() -> None:
    queue, person = desk(quality=Quality(gold_share=0.02))
    checked(person, queue, 0, 20)
    (grade,) = regraded(queue)
    assert not grade.is_paused


def test_a_lead_lifts_a_pause_and_only_later_answers_count() -> None:
    queue, person = desk(quality=STRICT)
    lead = make_user("lead", queue)
    checked(person, queue, 0, 6)
    regraded(queue)
    grade = grading.lift(queue_id=queue.pk, person_id=person.pk, by=lead)
    assert (grade.is_paused, grade.why, grade.by, grade.n, grade.gold_share) == (False, "lifted", lead, 0, 0.2)
    event = Event.objects.get(kind="person.resumed")
    assert (event.actor, event.reason) == (lead, "lifted")
    assert regraded(queue) == []
    make_task(queue)
    assert claim.next_tasks(queue_id=queue.pk, person=person)
    checked(person, queue, 30)
    (later,) = regraded(queue)
    assert (later.n, later.wrong) == (30, 0)


def test_who_may_not_lifts_nothing() -> None:
    queue, person = desk("lead", quality=STRICT)
    checked(person, queue, 0, 6)
    regraded(queue)
    for role in ("reviewer", "manager", "auditor", "admin"):
        with pytest.raises(Forbidden):
            grading.lift(queue_id=queue.pk, person_id=person.pk, by=make_user(role, queue))
    with pytest.raises(Forbidden):  # one's own
        grading.lift(queue_id=queue.pk, person_id=person.pk, by=person)
    with pytest.raises(NotFound):
        grading.lift(queue_id=queue.pk, person_id=person.pk, by=make_user("lead", make_queue()))
    lead = make_user("lead", queue)
    with pytest.raises(NotFound):  # nothing of theirs was counted
        grading.lift(queue_id=queue.pk, person_id=lead.pk, by=make_user("lead", queue))
    grading.lift(queue_id=queue.pk, person_id=person.pk, by=lead)
    with pytest.raises(Conflict):
        grading.lift(queue_id=queue.pk, person_id=person.pk, by=lead)


def test_a_persons_share_is_the_chance_that_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, person = desk(quality=replace(STRICT, second_share=0.0))
    checked(person, queue, 100)
    regraded(queue)
    share = grade_of(person, queue).gold_share
    for name in ("a", "b"):
        item = passed_item(queue, external_id=name)
        Gold.objects.create(
            queue=queue, item=item, no=1, outcome="spam", truth="positive", reason="expert", at=log.now()
        )
    monkeypatch.setattr(sampling, "u", lambda *_: np.full(1, share))
    make_task(queue), make_task(queue)
    answered(person, queue)
    assert not Lot.objects.exists()  # not below it
    monkeypatch.setattr(sampling, "u", lambda *_: np.full(1, share * 0.99))
    answered(person, queue)
    assert Lot.objects.get(task__purpose="gold").pi == share


def test_a_lookup_is_made_only_where_the_number_may_be_below(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, person = desk(quality=STRICT)
    make_task(queue)
    monkeypatch.setattr(sampling, "u", lambda *_: np.full(1, 0.2))
    monkeypatch.setattr(grading, "newest", lambda *_: pytest.fail("a look-up"))
    answered(person, queue)


# what the two said, what was settled, and how many of each one's answers were wrong, of how many
@pytest.mark.parametrize(
    ("first", "second", "settled", "told"),
    [
        (SPAM, SPAM, None, ((0, 1), (0, 1))),
        (SPAM, HAM, None, ((0, 0), (0, 0))),  # nobody knows yet
        (SPAM, HAM, HAM, ((1, 1), (0, 1))),
        (SPAM, HAM, SPAM, ((0, 1), (1, 1))),
        (SPAM, Answer("unclear", "content"), HAM, ((1, 1), (0, 0))),  # who could not tell was not wrong
    ],
)
def test_second_opinions_tell_of_both(first: Answer, second: Answer, settled: Answer | None, told: Any) -> None:
    queue, one = desk(undo=timedelta(0))
    other = make_user("reviewer", queue)
    make_task(queue, passed_item(queue), purpose="audit")
    answered(one, queue, first)
    answered(other, queue, second)
    if settled:
        answered(make_user("lead", queue), queue, settled)
    at = log.now()
    seen = answers.checked(queue.pk, queue.spec, start=at - timedelta(days=1), at=at)
    since = at - timedelta(days=1)
    assert (answers.tally(seen, one.pk, since), answers.tally(seen, other.pk, since)) == told
    assert answers.tally(seen, one.pk, at) == (0, 0)
    assert set(seen.source) == {"second"}


def test_gold_that_was_wrong_is_held_against_nobody() -> None:
    queue, person = desk(quality=STRICT)
    checked(person, queue, 0, 1)
    item = Gold.objects.get().item
    gold.retire(item_id=item.pk, person=None, reason="wrong")
    at = log.now()
    seen = answers.checked(queue.pk, queue.spec, start=at - timedelta(days=1), at=at)
    assert answers.tally(seen, person.pk, at - timedelta(days=1)) == (0, 0)


def test_a_queue_that_checks_nobody_grades_nobody() -> None:
    queue, person = desk()
    checked(person, queue, 3)
    assert regraded(queue) == []
    assert grading.regrade_all(log.now()) == 0


# what the file says, and the key that is wrong
@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"gold_share": 0.6}, "quality.gold_share"),
        ({"second_share": -0.1}, "quality.second_share"),
        ({"gold_share": 0.3}, "quality.most_share"),  # more than the most
        ({"error_limit": 1.0}, "quality.error_limit"),
    ],
)
def test_a_spec_says_what_is_possible(said: dict[str, Any], key: str) -> None:
    content = dump.content(make_spec(quality=Quality(**said)))
    with pytest.raises(Invalid) as refused:
        parse.spec(content)
    assert key in {fault.field for fault in refused.value.faults}


def test_answers_of_others_are_not_touched() -> None:
    queue, person = desk(quality=STRICT)
    other = make_user("reviewer", queue)
    checked(other, queue, 3)
    regraded(queue)
    assert grading.newest(queue.pk, person.pk) is None
