"""What the application itself writes holds down to its rows: each event's digests are those of the stored rows."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from decisions.intake import parse, submit
from decisions.learning import labels
from decisions.models import Event, Item, ModelVersion, Policy, Queue, QueueVersion, Task
from decisions.queues import live
from decisions.record import deep, digest, erase, log, proof
from decisions.routing import publish
from decisions.work import claim, decide, rule, sweep
from decisions.work.answer import Answer
from tests.factories import NOON, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
SPAM = Answer("spam", "other", "I know him")


def take(queue: Queue, *items: dict[str, Any]) -> None:
    body = b"\n".join(orjson.dumps({"payload": {"text": "hello", "words": 1}, **item}) for item in items)
    submit.many(queue=live.of(queue.slug), lines=parse.many(body), sender=make_user(), at=log.now())


def test_the_whole_way_of_items_verifies() -> None:
    queue = make_queue(expire_to="ham")
    lead = make_user("lead", queue)
    items = [{"external_id": f"item-{place}", "score": 0.6, "value": place, "subject": "Bob"} for place in range(5)]
    take(queue, *items, {"external_id": "hard", "score": 1}, {"external_id": "pass", "score": 0, "segment": "ñandú ☃"})
    take(queue, {"external_id": "one", "score": 0.6, "value": 3, "occurred_at": "2026-03-01T10:00:00+02:00"})
    decided = [answer(queue, lead) for _ in range(3)]
    rule.undo(decision_id=decided[2], person=lead)
    rule.override(item_id=Item.objects.get(external_id="pass").pk, person=lead, answer=SPAM)
    manager = make_user("manager", queue)
    draft = publish.draft(queue=queue, changes={"hard": 1, "soft": 0.25}, by=manager, why="fewer", at=log.now())
    second = make_user("manager", queue)
    publish.approve(policy=draft, by=second, why="agreed", at=log.now())
    publish.canary(policy=draft, share=0.1, by=manager, why="carefully", at=log.now())
    publish.stop(policy=draft, by=second, why="in a hurry", at=log.now())
    publish.publish(policy=draft, by=manager, why="agreed", at=log.now())
    publish.roll_back(queue=queue, by=second, why="too many", at=log.now())
    later = log.now() + timedelta(days=3)
    sweep.lapse(later)
    sweep.expire(later)
    labels.feed_due(later)
    erase.erase(
        item_id=Item.objects.get(external_id="pass").pk, by=make_user("admin"), why="asked", legal_basis="law", at=later
    )
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds >= {"items.arrived", "decision.made", "decision.undone", "item.overridden", "policy.published"}
    assert kinds >= {"task.expired", "labels.fed", "item.erased"}
    assert proof.verify().bad == ()
    assert list(deep.verify()) == []


def answer(queue: Queue, person: Any) -> int:
    """Claim and decide the next task; return the decision's id."""
    (task,) = claim.next_tasks(queue_id=queue.pk, person=person)
    return decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM).pk


@pytest.mark.parametrize(
    "value",
    [1e20, 2**60, 1.0, -0.0, 1e-9, 0.1 + 0.2, 10**15, {"b": [1.0, None], "a": {"": True}}, "ñ\u2028"],
    ids=str,
)
def test_json_has_one_digest_before_and_after_it_was_stored(value: Any) -> None:
    queue = make_queue()
    made = QueueVersion.objects.create(queue=queue, no=2, content={"value": value}, created_at=NOON)
    assert digest.of_row(made) == digest.of_row(QueueVersion.objects.get(pk=made.pk))


def test_numbers_and_times_have_one_digest_whatever_form_they_came_in() -> None:
    queue = make_queue()
    zoned = datetime(2026, 3, 2, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    made = ModelVersion.objects.create(
        queue=queue, name="m", kind="external", score_low=0, score_high=10, app_version="1", created_at=zoned
    )
    assert digest.of_row(made) == digest.of_row(ModelVersion.objects.get(pk=made.pk))
    assert digest.moment(zoned) == digest.moment(zoned.astimezone(UTC)) == "2026-03-02T12:00:00.000005Z"


def test_an_event_verifies_whatever_zone_its_time_came_in() -> None:
    zoned = NOON.astimezone(timezone(timedelta(hours=-5)))
    log.append(Event.Kind.PERSON_MADE, chain=Event.SITE, actor=None, at=zoned)
    assert proof.verify().bad == ()


def test_what_may_change_is_not_part_of_a_digest() -> None:
    queue = make_queue()
    policy = Policy.objects.get(queue=queue)
    before = digest.of_row(policy)
    policy.state, policy.retired_at = Policy.State.RETIRED, NOON
    assert digest.of_row(policy) == before
    policy.hard = 0.95
    assert digest.of_row(policy) != before


def test_rows_that_change_all_the_time_may_be_spoken_of() -> None:
    task = make_task(make_queue())
    log.append(Event.Kind.ITEM_ESCALATED, chain=task.queue_id, actor=None, at=NOON, rows=(task,))
    Task.objects.filter(pk=task.pk).update(skips=3)
    assert "decisions_task" not in {bad.table for bad in deep.verify()}


def test_numbers_are_kept_in_little_room() -> None:
    numbers = deep.Numbers()
    for number in (0, 7, 65_535, 65_536, 10**12):
        numbers.add(number)
    assert all(number in numbers for number in (0, 7, 65_535, 65_536, 10**12))
    assert not any(number in numbers for number in (1, 8, 65_537, 10**12 + 1, 10**13))
