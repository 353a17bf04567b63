"""Gold items in the API: marked, retired, listed for those who mark them, and told to nobody else."""

from typing import Any

import pytest

from decisions.models import Event, Gold, Queue, Task
from tests.decisions.work.makers import answered, decided_item, desk, gold_item, passed_item
from tests.factories import make_queue, make_task
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db


def lead_of(queue: Queue, *scopes: str) -> Caller:
    return caller("lead", queue, *scopes)


def test_marking_says_what_it_is_and_is_listed() -> None:
    queue = make_queue()
    lead, item = lead_of(queue), decided_item(queue)
    answer = lead.post(f"items/{item.pk}/gold/", {"outcome": "ham", "reason": "outside"})
    assert answer.status_code == 201
    told: dict[str, Any] = answer.json()
    assert (told["no"], told["outcome"], told["truth"], told["reason"]) == (1, "ham", "negative", "outside")
    assert (told["external_id"], told["person"]) == (item.external_id, lead.user.pk)
    assert lead.get(f"queues/{queue.slug}/gold/").json()["results"] == [told]


def test_retired_gold_is_listed_no_more() -> None:
    queue = make_queue()
    lead, item = lead_of(queue), gold_item(queue)
    gold_item(make_queue())
    answer = lead.post(f"items/{item.pk}/gold/retire/", {"reason": "wrong"})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["truth"]) == (201, "", "none")
    assert lead.get(f"queues/{queue.slug}/gold/").json()["results"] == []
    again = lead.post(f"items/{item.pk}/gold/retire/", {"reason": "wrong"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_the_list_comes_in_pages_newest_first() -> None:
    queue = make_queue()
    items = [gold_item(queue) for _ in range(3)]
    lead = lead_of(queue)
    first = lead.get(f"queues/{queue.slug}/gold/?limit=2").json()
    assert [row["item"] for row in first["results"]] == [items[2].pk, items[1].pk]
    rest = lead.get(first["next"].partition("/api/v1/")[2]).json()
    assert [row["item"] for row in rest["results"]] == [items[0].pk]


def test_the_same_call_again_marks_once() -> None:
    queue = make_queue()
    lead, item = lead_of(queue), decided_item(queue)
    said = {"outcome": "spam", "reason": "clear"}
    answers = [lead.post(f"items/{item.pk}/gold/", said, **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Gold.objects.count() == Event.objects.filter(kind="gold.marked").count() == 1


# what is sent, and the answer
@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({"outcome": "eggs", "reason": "clear"}, 400, "outcome"),
        ({"outcome": "unclear", "reason": "clear"}, 400, "outcome"),
        ({"outcome": "spam", "reason": "mood"}, 400, "reason"),
        ({"outcome": "spam"}, 400, "reason"),
        ({"outcome": "spam", "reason": "clear", "note": "x"}, 400, "note"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(said: dict[str, str], status: int, field: str) -> None:
    queue = make_queue()
    answer = lead_of(queue).post(f"items/{decided_item(queue).pk}/gold/", said)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (status, [field])
    assert not Gold.objects.exists()


def test_what_still_waits_is_no_gold() -> None:
    queue = make_queue()
    item = make_task(queue).item
    answer = lead_of(queue).post(f"items/{item.pk}/gold/", {"outcome": "spam", "reason": "clear"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_token_to_read_marks_nothing_and_one_of_another_queue_finds_nothing() -> None:
    queue = make_queue()
    item = decided_item(queue)
    said = {"outcome": "spam", "reason": "clear"}
    assert lead_of(queue, "read").post(f"items/{item.pk}/gold/", said).status_code == 403
    elsewhere = lead_of(queue)
    elsewhere.token.queues.add(make_queue())
    assert elsewhere.post(f"items/{item.pk}/gold/", said).status_code == 404
    assert elsewhere.post(f"items/{item.pk}/gold/retire/", {"reason": "known"}).status_code == 404


@pytest.mark.parametrize(("role", "told"), [("reviewer", False), ("manager", False), ("lead", True), ("auditor", True)])
def test_lists_tell_which_answers_were_to_gold_only_to_who_may_know(role: str, told: bool) -> None:
    queue, person = desk()
    make_task(queue, passed_item(queue), purpose=Task.Purpose.GOLD, only_for=person)
    answered(person, queue)
    reader = caller(user=person) if role == "reviewer" else caller(role, queue)
    rows = reader.get(f"decisions/?queue={queue.slug}").json()["results"]
    assert [row["purpose"] for row in rows] == ["gold" if told else "review"]
    narrowed = reader.get(f"decisions/?queue={queue.slug}&purpose=gold").json()["results"]
    assert len(narrowed) == told
    assert len(reader.get(f"decisions/?queue={queue.slug}&purpose=soft").json()["results"]) == 0
