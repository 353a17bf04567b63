"""Override history with filters and pages, and the life of an item in order."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from decisions.models import Action, Delivery, Item, Label, Move, Queue, Ruling, Score
from decisions.record import history
from decisions.record.history import Wanted, What, Which
from tests.decisions.record.makers import arrive, decide
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def listed(queue: Queue, **wanted: Any) -> list[str]:
    """Return the external ids of the matching rulings, the newest first."""
    return [row.item.external_id for row in history.page(history.rulings(queue.pk, Wanted(**wanted))).rows]


@pytest.mark.parametrize(
    "wanted",
    [
        {"was": "ham"},
        {"outcome": "spam"},
        {"reason": "content"},
        {"source": "decision"},
        {"purpose": "soft"},
        {"route": "soft"},
        {"model": "external"},
        {"policy": 1},
        {"since": NOON, "until": NOON + timedelta(seconds=1)},
        {"is_simulated": False},
        {"text": "KNOW"},
        {"which": Which.ALL},
    ],
    ids=str,
)
def test_a_filter_keeps_what_matches(queue: Queue, wanted: dict[str, Any]) -> None:
    decide(*arrive(queue, "one"))
    assert listed(queue, **wanted) == ["one"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"was": "spam"},
        {"outcome": "ham"},
        {"reason": "other"},
        {"source": "appeal"},
        {"purpose": "audit"},
        {"route": "hard"},
        {"model": "other"},
        {"policy": 2},
        {"since": NOON + timedelta(seconds=1)},
        {"until": NOON},
        {"is_simulated": True},
        {"text": "nowhere"},
        {"person": 10**9},
        {"which": Which.REVERSALS},
    ],
    ids=str,
)
def test_a_filter_leaves_out_what_does_not(queue: Queue, wanted: dict[str, Any]) -> None:
    decide(*arrive(queue, "one"))
    assert listed(queue, **wanted) == []


def test_simulated_people_can_be_told_apart(queue: Queue) -> None:
    decide(*arrive(queue, "one"), person=make_user("reviewer", queue, kind="simulated"))
    assert (listed(queue, is_simulated=True), listed(queue, is_simulated=False)) == (["one"], [])


def test_another_queues_rulings_stay_out(queue: Queue) -> None:
    decide(*arrive(make_queue(), "one"))
    assert listed(queue) == []


def test_what_agrees_with_the_policy_is_no_override(queue: Queue) -> None:
    first, second = arrive(queue, "one", "two")
    decide(first)
    Ruling.objects.create(
        queue=queue, item=second, no=1, outcome="spam", truth="positive", source="expiry", at=NOON, final_at=NOON
    )
    assert (listed(queue), len(listed(queue, which=Which.ALL))) == (["one"], 2)


def test_pages_follow_each_other_without_gap_or_overlap(queue: Queue) -> None:
    items = arrive(queue, *(f"item-{i}" for i in range(7)))
    for place, item in enumerate(items):
        decide(item, at=NOON + timedelta(seconds=place // 3))  # several at the same time
    query, seen, after = history.rulings(queue.pk, Wanted()), [], None
    for _ in range(3):
        page = history.page(query, after=after, size=3)
        seen += [row.item_id for row in page.rows]
        after = page.after
    assert seen == [item.pk for item in reversed(items)]
    assert after is None


def test_a_page_after_a_row_that_is_not_there_is_empty(queue: Queue) -> None:
    decide(*arrive(queue, "one"))
    assert history.page(history.rulings(queue.pk, Wanted()), after=10**9).rows == []


def test_the_search_in_notes_can_use_its_index(queue: Queue) -> None:
    decide(*arrive(queue, "one"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    # Without the queue, for in a table this small any index of it is as good.
    query = Ruling.objects.filter(history._matching(Wanted(text="know him"), history.OF_RULINGS))
    assert "ruling_note" in query.explain()
    assert query.count() == 1


def test_decisions_are_listed_by_what_was_suggested(queue: Queue) -> None:
    decide(*arrive(queue, "one"))
    assert [row.outcome for row in history.decisions(queue.pk, Wanted(was=""))] == ["spam"]
    assert not history.decisions(queue.pk, Wanted(was="ham")).exists()


def test_the_life_of_an_item_is_told_in_order(queue: Queue, django_assert_max_num_queries: Any) -> None:
    (item,) = arrive(queue, "one")
    ruling = decide(item)
    live_on(item, ruling)
    with django_assert_max_num_queries(14):
        steps = history.life(Item.objects.select_related("intake__sender").get(pk=item.pk))
    assert [step.what for step in steps] == [
        What.ARRIVED,
        What.ROUTED,
        What.MOVED,
        What.DECIDED,
        What.RULED,
        What.NOTED,
        What.TOLD,
        What.DELIVERED,
        What.ANSWERED,
        What.SCORED,
        What.LABELLED,
    ]
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[3].person == ruling.person
    assert {str(step.what.label) for step in steps} >= {"Arrived", "Decided", "Labelled"}


def live_on(item: Item, ruling: Ruling) -> None:
    """Let an action be delivered and answered, a late score come and the label be fed."""
    at = [NOON + timedelta(seconds=seconds) for seconds in range(1, 6)]
    common = {"queue": item.queue, "item": item, "ruling": ruling}
    action = Action.objects.create(
        name="flag", body=b"{}", due_at=at[0], next_at=at[0], created_at=at[0], result="done", result_at=at[2], **common
    )
    Delivery.objects.create(action=action, attempt=1, status=200, seconds=0.1, at=at[1])
    assert item.model is not None
    Score.objects.create(item=item, model=item.model, score=0.4, p=0.4, at=at[3])
    Label.objects.create(no=1, value=1, outcome="spam", provenance="soft", ruled_at=NOON, at=at[4], **common)
    assert Move.objects.filter(task__item=item).count() == 1
