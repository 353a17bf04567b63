"""Items arrive: what is stored, what comes back, and what a second time does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
import pytest

from decisions.exceptions import Erased, Invalid, OtherContent
from decisions.intake import parse, submit
from decisions.intake.submit import Batch
from decisions.models import Action, Body, Event, Intake, Item, ModelVersion, Move, Queue, Score, Task, User
from decisions.queues import live
from decisions.queues.spec import Crowd, Need, Order, PolicySpec, Remedy, Routes
from decisions.queues.spec_time import Calendar, Deadlines
from decisions.record import digest, erase
from decisions.routing import sampling
from tests.factories import NOON, make_queue, make_spec, make_user

pytestmark = pytest.mark.django_db


def sent(name: str, **fields: Any) -> dict[str, Any]:
    return {"external_id": name, "payload": {"text": "hello", "words": 1, "kind": "mail"}, **fields}


def take(queue: Queue, *items: dict[str, Any], sender: User | None = None) -> Batch:
    body = b"\n".join(orjson.dumps(item) for item in items)
    return submit.many(queue=live.of(queue.slug), lines=parse.many(body), sender=sender or make_user(), at=NOON)


def take_one(queue: Queue, item: dict[str, Any]) -> dict[str, Any]:
    row = parse.one(orjson.dumps(item))
    return submit.one(queue=live.of(queue.slug), row=row, sender=make_user(), at=NOON)


def test_a_soft_item_leaves_item_body_task_move_action_intake_and_event() -> None:
    queue = make_queue()
    result = take_one(queue, sent("a", score=0.6, subject="Bob", segment="north", value=3, source="demo"))
    item = Item.objects.get()
    assert result == {
        "id": item.pk,
        "external_id": "a",
        "route": "soft",
        "band": "soft",
        "reason": "score",
        "score": 0.6,
        "policy_version": 1,
        "model_version": "external",
        "propensity": 1.0,
        "duplicate": False,
    }
    assert (item.p, item.q, item.rung, item.u_secret, item.segment, item.value) == (0.6, None, "sent", 1, "north", 3.0)
    assert item.subject == digest.subject_key(queue.pk, "Bob")
    body = Body.objects.get()
    assert orjson.loads(body.content or "")["subject"] == "Bob"
    assert digest.commitment(bytes(body.salt or b""), (body.content or "").encode()) == bytes(item.body_digest)
    task = Task.objects.get()
    assert (task.item_id, task.purpose, task.state, task.is_demo, task.value) == (item.pk, "soft", "waiting", True, 3.0)
    assert (task.opened_at, task.due_at) == (NOON, NOON + timedelta(hours=24))
    assert Move.objects.get().task_id == task.pk
    action = Action.objects.get()
    assert (action.name, action.item_id, action.due_at, action.state) == ("flag", item.pk, NOON, "pending")
    assert orjson.loads(action.body or b"")["data"]["action"]["id"] == action.pk
    intake = Intake.objects.get()
    assert (intake.accepted, intake.duplicates, intake.rejected, item.intake_id) == (1, 0, 0, intake.pk)
    assert bytes(intake.digests) == digest.of_row(item)[:8]
    assert intake.counts["rungs"] == {"sent": 1}
    event = Event.objects.get()
    assert (event.kind, event.chain) == ("items.arrived", queue.pk)
    assert orjson.loads(event.entry)["rows"] == [["intake", intake.pk, digest.of_row(intake).hex()]]


@pytest.mark.parametrize("count", [3, 300])  # a few go by VALUES, many by COPY
def test_many_items_are_stored_as_they_were_sent(count: int) -> None:
    queue = make_queue(routes=Routes("spam", "ham", "quarantine", "flag", "deliver"))
    texts = ["plain", 'quote " and \\ backslash', "tab\tnew\nline\rreturn", "é中🙂", "\\N", "{}"]
    items = [
        sent(
            f"{texts[i % 6]}-{i}"[:200], score=i / count, payload={"text": texts[i % 6], "words": i, "more": {"a": [1]}}
        )
        | ({"occurred_at": "2026-03-01T13:00:00+01:00", "source": texts[i % 6]} if i % 2 else {})
        for i in range(count)
    ]
    batch = take(queue, *items)
    assert (batch.accepted, batch.duplicates, batch.rejected) == (count, 0, 0)
    assert [result["external_id"] for result in batch.results] == [item["external_id"] for item in items]
    stored = {item.external_id: item for item in Item.objects.select_related("body")}
    for item in items:
        row = stored[item["external_id"]]
        content = orjson.loads(row.body.content or "")
        assert content == {k: v for k, v in item.items() if k not in ("external_id", "score")}
        assert row.source == item.get("source", "")
    intake = Intake.objects.get()
    in_order = sorted(stored)
    assert bytes(intake.digests) == b"".join(digest.of_row(stored[name])[:8] for name in in_order)
    assert digest.of_row(intake).hex() in Event.objects.get().entry
    assert Body.objects.count() == Action.objects.count() == count
    assert Task.objects.count() == Move.objects.count() == batch.routes["soft"]
    assert sum(batch.routes.values()) == count


def test_the_same_again_is_a_duplicate_with_its_first_route_and_leaves_nothing() -> None:
    queue = make_queue()
    first = take_one(queue, sent("a", score=0.95))
    again = take_one(queue, sent("a", score=0.1))
    assert again == {**first, "duplicate": True}
    assert Intake.objects.count() == Event.objects.count() == Item.objects.count() == 1


def test_other_content_under_a_known_id_is_refused() -> None:
    queue = make_queue()
    take_one(queue, sent("a"))
    with pytest.raises(OtherContent):
        take_one(queue, sent("a", value=1))
    batch = take(queue, sent("b"), sent("a", payload={"text": "other"}))
    assert [(e["line"], e["external_id"], e["code"]) for e in batch.errors] == [(2, "a", "other_content")]
    assert (batch.accepted, batch.rejected) == (1, 1)


def test_twice_in_one_batch_the_first_wins() -> None:
    queue = make_queue()
    batch = take(queue, sent("a", value=1), sent("b"), sent("a", value=1), sent("a", value=2))
    assert (batch.accepted, batch.duplicates, batch.rejected) == (2, 1, 1)
    assert [(r["external_id"], r["duplicate"]) for r in batch.results] == [("a", False), ("b", False), ("a", True)]
    assert batch.errors[0]["line"] == 4


def test_a_first_line_that_is_refused_leaves_the_id_to_the_next() -> None:
    queue = make_queue()
    batch = take(queue, {"external_id": "a"}, sent("a"))
    assert (batch.accepted, batch.rejected) == (1, 1)


def test_a_late_score_of_another_model_is_a_challenger() -> None:
    queue = make_queue()
    take_one(queue, sent("a"))  # nothing scored it
    result = take_one(queue, sent("a", score=0.97))
    assert (result["route"], result["score"], result["duplicate"]) == ("soft", None, True)
    score = Score.objects.get()
    assert (score.score, score.model.name) == (0.97, "external")
    take_one(queue, sent("a", score=0.5))  # one a model: the first one stays
    assert Score.objects.get().score == 0.97
    assert Event.objects.count() == Intake.objects.count() == 2


def test_a_score_of_another_model_in_the_same_call_is_known_at_routing() -> None:
    queue = make_queue()
    other = ModelVersion.objects.create(
        queue=queue, name="other", kind="external", score_high=10.0, app_version="t", created_at=NOON
    )
    lines = [sent("a", score=0.02), sent("a", score=4.0, model="other"), sent("a", score=8.0, model="other")]
    batch = take(queue, *lines, sent("b", score=0.02), sent("b", payload={"words": 2}, score=9.0, model="other"))
    assert (batch.accepted, batch.duplicates, batch.rejected) == (2, 2, 1)
    item, bare = Item.objects.get(external_id="a"), Item.objects.get(external_id="b")
    assert (item.p, item.p_other, bare.p_other) == (0.02, 0.4, None)  # other content says nothing of an item
    assert item.q == sampling.q(np.array([(0.02 + 0.4) / 2]), 0.0)[0]
    assert list(Score.objects.values_list("model", "p", "was_known")) == [(other.pk, 0.4, True)]
    take(queue, sent("b", score=5.0, model="other"))
    late = Score.objects.get(item=bare)
    bare.refresh_from_db()
    assert (late.was_known, bare.p_other) == (False, None)


def test_the_digest_of_a_call_covers_what_sizes_were_made_from() -> None:
    queue = make_queue()
    ModelVersion.objects.create(queue=queue, name="other", kind="external", app_version="t", created_at=NOON)
    amount = {"text": "x", "amount": 5}
    take(queue, sent("a", score=0.02, payload=amount), sent("a", score=0.4, model="other", payload=amount), sent("b"))
    items = Item.objects.order_by("external_id")
    assert [item.harm for item in items] == [3.5, None]
    digests = b"".join(digest.of_row(item)[:8] for item in items)
    assert bytes(Intake.objects.get().digests) == digests


def test_the_score_of_a_model_that_is_not_pinned_goes_to_people_and_is_kept() -> None:
    queue = make_queue()
    other = ModelVersion.objects.create(queue=queue, name="other", kind="external", app_version="t", created_at=NOON)
    result = take_one(queue, sent("a", score=0.99, model="other"))
    assert (result["route"], result["reason"], result["score"]) == ("soft", "output_check", None)
    assert Item.objects.get().failures == ["output:model"]
    assert Score.objects.get().model == other


def test_what_the_sender_must_mend_is_refused_with_its_fields() -> None:
    spec = make_spec()
    fields = tuple(
        replace(f, if_missing=Remedy.ASK, if_invalid=Remedy.ASK) if f.name == "amount" else f for f in spec.fields
    )
    queue = make_queue(fields=fields)
    with pytest.raises(Invalid) as refused:
        take_one(queue, sent("a"))
    assert [(f.field, f.code) for f in refused.value.faults] == [("payload.amount", "missing")]
    batch = take(queue, sent("a"), sent("b", payload={"amount": 5}), sent("c", payload={"amount": -5}))
    assert [(e["line"], e["code"]) for e in batch.errors] == [(1, "missing"), (3, "range")]
    assert batch.accepted == 1


@pytest.mark.parametrize(
    ("payload", "failure"),
    [
        ({"words": "many"}, "type:words"),
        ({"words": -1}, "range:words"),
        ({"kind": "letter"}, "unseen:kind"),
    ],
)
def test_a_failed_input_check_goes_to_people_even_with_a_score(payload: dict[str, Any], failure: str) -> None:
    queue = make_queue()
    result = take_one(queue, sent("a", payload=payload, score=0.99))
    assert (result["route"], result["band"], result["reason"]) == ("soft", "none", "input_check")
    assert Item.objects.get().failures == [failure]
    assert Score.objects.get().score == 0.99  # what came is kept as a challenger's


def test_a_control_item_goes_to_the_front_and_causes_no_hard_action() -> None:
    queue = make_queue(policy=PolicySpec(0.9, 0.3, 0.5, 1.0, "all"))
    result = take_one(queue, sent("a", score=0.95))
    assert (result["band"], result["route"], result["reason"], result["propensity"]) == ("hard", "soft", "control", 1.0)
    task = Task.objects.get()
    assert (task.purpose, task.due_step) == ("control", NOON)
    assert Action.objects.get().name == "flag"


def test_deadlines_count_opening_hours_and_are_each_purposes_own() -> None:
    calendar = Calendar(fri=("09:00-17:00",), sat=("10:00-14:00",))
    deadlines = Deadlines(control=timedelta(hours=8))
    queue = make_queue(
        policy=PolicySpec(0.9, 0.3, 0.5, 1.0, "all"), sla=timedelta(hours=5), calendar=calendar, deadlines=deadlines
    )
    take(queue, sent("soft", score=0.6), sent("control", score=0.95))
    due = dict(Task.objects.values_list("purpose", "due_at"))
    opening = NOON.replace(hour=9) + timedelta(days=(4 - NOON.weekday()) % 7)  # the next Friday, or today
    assert NOON.weekday() != 4
    assert due == {"soft": opening + timedelta(hours=5), "control": opening + timedelta(hours=8)}


def test_a_pass_stores_u_and_q_and_no_propensity() -> None:
    queue = make_queue()
    result = take_one(queue, sent("a", score=0.1))
    item = Item.objects.get()
    assert (result["route"], result["propensity"], item.propensity) == ("pass", None, None)
    assert item.q is not None
    assert 0 < item.q <= 1
    assert 0 <= item.u < 1
    assert not Task.objects.exists()
    assert not Action.objects.exists()


@pytest.mark.parametrize(("order", "priority"), [(Order.ARRIVAL, 0.0), (Order.SCORE, -0.6), (Order.VALUE, -0.6 * 50)])
def test_a_task_has_the_place_its_spec_asks_for(order: Order, priority: float) -> None:
    queue = make_queue(order=order)
    take_one(queue, sent("a", score=0.6, payload={"amount": 50}))
    assert Task.objects.get().priority == pytest.approx(priority)


def test_an_erased_item_cannot_be_compared() -> None:
    queue = make_queue()
    item_id = take_one(queue, sent("a"))["id"]
    by = make_user("admin", queue)
    erase.erase(item_id=item_id, by=by, why="asked", legal_basis="gdpr17", at=NOON)
    with pytest.raises(Erased):
        take_one(queue, sent("a"))
    assert take(queue, sent("a"), sent("b")).errors[0]["code"] == "erased"


def test_a_paused_queue_still_takes_items() -> None:
    queue = make_queue()
    Queue.objects.filter(pk=queue.pk).update(is_paused=True)
    assert take_one(queue, sent("a"))["duplicate"] is False


def test_a_task_carries_what_its_item_asks_of_people_and_the_rank_that_the_spec_gives_it() -> None:
    queue = make_queue(
        needs=(Need(field="kind", values=("chat",)), Need(skill="law")),
        sensitive=(Need(field="text", values=("gore",)),),
        crowd=Crowd(("soft",), 5.0),
    )
    payload = {"text": "gore", "words": 1, "kind": "chat"}
    take(queue, sent("a", score=0.6, value=5), sent("b", score=0.6, payload=payload), sent("c", score=0.1))
    tasks = Task.objects.order_by("item__external_id").values_list("needs", "rank")
    assert list(tasks) == [("law", Task.Rank.CROWD), ("!text=gore\nkind=chat\nlaw", Task.Rank.REVIEWER)]
