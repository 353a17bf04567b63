"""The ladder in figures, from real calls on a real model: each rung broken in turn, nothing lost, each break told."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from decisions.intake import ladder as rungs
from decisions.intake import parse, submit
from decisions.learning import registry, training
from decisions.learning.shelf import Shelf
from decisions.measure import counts, ladder, rollups
from decisions.measure.ladder import Ladder
from decisions.models import Intake, Item, ModelVersion, Queue, Task
from decisions.queues import live
from decisions.queues.spec import Heuristic, ModelSpec
from tests.decisions.learning.test_training import examples
from tests.factories import NOON, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def queue() -> Queue:
    """A queue with a trained model, a simpler one and a rule."""
    model = ModelSpec(pipeline="boosting", label="spam", positive="1")
    made = make_queue(model=model, heuristics=(Heuristic("words", ">=", 100, 0.4),))
    Queue.objects.filter(pk=made.pk).update(created_at=NOON - timedelta(days=3))
    main = training.train(queue=made, examples=examples(), in_time=False, by=None, at=NOON)
    make_policy(made, "live", model=main, hard=0.9)
    return made


def send(queue: Queue, at: datetime, *items: dict[str, Any]) -> None:
    lines = [orjson.dumps({"external_id": f"{at.isoformat()}-{i}", **item}) for i, item in enumerate(items)]
    batch = submit.many(
        queue=live.of(queue.slug), lines=parse.many(b"\n".join(lines)), sender=make_user(), at=at, with_results=False
    )
    assert (batch.accepted, batch.rejected) == (len(items), 0)


def words(count: int) -> dict[str, Any]:
    return {"payload": {"text": "hello", "words": count, "kind": "mail"}}


def damage(queue: Queue, kind: str) -> None:
    """Change the file of the queue's model of a kind, as a bad disk would."""
    path = registry.folder() / ModelVersion.objects.get(queue=queue, kind=kind).file
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def told(queue: Queue, at: datetime) -> Ladder:
    rollups.roll_up(at)
    return ladder.of(live.of(queue.slug), at)


def scored_by(queue: Queue) -> list[tuple[str, str, list[str]]]:
    return list(Item.objects.filter(queue=queue).order_by("pk").values_list("rung", "reason", "failures"))


def test_each_rung_is_counted_where_the_one_above_is_broken(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    send(queue, NOON, words(1), words(200))
    for hour, kind in ((1, "pipeline"), (2, "simpler")):
        damage(queue, kind)
        monkeypatch.setattr(registry, "_shelf", Shelf())  # as in a process that starts now
        send(queue, NOON + hour * HOUR, words(2 * hour), words(200 + hour))
    found = told(queue, NOON + 3 * HOUR)
    seen = [{rung: n for rung, n in span.rungs.items() if n} for span in found.hours if span.total]
    assert seen == [{"model": 2}, {"simpler": 2}, {"heuristic": 1, "people": 1}]
    assert Item.objects.filter(queue=queue).count() == 6


def test_a_damaged_file_loses_no_item_and_stays_out_of_the_model_s_figures(queue: Queue) -> None:
    damage(queue, "pipeline")
    send(queue, NOON, words(1), words(200))
    assert scored_by(queue) == [("simpler", "fallback", ["model:refused"])] * 2
    assert Task.objects.filter(queue=queue, state="waiting").count() == 2
    assert set(Item.objects.filter(queue=queue).values_list("route", "propensity")) == {("soft", 1.0)}
    rollups.roll_up(NOON + HOUR)
    bands = counts.bands(queue.pk, NOON - HOUR, NOON + HOUR)
    assert (bands.count(is_model=True), bands.count(is_model=False)) == (0, 2)


def test_with_both_models_damaged_the_rule_scores_and_people_take_the_rest(queue: Queue) -> None:
    damage(queue, "pipeline")
    damage(queue, "simpler")
    send(queue, NOON, words(1), words(200))
    codes = ["model:refused", "simpler:refused"]
    assert scored_by(queue) == [("people", "fallback", codes), ("heuristic", "fallback", codes)]
    found = told(queue, NOON + HOUR / 2)
    assert [(one.code, one.day, one.month, one.last_hour) for one in found.failures] == [
        ("model:refused", 2, 2, NOON),
        ("simpler:refused", 2, 2, NOON),
    ]
    assert {one.item for one in found.failures} <= set(Item.objects.values_list("pk", flat=True))
    assert (found.hours[-1].below, found.hours[-1].total) == (2, 2)


def test_a_failed_check_is_told_beside_the_rung_that_scored(queue: Queue) -> None:
    send(queue, NOON, {"payload": {"text": "hello", "words": -5, "kind": "mail"}})
    found = told(queue, NOON + HOUR / 2)
    assert [(one.code, one.day) for one in found.failures] == [("range:words", 1)]
    assert found.hours[-1].rungs["people"] == 1


def test_remembered_scores_are_counted_with_their_call(queue: Queue) -> None:
    send(queue, NOON, words(1), words(2))
    send(queue, NOON + HOUR, words(2), words(3), words(1))
    assert [row.counts["remembered"] for row in Intake.objects.order_by("pk")] == [0, 2]
    found = told(queue, NOON + HOUR * 1.5)
    assert [span.remembered for span in found.hours][-2:] == [0, 2]
    assert sum(span.remembered for span in found.days) == 2
    assert rungs._kept.hits == 2


def test_what_is_older_than_a_day_counts_by_the_day_only(queue: Queue) -> None:
    send(queue, NOON, words(1))
    later = NOON + timedelta(days=2)
    found = told(queue, later)
    assert sum(span.total for span in found.hours) == 0
    assert [span.total for span in found.days][-3:] == [1, 0, 0]
    assert len(found.days) == ladder.DAYS
    assert len(found.hours) == ladder.HOURS


def test_days_are_those_of_the_queue_s_zone_also_where_the_clock_changes() -> None:
    queue = make_queue(timezone="Europe/Madrid")
    at = datetime(2026, 3, 30, 10, tzinfo=NOON.tzinfo)  # the day after the change
    found = told(queue, at)
    assert len({span.at for span in found.days}) == ladder.DAYS
    assert {span.at.astimezone(queue.spec.zone).hour for span in found.days} == {0}


def test_it_says_what_stands_ready(queue: Queue) -> None:
    found = told(queue, NOON)
    assert found.model is not None
    assert found.simpler == ModelVersion.objects.get(queue=queue, kind="simpler")
    assert (found.model.kind, found.rules) == ("pipeline", 1)
    bare = told(make_queue(), NOON)
    assert (bare.simpler, bare.rules, bare.failures) == (None, 0, [])


def test_the_last_hours_are_told_to_metrics(queue: Queue) -> None:
    send(queue, NOON, words(1), words(2))
    rollups.roll_up(NOON + HOUR / 2)
    assert ladder.last_hour(queue.pk, NOON + HOUR / 2)["model"] == 2
    assert ladder.last_hour(queue.pk, NOON + 5 * HOUR)["model"] == 0
