"""Similar decided items: the nearest, final and by people, and none that would tell what a person may not know."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from decisions import redact, rights
from decisions.learning import labels, similar
from decisions.models import Item, Queue, Ruling, User
from decisions.record import erase
from decisions.work import alike, gold, second
from decisions.work.alike import Alike
from decisions.work.answer import Answer
from tests.decisions.work.makers import HAM, SPAM, decided_item, desk, hard_item
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
PRIZE = {"text": "win a prize", "words": 3}
LATER = timedelta(days=1)


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def decided(queue: Queue, answer: Answer = SPAM, payload: dict[str, Any] = PRIZE, **fields: Any) -> Item:
    return decided_item(queue, answer, payload=payload, **fields)


def kept(queue: Queue) -> None:
    labels.feed_due(timezone.now() + LATER)
    similar.refresh(queue)


def seen(item: Item, user: User, at: timedelta = LATER) -> list[Alike]:
    spec, stands = item.queue.spec, rights.standing(user, item.queue_id)
    assert stands is not None
    sight = redact.for_person(item, standing=stands, user=user, spec=spec)
    return alike.to(item, sight=sight, standing=stands, user=user, spec=spec, at=timezone.now() + at)


def ids(item: Item, user: User, at: timedelta = LATER) -> list[int]:
    return [one.id for one in seen(item, user, at)]


def test_the_most_alike_come_first_with_what_was_found_and_when() -> None:
    queue, person = desk()
    far, near = decided(queue, HAM, {"text": "see you on friday", "words": 90}), decided(queue)
    kept(queue)
    item = make_item(queue, PRIZE)
    assert ids(item, person) == [near.pk, far.pk]
    first = seen(item, person)[0]
    ruling = Ruling.objects.get(item=near)
    assert (first.external_id, first.outcome, first.label, first.at) == (near.external_id, "spam", "Spam", ruling.at)


def test_at_most_five_are_shown_and_never_the_item_itself() -> None:
    queue, person = desk()
    items = [decided(queue) for _ in range(7)]
    kept(queue)
    found = ids(items[0], person)
    assert len(found) == 5
    assert items[0].pk not in found


@pytest.mark.parametrize("purpose", ["control", "audit", "second"])
def test_who_is_blind_to_the_item_sees_none(purpose: str) -> None:
    queue, person = desk()
    decided(queue)
    kept(queue)
    item = make_item(queue, PRIZE)
    assert ids(item, person)
    make_task(queue, item, purpose=purpose)
    assert ids(item, person) == []


def test_a_queue_that_hides_the_suggestion_shows_none_before_the_answer() -> None:
    queue, person = desk(hide_suggestion=True)
    decided(queue, by=make_user("reviewer", queue))
    kept(queue)
    task = make_task(queue, make_item(queue, PRIZE))
    assert ids(task.item, person) == []


def test_what_a_person_must_still_judge_blind_is_no_example_for_them() -> None:
    queue, person = desk()
    shown, asked = decided(queue), decided(queue)
    kept(queue)
    make_task(queue, asked, purpose="second")
    assert ids(make_item(queue, PRIZE), person) == [shown.pk]


def test_gold_in_use_is_no_example_and_is_one_again_once_retired() -> None:
    queue, person = desk()
    item, other = decided(queue), decided(queue)
    kept(queue)
    gold.mark(item_id=item.pk, person=None, outcome="spam", reason="expert")
    assert ids(make_item(queue, PRIZE), person) == [other.pk]
    gold.retire(item_id=item.pk, person=None, reason="known")
    assert set(ids(make_item(queue, PRIZE), person)) == {item.pk, other.pk}


def test_a_ruling_that_can_still_be_undone_is_no_example() -> None:
    queue, person = desk()
    decided(queue)
    kept(queue)
    item = make_item(queue, PRIZE)
    assert ids(item, person, at=-LATER) == []
    assert len(ids(item, person)) == 1


def test_the_newest_ruling_is_what_counts() -> None:
    queue, person = desk()
    item = decided(queue)
    kept(queue)
    lead = make_user("lead", queue)
    second.override(item_id=item.pk, person=lead, answer=Answer("ham", "content"))
    assert [one.outcome for one in seen(make_item(queue, PRIZE), person)] == ["ham"]


def test_what_the_expiry_rule_or_the_outside_said_is_no_example() -> None:
    queue, person = desk()
    item = decided(queue)
    kept(queue)
    last = Ruling.objects.get(item=item)
    for no, source in ((2, Ruling.Source.EXPIRY), (3, Ruling.Source.OUTSIDE)):
        Ruling.objects.create(
            queue=queue,
            item=item,
            no=no,
            outcome="spam",
            truth="positive",
            source=source,
            replaces=last,
            at=last.at,
            final_at=last.final_at,
        )
        assert ids(make_item(queue, PRIZE), person) == []


def test_an_erased_item_is_no_example_at_once() -> None:
    queue, person = desk()
    item = decided(queue)
    kept(queue)
    admin = make_user("admin", queue)
    erase.erase(item_id=item.pk, by=admin, why="asked for it", legal_basis="Art. 17", at=timezone.now())
    assert ids(make_item(queue, PRIZE), person) == []


def test_an_item_that_is_erased_itself_has_none() -> None:
    queue, person = desk()
    decided(queue)
    kept(queue)
    item = make_item(queue, PRIZE)
    item.body.content = None
    assert ids(item, person) == []


def test_only_who_may_read_the_record_gets_a_link() -> None:
    queue, person = desk()
    decided(queue)
    kept(queue)
    item = make_item(queue, PRIZE)
    assert [one.is_open for one in seen(item, person)] == [False]
    assert [one.is_open for one in seen(item, make_user("auditor", queue))] == [True]


def test_another_queue_s_items_are_none() -> None:
    queue, person = desk()
    other = make_queue()
    decided(other)
    kept(other)
    kept(queue)
    assert ids(make_item(queue, PRIZE), person) == []


def test_what_the_machine_did_alone_is_no_example() -> None:
    queue, person = desk()
    hard_item(queue, payload=PRIZE)
    decided(queue)
    kept(queue)
    assert len(ids(make_item(queue, PRIZE), person)) == 1
