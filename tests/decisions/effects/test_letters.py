"""Dead letters: counted, and sent again."""

import orjson
import pytest
from django.utils import timezone

from decisions.effects import letters
from decisions.exceptions import Forbidden
from decisions.models import Action, Event, Queue
from tests.decisions.effects.world import make_action
from tests.factories import make_queue, make_user

NOW = timezone.now()
pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def test_a_queue_s_post_is_counted_by_state(queue: Queue) -> None:
    make_action(queue, NOW)
    make_action(queue, NOW, state="dead")
    make_action(queue, NOW, state="cancelled")
    make_action(queue, NOW, state="delivered", delivered_at=NOW)
    make_action(queue, NOW, state="delivered", delivered_at=NOW, result="failed")
    make_action(queue, NOW, state="delivered", delivered_at=NOW, result="done")
    make_action(make_queue(), NOW)
    post = letters.post(queue.pk)
    assert (post.pending, post.dead, post.told_but_not_done, post.nobody_to_tell) == (1, 1, 2, 1)


def test_counts_stop_at_a_bound(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "MOST", 2)
    for _ in range(3):
        make_action(queue, NOW)
    assert letters.post(queue.pk).pending == 2


def test_all_dead_letters_of_a_queue_are_replayed_with_one_event(queue: Queue) -> None:
    dead = [make_action(queue, NOW, state="dead", attempts=10) for _ in range(3)]
    other = make_action(make_queue(), NOW, state="dead")
    manager = make_user("manager", queue)
    ids = sorted(action.pk for action in dead)
    assert letters.replay(queue_id=queue.pk, by=manager, at=NOW) == ids
    assert set(Action.objects.filter(pk__in=ids).values_list("state", "next_at", "attempts")) == {("pending", NOW, 10)}
    event = Event.objects.get(kind=Event.Kind.ACTION_REPLAYED)
    assert (event.actor, orjson.loads(event.entry)) == (manager, {"actions": ids})
    other.refresh_from_db()
    assert other.state == "dead"


def test_replaying_nothing_leaves_no_event(queue: Queue) -> None:
    make_action(queue, NOW)
    assert letters.replay(queue_id=queue.pk, by=None, at=NOW) == []
    assert not Event.objects.filter(chain=queue.pk).exists()


def test_named_actions_are_also_replayed_where_they_were_delivered(queue: Queue) -> None:
    told = make_action(queue, NOW, state="delivered", attempts=1, delivered_at=NOW)
    dead = make_action(queue, NOW, state="dead", attempts=10)
    cancelled = make_action(queue, NOW, state="cancelled")
    foreign = make_action(make_queue(), NOW, state="dead")
    named = [told.pk, cancelled.pk, foreign.pk]
    assert letters.replay(queue_id=queue.pk, by=None, at=NOW, action_ids=named) == [told.pk]
    dead.refresh_from_db()
    assert dead.state == "dead"


def test_what_was_erased_is_not_replayed(queue: Queue) -> None:
    make_action(queue, NOW, state="dead", body=None)
    assert letters.replay(queue_id=queue.pk, by=None, at=NOW) == []


def test_only_those_with_the_right_may_replay(queue: Queue) -> None:
    make_action(queue, NOW, state="dead")
    with pytest.raises(Forbidden):
        letters.replay(queue_id=queue.pk, by=make_user("reviewer", queue), at=NOW)
