"""What if and advice by call: the figures of the page, refusals, empty states."""

from typing import Any

import pytest
from django.utils import timezone

from decisions.models import Item, ModelVersion, Policy, Queue, Score
from reviewqueue.api import examples_what_if
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_queue
from tests.reviewqueue.api.caller import caller
from tests.reviewqueue.web.test_what_if import aim_at

pytestmark = pytest.mark.django_db


def busy(**given: Any) -> Queue:
    return busy_queue(at=timezone.now().replace(minute=0, second=0, microsecond=0), **given)


def line(told: Any, key: str) -> Any:
    return next(one for one in told["lines"] if one["key"] == key)


def test_what_is_left_out_is_as_it_stands() -> None:
    queue = busy()
    answer = caller("manager", queue, "read").post(f"queues/{queue.slug}/what-if/", {"soft": 0.15, "days": 7})
    assert answer.status_code == 200
    told = answer.json()
    assert told["what_if"] == {**told["live"], "soft": 0.15}
    assert line(told, "people")["difference"]["value"] > 0
    assert line(told, "recall")["live"]["low"] < line(told, "recall")["live"]["value"]
    assert line(told, "money")["unit"] == "money"


def test_null_is_no_threshold() -> None:
    queue = busy()
    person = caller("lead", queue)
    told = person.post(f"queues/{queue.slug}/what-if/", {"hard": None, "days": 7}).json()
    assert told["what_if"]["hard"] is None
    assert line(told, "hard")["what_if"]["value"] == 0
    assert line(told, "precision")["what_if"]["why"] == "no_items"
    refused = person.post(f"queues/{queue.slug}/what-if/", {"soft": None, "days": 7})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "hard")


@pytest.mark.parametrize(
    "asked",
    [
        {"hard": 2.0},  # out of the model's range
        {"soft": 0.99},  # above hard
        {"days": 5},  # not a window
        {"people": "many"},  # no number
        {"audit_budget": -1},
        {"threshold": 0.5},  # not known here
        {"delay_hours": 1e300},
        {"policy": 99},  # not there
    ],
)
def test_what_does_not_fit_is_refused(asked: dict[str, Any]) -> None:
    queue = busy(items=20, audits=0)
    answer = caller("manager", queue).post(f"queues/{queue.slug}/what-if/", asked)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_stored_policy_of_another_model_says_over_how_many_items_it_is_known() -> None:
    queue = busy(items=200)
    live = Policy.objects.live().get(queue=queue)
    other = ModelVersion.objects.create(queue=queue, name="n", kind="external", app_version="t", created_at=NOON)
    Policy.objects.create(
        queue=queue, no=2, model=other, hard=0.5, soft=0.2, suggest=0.4, objective="o", why="w", created_at=NOON
    )
    person = caller("manager", queue)
    refused = person.post(f"queues/{queue.slug}/what-if/", {"policy": 2, "days": 7})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "not_scored")
    items = Item.objects.filter(queue=queue, reason__in=("score", "control")).order_by("pk")[::2]
    Score.objects.bulk_create(
        Score(item=one, model=other, score=one.score or 0, p=one.p or 0, at=NOON) for one in items
    )
    told = person.post(f"queues/{queue.slug}/what-if/", {"policy": 2, "hard": 0.6, "days": 28}).json()
    assert told["scored"] == {"model": "n", "items": 95.0, "of": 190.0}
    assert (told["what_if"]["hard"], told["what_if"]["soft"], told["live"]["hard"]) == (0.6, 0.2, live.hard)
    same = person.post(f"queues/{queue.slug}/what-if/", {"policy": 1, "days": 7}).json()
    assert same["scored"] is None


def test_nothing_came() -> None:
    queue = make_queue()
    person = caller("manager", queue)
    told = person.post(f"queues/{queue.slug}/what-if/").json()
    assert (told["lines"], told["start"], told["policy"]) == ([], None, 1)
    advised = person.get(f"queues/{queue.slug}/advice/").json()
    assert (advised["hard"], advised["soft"], advised["control"]) == (None, None, None)


def test_advice_says_what_is_missing() -> None:
    queue = busy()
    aim_at(queue, 0.6)
    told = caller("auditor", queue, "read").get(f"queues/{queue.slug}/advice/").json()
    assert told["target"] == 0.6
    assert told["hard"]["verdict"] == "more labels"
    assert told["hard"]["threshold"] is None
    assert told["hard"]["needed"] > 0
    assert told["hard"]["sentence"]
    assert told["soft"]["threshold"] is not None
    assert 0 < told["control"]["share"] <= 0.1


def test_a_queue_without_a_live_policy() -> None:
    queue = make_queue()
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    assert caller("manager", queue).get(f"queues/{queue.slug}/advice/").json()["policy"] is None
    assert caller("manager", queue).post(f"queues/{queue.slug}/what-if/").status_code == 409


def test_the_example_fits() -> None:
    queue = busy()
    asked = next(one.value for one in examples_what_if.WHAT_IF if one.request_only)
    assert caller("manager", queue).post(f"queues/{queue.slug}/what-if/", asked).status_code == 200


def test_only_whoever_reads_the_record_may_look() -> None:
    queue = busy(items=20, audits=0)
    path = f"queues/{queue.slug}/what-if/"
    assert caller("reviewer", queue).post(path).json()["right"] == "read_record"
    assert caller("manager", queue, "intake").post(path).json()["code"] == "wrong_scope"
