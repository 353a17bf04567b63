"""Models in shadow: who starts and stops them, what they score, that nothing is skipped, and when they are given up."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.intake import ladder
from decisions.learning import registry, shadow_scores, shadows
from decisions.learning.seal import ModelFileRefused
from decisions.learning.shelf import Shelf
from decisions.models import Alert, Event, Item, ModelVersion, Queue, Score, Shadow
from decisions.record import deep
from tests.decisions.intake.test_submit import take
from tests.decisions.learning.stored import make_model
from tests.factories import NOON, make_item, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(shadow_scores, "SECONDS", 60.0)
    monkeypatch.setattr(ladder, "_resting", {})


def begin(queue: Queue, model: ModelVersion | None = None, **changes: Any) -> Shadow:
    given = {"queue": queue, "model": model or make_model(queue), "by": None, "why": "to compare", "at": NOON}
    return shadows.start(**{**given, **changes})


def bring(queue: Queue, words: Sequence[object], prefix: str = "a") -> list[int]:
    """Take items in, scored by their sender; return their ids."""
    payloads: list[dict[str, Any]] = [{"text": "hi", "words": one, "kind": "mail"} for one in words]
    take(queue, *({"external_id": f"{prefix}-{i}", "payload": p, "score": 0.6} for i, p in enumerate(payloads)))
    return list(Item.objects.filter(queue=queue, external_id__startswith=f"{prefix}-").values_list("pk", flat=True))


def scores(shadow: Shadow) -> dict[int, float]:
    return dict(Score.objects.filter(model=shadow.model).values_list("item", "score"))


def test_what_arrives_is_scored_beside_the_live_model_and_routes_nothing() -> None:
    queue = make_queue()
    bring(queue, [1], "before")
    shadow = begin(queue, back_days=0)
    ids = bring(queue, [10, 90])
    assert shadows.behind(shadow).items == 2
    assert shadow_scores.sweep(LATER) == 2
    found = scores(shadow)
    assert sorted(found) == ids
    assert (found[ids[0]] < 0.2, found[ids[1]] > 0.8) == (True, True)
    assert set(Item.objects.values_list("score", flat=True)) == {0.6}
    stored = Score.objects.filter(item=ids[1]).get()
    assert (stored.was_known, stored.is_backfill) == (False, False)
    assert stored.p == pytest.approx(stored.score)
    shadow.refresh_from_db()
    assert (shadow.scored, shadow.failed, shadows.behind(shadow).items) == (2, 0, 0)
    assert shadow_scores.sweep(LATER) == 0


def test_starting_and_stopping_leave_their_events_and_the_row_they_speak_of_stays() -> None:
    queue = make_queue()
    manager = make_user("manager", queue)
    shadow = begin(queue, by=manager)
    bring(queue, [10])
    shadow_scores.sweep(LATER)
    shadows.stop(shadow=shadow, by=manager, why="seen enough", at=LATER)
    bring(queue, [20], "late")
    assert shadow_scores.sweep(LATER) == 0
    events = Event.objects.filter(kind__startswith="shadow.").order_by("seq")
    assert [(one.kind, one.actor_id, one.reason) for one in events] == [
        ("shadow.started", manager.pk, ""),
        ("shadow.stopped", manager.pk, "person"),
    ]
    assert list(deep.verify(queue.pk)) == []
    with pytest.raises(Conflict):
        shadows.stop(shadow=shadow, by=manager, why="again", at=LATER)


def test_who_may_not_and_what_does_not_fit_is_refused() -> None:
    queue = make_queue()
    model = make_model(queue)
    external = ModelVersion.objects.get(queue=queue, name="external")
    with pytest.raises(Forbidden, match=r"run_shadow|right"):
        begin(queue, model, by=make_user("auditor", queue))
    with pytest.raises(Invalid) as refused:
        begin(queue, external, why=" ", back_days=91)
    assert [fault.field for fault in refused.value.faults] == ["why", "model", "back_days"]
    shadow = begin(queue, model)
    with pytest.raises(Conflict, match="already"):
        begin(queue, model)
    with pytest.raises(Forbidden):
        shadows.stop(shadow=shadow, by=make_user("lead", queue), why="x", at=NOON)
    with pytest.raises(Invalid):
        shadows.stop(shadow=shadow, by=None, why="", at=NOON)
    with pytest.raises(NotFound):
        shadows.one(make_queue(), shadow.pk)


def test_at_most_three_at_once_none_that_routes_and_none_whose_file_does_not_hold() -> None:
    queue = make_queue()
    for name in ("a", "b", "c"):
        begin(queue, make_model(queue, name))
    with pytest.raises(Conflict, match="At most 3"):
        begin(queue, make_model(queue, "d"))
    other = make_queue()
    live = make_model(other, "live")
    make_policy(other, "live", model=live)
    with pytest.raises(Conflict, match="routes already"):
        begin(other, live)
    gone = make_model(other, "gone")
    (registry.folder() / "gone.skops.seal").unlink()
    with pytest.raises(ModelFileRefused):
        begin(other, gone)
    (registry.folder() / "gone.skops").unlink()
    with pytest.raises(ModelFileRefused, match="is gone"):
        begin(other, gone)


def test_items_that_failed_a_check_were_erased_or_that_the_model_routed_are_left_alone() -> None:
    queue = make_queue()
    shadow = begin(queue)
    ids = bring(queue, [10, -5, 90])
    with connection.cursor() as cursor:
        cursor.execute("SELECT decisions_erase_item(%s)", [ids[0]])
    shadow_scores.sweep(LATER)
    assert list(scores(shadow)) == [ids[2]]
    shadow.refresh_from_db()
    assert (shadow.scored, shadow.failed) == (1, 0)


def test_what_people_saw_before_the_start_is_scored_afterwards_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    seen = make_item(queue, {"words": 90}, arrived_at=NOON - timedelta(days=2))
    make_item(queue, {"words": 90}, arrived_at=NOON - timedelta(days=40))
    make_item(queue, {"words": 90}, arrived_at=NOON - timedelta(days=2), route="pass", band="pass", propensity=None)
    monkeypatch.setattr(shadow_scores, "CHUNK", 1)
    shadow = begin(queue)
    shadow_scores.sweep(LATER)
    assert [(one.item_id, one.is_backfill) for one in Score.objects.all()] == [(seen.pk, True)]
    shadow.refresh_from_db()
    assert (shadow.backfilled, shadow.backfilled_at, shadow.scored) == (1, LATER, 0)


def test_a_large_call_and_many_small_ones_are_scored_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_scores, "CHUNK", 4)
    queue = make_queue()
    shadow = begin(queue)
    bring(queue, range(10))
    for k in range(5):
        bring(queue, [k], f"b{k}")
    assert shadow_scores.sweep(LATER) == 15
    assert len(scores(shadow)) == 15


def test_a_sweep_stops_when_its_time_is_up_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    shadow = begin(queue)
    bring(queue, [1])
    monkeypatch.setattr(shadow_scores, "SECONDS", 0.0)
    assert shadow_scores.sweep(LATER) == 0
    assert shadows.behind(shadow).items == 1
    monkeypatch.setattr(shadow_scores, "SECONDS", 60.0)
    assert shadow_scores.sweep(LATER) == 1


def test_one_item_that_breaks_the_model_is_counted_and_the_rest_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    shadow = begin(queue)
    model = registry.load(shadow.model)
    score = type(model).score

    def brittle(self: object, payloads: Sequence[dict[str, Any]]) -> Any:
        if any(payload["words"] == 13 for payload in payloads):
            raise ZeroDivisionError
        return score(model, payloads)

    monkeypatch.setattr(type(model), "score", brittle)
    ids = bring(queue, [12, 13, 14])
    shadow_scores.sweep(LATER)
    assert sorted(scores(shadow)) == [ids[0], ids[2]]
    shadow.refresh_from_db()
    assert (shadow.scored, shadow.failed, shadow.strikes) == (2, 1, 0)


def test_a_model_that_fails_again_and_again_is_given_up_with_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    shadow = begin(queue)
    bring(queue, [1, 2])
    monkeypatch.setattr(registry, "_shelf", Shelf())
    (registry.folder() / shadow.model.file).write_bytes(b"changed")
    for minute in range(4):
        shadow_scores.sweep(at := NOON + timedelta(minutes=2 * minute))
        shadow_scores.sweep(at + timedelta(seconds=3))  # it rests: this is no second strike
    shadow.refresh_from_db()
    assert (shadow.strikes, shadow.is_running, shadow.last_failure) == (4, True, "model:refused")
    shadow_scores.sweep(at + timedelta(minutes=2))
    shadow.refresh_from_db()
    assert (shadow.ending, shadow.ender, shadow.end_why) == ("failures", None, "model:refused")
    alert = Alert.objects.get(kind="shadow")
    assert (alert.key, alert.figures["code"]) == ("model:words-1", "model:refused")
    event = Event.objects.get(kind="shadow.stopped")
    assert (event.actor, event.reason) == (None, "failures")
    assert shadows.behind(shadow).items == 2  # nothing was counted as done


def test_a_model_that_comes_back_gets_its_strikes_off_and_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    shadow = begin(queue)
    ids = bring(queue, [1, 2])
    monkeypatch.setattr(registry, "_shelf", Shelf())
    path = registry.folder() / shadow.model.file
    away = path.rename(path.with_name("away"))
    shadow_scores.sweep(NOON)
    shadow.refresh_from_db()
    assert (shadow.strikes, shadow.last_failure, scores(shadow)) == (1, "model:missing", {})
    away.rename(path)
    shadow_scores.sweep(LATER)
    shadow.refresh_from_db()
    assert (shadow.strikes, sorted(scores(shadow))) == (0, ids)


def test_a_sweep_that_another_one_overtook_stores_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    shadow = begin(queue)
    bring(queue, [1, 2])
    asked = shadow_scores._asked

    def overtaken(model: ModelVersion, payloads: Sequence[dict[str, Any]]) -> Any:
        monkeypatch.setattr(shadow_scores, "_asked", asked)
        shadow_scores.sweep(LATER)
        return asked(model, payloads)

    monkeypatch.setattr(shadow_scores, "_asked", overtaken)
    shadow_scores.sweep(LATER)
    shadow.refresh_from_db()
    assert (shadow.scored, Score.objects.count()) == (2, 2)
