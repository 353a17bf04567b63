"""The onboarding set: given out before the first item, passed, failed and begun anew."""

from typing import Any

import pytest

from decisions.exceptions import Invalid, NotOnboarded, PersonPaused
from decisions.models import Event, Grade, Lot, Queue, Task, User
from decisions.queues import dump, parse
from decisions.queues.spec import Quality
from decisions.record import proof
from decisions.work import claim, decide, gold, grading, onboarding
from tests.decisions.work.makers import HAM, SPAM, answered, claimed, decided_item, desk
from tests.factories import make_queue, make_spec, make_task, make_user

pytestmark = pytest.mark.django_db

SET = Quality(gold_share=0.0, onboarding=3, pass_mark=0.6)


def queue_with_gold(items: int = 3, **spec: Any) -> Queue:
    """Make a queue that asks for a set of three, with so many gold items, all of them spam, and one item that waits."""
    queue = make_queue(**{"quality": SET, **spec})
    veteran = make_user("lead", queue)
    for _ in range(items):
        item = decided_item(queue, by=veteran)
        gold.mark(item_id=item.pk, person=None, outcome="spam", reason="expert")
    make_task(queue)
    return queue


def answer_set(person: User, queue: Queue, *, right: int, wrong: int) -> list[str]:
    return [answered(person, queue, SPAM if k < right else HAM).purpose for k in range(right + wrong)]


def test_the_first_cards_are_the_set_and_look_like_any_other() -> None:
    queue = queue_with_gold()
    person = make_user("reviewer", queue)
    assert answer_set(person, queue, right=2, wrong=1) == ["gold"] * 3
    grade = grading.newest(queue.pk, person.pk)
    assert grade is not None
    assert (grade.why, grade.n, grade.wrong, grade.is_paused) == ("passed", 3, 1, False)
    assert Event.objects.filter(kind="person.graded", reason="passed").count() == 1
    assert claimed(person, queue).purpose == "soft"
    assert not Lot.objects.exists()  # no sample of anybody's work
    assert not proof.verify(queue.pk).bad


def test_one_card_of_the_set_at_a_time_and_never_the_same_twice() -> None:
    queue = queue_with_gold()
    person = make_user("reviewer", queue)
    (first,) = claim.next_tasks(queue_id=queue.pk, person=person, count=3)
    assert claim.next_tasks(queue_id=queue.pk, person=person) == []
    decide.decide(task_id=first.pk, lease=first.lease, person=person, answer=SPAM)
    answer_set(person, queue, right=2, wrong=0)
    assert Task.objects.filter(only_for=person).values("item").distinct().count() == 3


def test_who_fails_is_paused_and_begins_anew_when_a_lead_lifts_that() -> None:
    queue = queue_with_gold(items=6)
    person, lead = make_user("reviewer", queue), make_user("lead", queue)
    answer_set(person, queue, right=1, wrong=2)
    assert Event.objects.filter(kind="person.paused", reason="failed").count() == 1
    with pytest.raises(PersonPaused):
        claim.next_tasks(queue_id=queue.pk, person=person)
    grading.lift(queue_id=queue.pk, person_id=person.pk, by=lead)
    assert answer_set(person, queue, right=3, wrong=0) == ["gold"] * 3
    assert Grade.objects.filter(person=person).latest("no").why == "passed"
    assert claimed(person, queue).purpose == "soft"


def test_where_no_unseen_item_is_left_a_claim_is_refused() -> None:
    queue = queue_with_gold(items=2)
    person = make_user("reviewer", queue)
    answer_set(person, queue, right=2, wrong=0)
    with pytest.raises(NotOnboarded):
        claim.next_tasks(queue_id=queue.pk, person=person)
    gold.mark(item_id=decided_item(queue, by=make_user("lead", queue)).pk, person=None, outcome="spam", reason="clear")
    answer_set(person, queue, right=1, wrong=0)
    assert claimed(person, queue).purpose == "soft"


def test_cannot_tell_is_not_right() -> None:
    queue = queue_with_gold()
    person = make_user("reviewer", queue)
    answer_set(person, queue, right=1, wrong=0)
    for _ in range(2):
        answered(person, queue, type(SPAM)("unclear", "content"))
    grade = grading.newest(queue.pk, person.pk)
    assert grade is not None
    assert (grade.why, grade.wrong) == ("failed", 2)


@pytest.mark.parametrize("role", ["expert", "lead"])
def test_who_says_what_is_gold_needs_no_set(role: str) -> None:
    queue = queue_with_gold()
    assert claimed(make_user(role, queue), queue).purpose == "soft"


def test_who_worked_here_before_goes_on() -> None:
    queue, person = desk()
    make_task(queue), make_task(queue)
    answered(person, queue)
    asking = dump.content(make_spec(slug=queue.slug, quality=SET))
    queue.version = queue.versions.create(no=2, content=asking, created_at=queue.created_at)
    queue.save()
    assert claimed(person, queue).purpose == "soft"


def test_a_queue_without_a_set_asks_for_none() -> None:
    queue = queue_with_gold(quality=Quality(gold_share=0.0))
    assert claimed(make_user("reviewer", queue), queue).purpose == "soft"


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"onboarding": -1}, "quality.onboarding"),
        ({"onboarding": 201}, "quality.onboarding"),
        ({"pass_mark": 0.0}, "quality.pass_mark"),
        ({"pass_mark": 1.1}, "quality.pass_mark"),
    ],
)
def test_a_spec_says_what_is_possible(said: dict[str, Any], key: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse.spec(dump.content(make_spec(quality=Quality(**said))))
    assert key in {fault.field for fault in refused.value.faults}


def test_the_desk_is_ready_while_an_item_of_the_set_is_left() -> None:
    queue = queue_with_gold(items=1)
    Task.objects.open().update(state=Task.State.CANCELLED)  # nothing but the set waits
    person = make_user("reviewer", queue)
    assert onboarding.is_left(queue, person)
    answered(person, queue, SPAM)
    assert onboarding.is_left(queue, person) is False
    assert onboarding.is_left(queue, make_user("lead", queue)) is None
