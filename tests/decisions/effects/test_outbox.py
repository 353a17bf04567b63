"""Actions: planned with what causes them, withdrawn and superseded while nobody was told."""

from datetime import timedelta

import orjson
import pytest

from decisions.effects import deliver, outbox
from decisions.models import Action, Item, Ruling
from tests.decisions.effects.world import make_action, make_ruling
from tests.factories import NOON, make_item, make_queue

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> Item:
    return make_item(make_queue())


def state(action: Action) -> str:
    action.refresh_from_db()
    return action.state


def test_allocated_ids_are_fresh_and_rows_made_later_do_not_meet_them(item: Item) -> None:
    ids = outbox.allocate(3)
    assert len(set(ids)) == 3
    made = Action.objects.create(
        queue=item.queue, item=item, name="flag", body=b"{}", due_at=NOON, next_at=NOON, created_at=NOON
    )
    assert made.pk not in ids


def test_a_planned_action_is_due_when_the_undo_window_ends_and_tells_of_its_ruling(item: Item) -> None:
    ruling = make_ruling(item, NOON)
    action = outbox.plan(ruling=ruling, outcome_action="quarantine")
    assert action is not None
    assert (action.due_at, action.next_at, action.state) == (ruling.final_at, ruling.final_at, "pending")
    assert orjson.loads(bytes(action.body or b"")) == {
        "type": "action.quarantine",
        "timestamp": "2026-03-02T12:00:00Z",
        "data": {
            "action": {"id": action.pk, "name": "quarantine"},
            "queue": item.queue.slug,
            "item": {"id": item.pk, "external_id": item.external_id},
            "outcome": "spam",
            "cause": "decision",
            "ruling": ruling.pk,
            "ruling_no": 1,
        },
    }


def test_an_outcome_without_an_action_plans_none(item: Item) -> None:
    assert outbox.plan(ruling=make_ruling(item, NOON), outcome_action="") is None
    assert not Action.objects.exists()


def test_an_action_can_be_withdrawn_until_it_is_due(item: Item) -> None:
    ruling = make_ruling(item, NOON)
    action = outbox.plan(ruling=ruling, outcome_action="quarantine")
    assert action is not None
    assert not outbox.withdraw(ruling, ruling.final_at)
    assert state(action) == "pending"
    assert outbox.withdraw(ruling, ruling.final_at - SECOND)
    assert state(action) == "cancelled"


def test_an_action_that_a_sender_has_taken_cannot_be_withdrawn_even_by_a_clock_that_is_behind(item: Item) -> None:
    ruling = make_ruling(item, NOON)
    action = outbox.plan(ruling=ruling, outcome_action="quarantine")
    assert action is not None
    assert [one.id for one in deliver.take({item.queue_id: 5}, ruling.final_at)] == [action.pk]
    assert not outbox.withdraw(ruling, NOON)
    assert state(action) == "pending"


def test_a_ruling_without_an_action_can_be_withdrawn(item: Item) -> None:
    assert outbox.withdraw(make_ruling(item, NOON), NOON)


def test_superseding_cancels_what_was_not_told_and_only_that(item: Item) -> None:
    told = make_action(item.queue, NOON, item, state="delivered", attempts=1, delivered_at=NOON)
    waiting = make_action(item.queue, NOON, item)
    trying = make_action(item.queue, NOON, item, attempts=3)
    other = make_action(item.queue, NOON)
    assert outbox.supersede(item=item) == [waiting.pk, trying.pk]
    assert [state(one) for one in (told, waiting, trying, other)] == ["delivered", "cancelled", "cancelled", "pending"]


def test_withdrawing_lets_go_on_what_the_ruling_had_superseded(item: Item) -> None:
    """A hard action waits, is overridden, and the override is undone: the machine's action goes out after all."""
    hard = make_action(item.queue, NOON, item)
    ruling = make_ruling(item, NOON, source=Ruling.Source.OVERRIDE)
    outbox.supersede(item=item)
    own = outbox.plan(ruling=ruling, outcome_action="deliver")
    assert own is not None
    assert outbox.withdraw(ruling, NOON + SECOND)
    assert (state(hard), state(own)) == ("pending", "cancelled")
    assert hard.next_at == NOON + SECOND


def test_what_was_superseded_waits_on_for_its_own_window(item: Item) -> None:
    first = make_ruling(item, NOON)
    action = outbox.plan(ruling=first, outcome_action="quarantine")
    second = make_ruling(item, NOON + SECOND, source=Ruling.Source.OVERRIDE)
    outbox.supersede(item=item)
    outbox.plan(ruling=second, outcome_action="deliver")
    assert outbox.withdraw(second, NOON + 2 * SECOND)
    assert action is not None
    assert state(action) == "pending"
    assert action.next_at == first.final_at


def test_an_undo_is_looked_through_when_asking_what_held_before(item: Item) -> None:
    hard = make_action(item.queue, NOON, item)
    for number in range(2):
        at = NOON + number * SECOND
        ruling = make_ruling(item, at, source=Ruling.Source.OVERRIDE)
        outbox.supersede(item=item)
        assert state(hard) == "cancelled"
        assert outbox.withdraw(ruling, at)
        assert state(hard) == "pending"
        make_ruling(item, at, source=Ruling.Source.UNDO, outcome="", truth="none")


def test_what_was_erased_meanwhile_is_not_let_go_on(item: Item) -> None:
    erased = make_action(item.queue, NOON, item, body=None, state="cancelled")
    assert outbox.withdraw(make_ruling(item, NOON, source=Ruling.Source.OVERRIDE), NOON)
    assert state(erased) == "cancelled"
