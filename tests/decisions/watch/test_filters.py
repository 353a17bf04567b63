"""A filter is turned off where its blocks surely cost more than they spare, and only a person turns it on again."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from pytest_django import Settings

from decisions.exceptions import Conflict, Forbidden, Invalid
from decisions.models import Alert, Event, Queue
from decisions.queues import live
from decisions.queues.spec_filter import Filter
from decisions.watch import filters, telling
from tests.decisions.intake.test_doubts import guarded, take
from tests.decisions.measure.test_filtered import AT, flag
from tests.factories import make_queue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def answered(wrong: int, right: int) -> Queue:
    queue = guarded()
    for truth, count in (("negative", wrong), ("positive", right)):
        for _ in range(count):
            flag(queue, truth)
    return queue


def test_it_is_turned_off_below_the_break_even_with_an_event_and_a_notice_to_the_owner() -> None:
    queue = answered(0, 60)
    assert filters.check_all(AT) == 1
    event = Event.objects.get(chain=queue.pk, kind="filter.stopped")
    told = orjson.loads(event.entry)
    assert (event.actor, told["is_on"], told["figures"]["answered"], told["figures"]["precision"]) == (
        None,
        False,
        60,
        0,
    )
    alert = Alert.objects.get(queue=queue, kind="filter")
    assert (alert.level, alert.notices.count()) == ("warn", 1)
    assert "turned off" in telling.sentence(alert)
    assert telling.what(alert) == "the filter"
    assert live.of(queue.slug).filter is None
    assert {item.reason for item in take(queue, 30, words=95)} <= {"score", "control"}
    assert filters.check_all(AT) == 0


@pytest.mark.parametrize(("wrong", "right"), [(0, 29), (3, 40), (20, 20)])
def test_it_stays_on_while_it_may_pay(wrong: int, right: int) -> None:
    queue = answered(wrong, right)
    assert filters.check_all(AT) == 0
    assert not Event.objects.filter(chain=queue.pk, kind="filter.stopped").exists()
    assert live.of(queue.slug).filter is not None


def test_only_a_person_turns_it_on_again_and_then_it_starts_anew() -> None:
    queue, later = answered(0, 60), AT + timedelta(minutes=5)
    filters.check_all(AT)
    person = make_user("manager", queue)
    filters.switch(queue_id=queue.pk, is_on=True, why="trained", by=person, at=later)
    event = Event.objects.get(chain=queue.pk, kind="filter.switched")
    assert (event.actor, event.reason, event.entry) == (person, "trained", '{"is_on":true}')
    assert live.of(queue.slug).filter is not None
    assert filters.check_all(later + timedelta(minutes=5)) == 0  # what it did before does not count
    found = filters.state(live.of(queue.slug), later + timedelta(minutes=5))
    assert found is not None
    assert (found.is_on, found.since, found.person, found.why) == (True, later, person, "trained")
    assert found.blocks is not None
    assert found.blocks.blocked == 0


def test_who_may_not_publish_may_not_switch() -> None:
    queue = guarded()
    with pytest.raises(Forbidden):
        filters.switch(queue_id=queue.pk, is_on=False, why="test", by=make_user("lead", queue), at=AT)


def test_what_cannot_be_is_refused() -> None:
    queue, bare = guarded(), make_queue()
    person, other = make_user("manager", queue), make_user("manager", bare)
    with pytest.raises(Conflict, match="on already"):
        filters.switch(queue_id=queue.pk, is_on=True, why="test", by=person, at=AT)
    with pytest.raises(Invalid):
        filters.switch(queue_id=queue.pk, is_on=False, why="mood", by=person, at=AT)
    with pytest.raises(Conflict, match="asks for no filter"):
        filters.switch(queue_id=bare.pk, is_on=False, why="test", by=other, at=AT)
    assert filters.state(live.of(bare.slug), AT) is None


def test_a_queue_that_asks_for_none_is_not_looked_at() -> None:
    assert guarded(Filter()) is not None
    assert filters.check_all(AT) == 0
