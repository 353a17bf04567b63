"""What a person has looked at and when a break is due: for their eyes only."""

from datetime import datetime, timedelta

import pytest

from decisions.models import Decision, Queue, User
from decisions.work import mine
from tests.decisions.work.makers import desk
from tests.factories import NOON, make_task, make_user

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def answer(person: User, queue: Queue, at: datetime, needs: str = "") -> None:
    task = make_task(queue, needs=needs, state="decided")
    Decision.objects.create(
        queue=queue,
        item=task.item,
        task=task,
        round=1,
        purpose="soft",
        queue_version=task.item.queue_version,
        person=person,
        outcome="ham",
        claimed_at=at,
        at=at,
    )


def test_sensitive_items_are_counted_by_category_since_the_queues_own_midnight() -> None:
    queue, person = desk(timezone="Asia/Shanghai")  # its midnight was at 16:00 UTC
    answer(person, queue, NOON, "!topic=gore\nlaw")
    answer(person, queue, NOON - 5 * MINUTE, "!topic=gore\n!topic=war")
    answer(person, queue, NOON - timedelta(hours=21), "!topic=war")
    answer(person, queue, NOON, "law")
    answer(make_user("reviewer", queue), queue, NOON, "!topic=war")
    strain = mine.strain(person, queue, NOON)
    assert (strain.seen, strain.lately) == ({"topic=gore": 2, "topic=war": 1}, 2)


@pytest.mark.parametrize(
    ("minutes", "began", "due"),
    [
        ([], None, False),
        ([16], None, False),  # away for longer than a quarter of an hour
        ([5, 10, 20], 20, False),
        ([5, 10, 26], 10, False),  # a break between the last two
        (list(range(0, 100, 10)), 90, True),
        (list(range(0, 80, 10)), 70, False),
    ],
)
def test_a_stretch_of_work_begins_after_a_break(minutes: list[int], began: int | None, due: bool) -> None:
    queue, person = desk()
    for ago in minutes:
        answer(person, queue, NOON - ago * MINUTE)
    strain = mine.strain(person, queue, NOON)
    assert strain.since == (None if began is None else NOON - began * MINUTE)
    assert strain.needs_break(NOON) is due


def test_much_that_is_hard_to_look_at_calls_for_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mine, "HEAVY", 2)
    queue, person = desk()
    answer(person, queue, NOON, "!topic=gore")
    assert not mine.strain(person, queue, NOON).needs_break(NOON)
    answer(person, queue, NOON - 59 * MINUTE, "!topic=gore")
    assert mine.strain(person, queue, NOON).needs_break(NOON)
