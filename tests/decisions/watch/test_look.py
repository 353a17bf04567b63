"""The watch over rows: what it reads, against what, what starts anew, and that no queue holds up another."""

from copy import copy
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest
from django.db import connection
from django.db.models.base import ModelState

from decisions.measure import rollups
from decisions.models import Alert, Body, Decision, Item, Label, ModelVersion, Policy, Queue, Ruling, Task, User
from decisions.watch import alerts, look
from tests.decisions.watch.alerting import make_alert
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
LIVE = NOON  # when a made queue's policy went live


def arrive(queue: Queue, score: Any, *, start: datetime = LIVE, step: timedelta = SECOND, **fields: Any) -> list[Item]:
    """Store items with these scores, one a step, as the live policy (cuts at .3 and .9) routes them."""
    first = make_item(queue)
    payload = fields.pop("payload", lambda _place: {"text": "hello", "kind": "mail"})
    made = []
    for place, one in enumerate(score):
        route = "hard" if one >= 0.9 else "soft" if one >= 0.3 else "pass"
        item = copy(first)
        item.pk, item._state = None, ModelState()
        item.external_id = f"{first.pk}-{place}"
        item.arrived_at = start + step * place
        item.score, item.p, item.band, item.route = float(one), float(one), route, route
        for name, value in fields.items():
            setattr(item, name, value(place) if callable(value) else value)
        made.append(item)
    Item.objects.bulk_create(made)
    Body.objects.bulk_create(
        Body(item=item, content=orjson.dumps({"payload": payload(place)}).decode(), salt=b"s" * 16)
        for place, item in enumerate(made)
    )
    rollups.roll_up(made[-1].arrived_at + SECOND)
    return made


def scores(n: int, *, seed: int = 1, shift: float = 0.0) -> Any:
    """Return scores of which about one in seven is for people."""
    return 1 / (1 + np.exp(-np.random.default_rng(seed).normal(-2 + shift, 1.2, n)))


def found(queue: Queue, at: datetime) -> set[tuple[str, str]]:
    """Look at a queue and return what is off."""
    return {(alert.kind, alert.key) for alert in look.check(queue, at)}


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def test_a_quiet_queue_is_quiet_and_was_looked_at(queue: Queue) -> None:
    arrive(queue, scores(1500))
    at = LIVE + HOUR
    assert found(queue, at) == set()
    assert look.checked_at([queue.pk, 0]) == {queue.pk: at}
    assert found(queue, at) == set()
    assert look.check_all(at + HOUR) == 0
    assert look.checked_at([queue.pk]) == {queue.pk: at + HOUR}


def test_a_shift_of_scores_opens_alerts_with_their_figures_and_beginning(queue: Queue) -> None:
    arrive(queue, scores(1500))
    arrive(queue, scores(400, seed=2, shift=3), start=LIVE + HOUR)
    at = LIVE + 2 * HOUR
    assert {("scores", ""), ("volume", "route:pass"), ("volume", "route:soft")} <= found(queue, at)
    alert = Alert.objects.get(kind="volume", key="route:pass")
    assert alert.figures["share"] < 0.7 < alert.figures["before"]
    assert alert.figures["against"] == "near"
    assert alert.figures["before_from"] >= "2026-03-02T12:00:00Z"
    assert abs(alert.began_at - (LIVE + HOUR)) < timedelta(minutes=1)
    count = Alert.objects.count()
    found(queue, at + timedelta(minutes=5))
    assert Alert.objects.count() == count


def test_what_came_later_is_not_seen_yet(queue: Queue) -> None:
    arrive(queue, scores(1500))
    arrive(queue, scores(400, seed=2, shift=3), start=LIVE + HOUR)
    assert found(queue, LIVE + HOUR - SECOND) == set()


def test_a_new_policy_starts_volumes_anew_and_a_new_model_scores(queue: Queue) -> None:
    arrive(queue, scores(1500))
    start = LIVE + HOUR
    Policy.objects.filter(queue=queue).update(state="retired", retired_at=start)
    old = Policy.objects.get(queue=queue)
    model = ModelVersion.objects.create(queue=queue, name="new", kind="external", app_version="1", created_at=start)
    terms = {"suggest": 0.5, "objective": "o", "why": "w", "created_at": start, "live_at": start, "state": "live"}
    Policy.objects.create(queue=queue, no=2, model=old.model, hard=0.9, soft=0.3, **terms)
    arrive(queue, scores(700, seed=2, shift=3), start=start)
    assert found(queue, start + HOUR) == {("scores", "")}  # the model is the same, and so is its usual mix
    Policy.objects.filter(queue=queue).update(state="retired")
    Policy.objects.create(queue=queue, no=3, model=model, hard=0.9, soft=0.3, **terms)
    arrive(queue, scores(700, seed=3, shift=-3), start=start + HOUR)
    assert found(queue, start + 2 * HOUR) == set()


def test_scores_are_watched_by_segment_and_by_source(queue: Queue) -> None:
    def segment(place: int) -> str:
        return "big" if place % 3 == 0 else "small"

    arrive(queue, scores(1800), segment=segment, source="web")
    later = np.where(np.arange(1200) % 3 == 0, scores(1200, seed=2, shift=2.5), scores(1200, seed=3))
    arrive(queue, later, start=LIVE + HOUR, segment=segment, source=lambda place: "app" if place % 2 else "web")
    seen = found(queue, LIVE + 2 * HOUR)
    assert ("scores", "segment:big") in seen
    assert ("scores", "segment:small") not in seen


def test_a_field_that_goes_missing_and_a_category_nobody_knows(queue: Queue) -> None:
    arrive(queue, scores(1500))
    arrive(
        queue,
        scores(500, seed=2),
        start=LIVE + HOUR,
        payload=lambda place: {"kind": "letter"} if place % 2 else {"text": "hello", "kind": "mail"},
    )
    assert found(queue, LIVE + 2 * HOUR) == {("missing", "field:text"), ("unseen", "field:kind")}


def test_erased_payloads_are_left_out(queue: Queue) -> None:
    items = arrive(queue, scores(1500))
    with connection.cursor() as cursor:
        cursor.execute("SELECT decisions_erase_item(%s)", [items[-1].pk])
    assert found(queue, LIVE + HOUR) == set()


def decide(queue: Queue, item: Item, person: User, at: datetime, *, is_override: bool) -> None:
    """Store a soft decision and its ruling."""
    task = make_task(queue, item, state=Task.State.DECIDED)
    common = {"queue": queue, "item": item, "person": person, "outcome": "spam", "at": at}
    decision = Decision.objects.create(
        task=task, round=1, purpose="soft", queue_version=item.queue_version, claimed_at=at, **common
    )
    Ruling.objects.create(
        no=1,
        truth="positive",
        source=Ruling.Source.DECISION,
        decision=decision,
        is_override=is_override,
        final_at=at,
        **common,
    )


def test_people_who_override_more_than_before(queue: Queue) -> None:
    person = make_user("reviewer", queue)
    items = arrive(queue, np.full(360, 0.6))
    for place, item in enumerate(items):
        is_override = place % 10 == 0 if place < 250 else place % 5 != 0
        decide(queue, item, person, LIVE + SECOND * place, is_override=is_override)
    assert found(queue, LIVE + SECOND * 249) == set()
    assert found(queue, LIVE + HOUR) == {("overrides", "policy:1")}


def control(queue: Queue, no: int, value: int, at: datetime, **fields: Any) -> Label:
    """Store the label of a control."""
    item = make_item(queue, score=0.95, band="hard", route="soft", reason="control", propensity=0.1)
    ruling = Ruling.objects.create(
        queue=queue, item=item, no=1, outcome="spam", truth="positive", source="decision", at=at, final_at=at
    )
    given = {"provenance": "control", "outcome": "spam", "ruled_at": at, "at": at, "propensity": 0.1, **fields}
    return Label.objects.create(no=no, queue=queue, item=item, ruling=ruling, value=value, **given)


@pytest.fixture
def aiming(queue: Queue) -> Queue:
    """A queue whose live policy has a target."""
    old = Policy.objects.get(queue=queue)
    Policy.objects.filter(queue=queue).update(state="retired")
    terms = {
        name: getattr(old, name) for name in ("model", "hard", "soft", "suggest", "control_share", "objective", "why")
    }
    times = {"created_at": NOON, "live_at": NOON, "state": "live"}
    Policy.objects.create(queue=queue, no=2, precision_target=0.9, **terms, **times)
    return queue


def test_controls_that_miss_the_target(aiming: Queue) -> None:
    for place in range(120):
        control(aiming, place + 1, int(place % 2 == 0), LIVE + SECOND * place)
    assert found(aiming, LIVE + HOUR) == {("precision", "policy:2")}
    alert = Alert.objects.get()
    assert (alert.level, alert.figures["labels"], alert.figures["precision"]) == ("act", 120, 0.5)
    # Dealt with: only what becomes known from then on counts.
    alerts.close(alert_id=alert.pk, by=make_user("lead", aiming), end="false_alarm", lesson="x", at=LIVE + HOUR)
    assert found(aiming, LIVE + 2 * DAY) == set()
    for place in range(120):
        control(aiming, place + 200, int(place % 2 == 0), LIVE + DAY + SECOND * place)
    assert found(aiming, LIVE + 2 * DAY) == {("precision", "policy:2")}


def test_other_labels_say_nothing_of_precision(aiming: Queue) -> None:
    first = [control(aiming, place + 1, 1, LIVE + SECOND * place) for place in range(60)]
    for place in range(120):
        control(aiming, place + 100, 0, LIVE + SECOND * place, provenance="soft")
    for place, label in enumerate(first):  # a later correction does not change the past
        control(aiming, place + 300, 0, LIVE + HOUR, replaces=label)
    assert found(aiming, LIVE + 2 * HOUR) == set()


def test_without_a_target_precision_is_not_watched(queue: Queue) -> None:
    for place in range(120):
        control(queue, place + 1, 0, LIVE + SECOND * place)
    assert found(queue, LIVE + HOUR) == set()


def close(person: User, end: str, at: datetime) -> None:
    """Deal with all alerts."""
    for alert in Alert.objects.all():
        alerts.diagnose(alert_id=alert.pk, by=person, cause="x", at=at)
        alerts.close(alert_id=alert.pk, by=person, end=end, lesson="x", at=at)


def test_what_is_the_new_normal_is_compared_with_from_then_on(queue: Queue) -> None:
    arrive(queue, scores(1500))
    arrive(queue, scores(400, seed=2, shift=3), start=LIVE + HOUR)
    person, at = make_user("lead", queue), LIVE + 2 * HOUR
    called_normal = found(queue, at)
    close(person, "new_normal", at)
    arrive(queue, scores(900, seed=4, shift=3), start=LIVE + DAY)
    assert found(queue, at + alerts.QUIET) & called_normal == set()
    arrive(queue, scores(400, seed=5), start=LIVE + DAY + HOUR)
    assert ("scores", "") in found(queue, LIVE + DAY + 2 * HOUR + alerts.QUIET)


def test_what_was_mended_and_comes_back_is_a_new_alert_after_the_quiet_time(queue: Queue) -> None:
    arrive(queue, scores(1500))
    arrive(queue, scores(400, seed=2, shift=3), start=LIVE + HOUR)
    at = LIVE + 2 * HOUR
    assert ("scores", "") in found(queue, at)
    close(make_user("lead", queue), "mended", at)
    assert found(queue, at + HOUR) == set()
    arrive(queue, scores(400, seed=3, shift=3), start=LIVE + 2 * DAY)
    assert ("scores", "") in found(queue, LIVE + 2 * DAY + HOUR)


def test_the_number_of_queries_does_not_follow_the_traffic(queue: Queue, django_assert_max_num_queries: Any) -> None:
    arrive(queue, scores(1500), segment=lambda place: f"s{place % 20}", source=lambda place: f"w{place % 10}")
    with django_assert_max_num_queries(20):
        look.check(queue, LIVE + HOUR)


def test_one_queue_that_cannot_be_read_does_not_blind_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = make_queue(), make_queue()
    looked = look.check

    def check(queue: Queue, at: datetime) -> list[Alert]:
        if queue == broken:
            raise ZeroDivisionError
        return looked(queue, at)

    monkeypatch.setattr(look, "check", check)
    with pytest.raises(ExceptionGroup, match="not looked at"):
        look.check_all(NOON)
    assert look.checked_at([broken.pk, sound.pk]) == {sound.pk: NOON}


def test_a_queue_without_a_live_policy_is_left_alone(queue: Queue) -> None:
    Policy.objects.update(state="retired")
    make_alert(queue)
    assert look.check(queue, NOON) == []
    assert look.checked_at([queue.pk]) == {}
