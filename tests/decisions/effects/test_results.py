"""Results: told is not done until somebody says so."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from decisions.effects import results
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Action, Event, Queue, User
from tests.decisions.effects.world import make_action
from tests.factories import make_queue, make_user

NOW = timezone.now()
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def service(queue: Queue) -> User:
    return make_user("reviewer", queue, kind=User.Kind.SERVICE)


def told(queue: Queue, **fields: Any) -> Action:
    return make_action(queue, NOW, **{"state": "delivered", "attempts": 1, "delivered_at": NOW, **fields})


def test_a_result_is_stored_with_its_time_and_one_event(queue: Queue, service: User) -> None:
    action = told(queue)
    results.record(action_id=action.pk, person=service, result="done", detail="moved to quarantine", at=NOW)
    action.refresh_from_db()
    assert (action.result, action.result_detail, action.result_at) == ("done", "moved to quarantine", NOW)
    event = Event.objects.get(kind=Event.Kind.ACTION_RESULT)
    assert (event.actor, event.item_id, event.reason) == (service, action.item_id, "done")
    assert orjson.loads(event.entry) == {"action": action.pk, "before": "", "after": "done"}


def test_the_same_again_changes_nothing(queue: Queue, service: User) -> None:
    action = told(queue)
    for hour in range(2):
        results.record(action_id=action.pk, person=service, result="done", detail="", at=NOW + hour * HOUR)
    action.refresh_from_db()
    assert action.result_at == NOW
    assert Event.objects.filter(kind=Event.Kind.ACTION_RESULT).count() == 1


def test_another_result_replaces_the_one_before_and_the_record_keeps_both(queue: Queue, service: User) -> None:
    action = told(queue)
    for result in ("failed", "done"):
        results.record(action_id=action.pk, person=service, result=result, detail="", at=NOW)
    entries = Event.objects.filter(kind=Event.Kind.ACTION_RESULT).order_by("seq").values_list("entry", flat=True)
    assert [orjson.loads(entry)["before"] for entry in entries] == ["", "failed"]


def test_what_nobody_was_told_has_no_result(queue: Queue, service: User) -> None:
    action = make_action(queue, NOW)
    with pytest.raises(Conflict):
        results.record(action_id=action.pk, person=service, result="done", detail="", at=NOW)


def test_an_action_whose_answer_was_lost_may_have_a_result(queue: Queue, service: User) -> None:
    action = make_action(queue, NOW, attempts=1)
    assert results.record(action_id=action.pk, person=service, result="done", detail="", at=NOW).result == "done"


@pytest.mark.parametrize(("result", "detail"), [("maybe", ""), ("", ""), ("done", "x" * 501), ("done", "nul\x00")])
def test_what_is_no_result_is_refused(queue: Queue, service: User, result: str, detail: str) -> None:
    with pytest.raises(Invalid):
        results.record(action_id=told(queue).pk, person=service, result=result, detail=detail, at=NOW)


def test_who_lacks_the_right_is_refused_and_strangers_find_nothing(queue: Queue) -> None:
    action = told(queue)
    with pytest.raises(Forbidden):
        results.record(action_id=action.pk, person=make_user("reviewer", queue), result="done", detail="", at=NOW)
    with pytest.raises(NotFound):
        results.record(action_id=action.pk, person=make_user("manager", make_queue()), result="done", detail="", at=NOW)
    with pytest.raises(NotFound):
        results.record(action_id=0, person=make_user("manager"), result="done", detail="", at=NOW)


def test_told_but_not_done_lists_the_oldest_first_with_its_age(queue: Queue) -> None:
    young = told(queue, delivered_at=NOW - HOUR)
    old = told(queue, delivered_at=NOW - 3 * HOUR, result="refused")
    told(queue, result="done")
    make_action(queue, NOW)
    told(make_queue())
    listed = results.told_but_not_done(queue.pk, NOW)
    assert [(one.action, one.age) for one in listed] == [(old, 3 * HOUR), (young, HOUR)]
    assert [one.action for one in results.told_but_not_done(queue.pk, NOW, older_than=2 * HOUR)] == [old]
    assert [one.action for one in results.told_but_not_done(queue.pk, NOW, most=1)] == [old]
