"""How good answers are: of all for leads, of oneself for oneself."""

from typing import Any

import numpy as np
import pytest

from decisions.exceptions import Forbidden, NotFound
from decisions.measure import answering
from decisions.measure.answering import Report
from decisions.models import Decision, Gold, Item, Queue, Task, User
from decisions.record import log
from decisions.work import grading
from tests.decisions.work.makers import desk
from tests.decisions.work.test_disputes import disputed
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def said(item: Item, person: User, outcome: str, purpose: str, **fields: Any) -> Task:
    at = log.now()
    task = make_task(item.queue, item, purpose=purpose, state="decided", **fields)
    Decision.objects.create(
        queue=item.queue, item=item, task=task, round=1, purpose=purpose, queue_version=item.queue_version,
        person=person, outcome=outcome, claimed_at=at, at=at,
    )  # fmt: skip
    return task


def golden(queue: Queue, people: dict[User, str], truth: str = "positive") -> None:
    """Let people answer a gold item."""
    item = make_item(queue)
    key = "spam" if truth == "positive" else "ham"
    Gold.objects.create(queue=queue, item=item, no=1, outcome=key, truth=truth, reason="expert", at=log.now())
    for person, outcome in people.items():
        said(item, person, outcome, "gold", only_for=person)


def twice(queue: Queue, first: User, one: str, second: User, other: str) -> None:
    item = make_item(queue)
    parent = said(item, first, one, "audit")
    said(item, second, other, "second", parent=parent)


def report(queue: Queue) -> Report:
    return answering.of_queue(queue, make_user("lead", queue), log.now())


def test_each_persons_accuracy_and_agreement_are_told_by_name() -> None:
    queue = make_queue()
    anna = make_user("reviewer", queue, name="Anna")
    bert = make_user("reviewer", queue, name="Bert")
    for k in range(32):
        golden(queue, {bert: "spam" if k < 24 else "ham", anna: "spam"})
    for k in range(10):
        twice(queue, anna, "ham", bert, "ham" if k < 7 else "spam")
    found = report(queue)
    assert [str(row.user) for row in found.people] == ["Anna", "Bert"]
    one, other = found.people
    assert (one.gold.hits, one.gold.n, other.gold.value) == (32, 32, 0.75)
    assert (one.agreed.hits, one.agreed.n, one.agreed.value) == (7, 10, None)
    assert (one.second.hits, one.second.n) == (7, 7)  # the other three nobody settled
    assert (other.right.hits, other.right.n) == (31, 39)
    assert other.sensitivity is not None
    assert other.sensitivity < 0.8
    assert (found.alpha.units, found.gold, found.waiting) == (42, {"spam": 32}, 0)
    (pair,) = found.pairs
    assert (pair.one, pair.other, pair.units) == (anna, bert, 42)
    assert pair.kappa is not None
    assert 0.2 < pair.kappa < 0.8


def test_who_answered_little_has_limits_and_no_figure() -> None:
    queue, anna = desk()
    golden(queue, {anna: "spam"})
    (row,) = report(queue).people
    assert (row.gold.value, row.sensitivity) == (None, None)
    assert row.gold.low == pytest.approx(0.025)
    assert report(queue).pairs == ()


def test_a_queue_of_which_nothing_was_checked_says_so() -> None:
    found = report(make_queue())
    assert (found.people, found.alpha.value, found.alpha.units, found.settled) == ((), None, 0, ())


def test_cannot_tell_is_neither_right_nor_wrong_but_no_agreement() -> None:
    queue, anna = desk()
    bert = make_user("reviewer", queue)
    golden(queue, {anna: "unclear"})
    twice(queue, anna, "spam", bert, "unclear")
    row = next(row for row in report(queue).people if row.user == anna)
    assert (row.gold.n, row.second.n, row.agreed.hits, row.agreed.n) == (0, 0, 0, 1)


def test_disagreements_that_wait_are_counted_and_their_answers_are_not_told() -> None:
    queue, anna = desk()
    disputed(queue, anna, make_user("reviewer", queue))
    found = report(queue)
    assert (found.waiting, found.settled) == (1, ())


@pytest.mark.parametrize("role", ["crowd", "reviewer", "expert", "manager", "auditor", "admin"])
def test_only_leads_see_others(role: str) -> None:
    queue = make_queue()
    with pytest.raises(Forbidden):
        answering.of_queue(queue, make_user(role, queue), log.now())
    with pytest.raises(NotFound):
        answering.of_queue(queue, make_user("lead", make_queue()), log.now())


def test_each_person_sees_their_own_and_nothing_of_others() -> None:
    queue, anna = desk()
    bert = make_user("reviewer", queue)
    golden(queue, {anna: "spam", bert: "ham"})
    twice(queue, bert, "ham", anna, "ham")
    own = answering.of_person(queue, anna, log.now())
    assert (own.gold.hits, own.gold.n, own.second.hits, own.agreed.n) == (1, 1, 1, 1)
    assert not own.is_paused
    assert answering.of_person(queue, make_user("reviewer", queue), log.now()).right.n == 0
    with pytest.raises(Forbidden):
        answering.of_person(queue, make_user("auditor", queue), log.now())
    with pytest.raises(NotFound):
        answering.of_person(queue, make_user("reviewer", make_queue()), log.now())


def test_older_answers_do_not_count() -> None:
    queue, anna = desk()
    golden(queue, {anna: "spam"})
    later = log.now() + grading.COUNTED
    assert answering.of_queue(queue, make_user("lead", queue), later).people == ()


def test_people_are_never_in_the_order_of_a_figure() -> None:
    queue = make_queue()
    numbers = np.random.default_rng(2)
    people = [make_user("reviewer", queue, name=name) for name in ("Zoe", "Ada", "Max")]
    for person in people:
        golden(queue, {person: str(numbers.choice(["spam", "ham"]))})
    assert [str(row.user) for row in report(queue).people] == ["Ada", "Max", "Zoe"]
