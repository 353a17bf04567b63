"""Policies through the API: drafts, every step of their life, and how a canary stands."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from decisions.models import ModelVersion, Policy, Queue
from decisions.routing import guard
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_item, make_policy, make_queue
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def path(queue: Queue, tail: str) -> str:
    return f"queues/{queue.slug}/policies/{tail}/"


def states(person: Caller, queue: Queue) -> list[tuple[int, str]]:
    told = person.get(f"queues/{queue.slug}/policies/").json()["policies"]
    return [(policy["no"], policy["state"]) for policy in told]


def test_the_whole_life_of_a_policy(queue: Queue) -> None:
    author, second = caller("manager", queue, name="Ada"), caller("manager", queue, name="Ben")
    made = author.post(path(queue, "drafts"), {"why": "stricter", "hard": 0.95, "precision_target": 0.97})
    assert (made.status_code, made.json()["no"], made.json()["state"]) == (201, 2, "draft")
    assert (made.json()["hard"], made.json()["soft"], made.json()["precision_target"]) == (0.95, 0.3, 0.97)
    refused = author.post(path(queue, "2/approve"), {"why": "mine"})
    assert (refused.status_code, refused.json()["right"]) == (403, "approve_policy")
    approved = second.post(path(queue, "2/approve"), {"why": "read it"})
    assert (approved.status_code, approved.json()["state"], approved.json()["live"]) == (200, "approved", 1)
    started = author.post(path(queue, "2/canary"), {"why": "carefully", "share": 0.1, "factor": 1.5})
    assert (started.status_code, started.json()["state"], started.json()["kind"]) == (200, "canary", "canary")
    live = second.post(path(queue, "2/publish"), {"why": "it held"})
    assert (live.json()["live"], live.json()["replaced"]) == (2, 1)
    assert states(author, queue) == [(2, "live"), (1, "retired")]
    steps = author.get(f"queues/{queue.slug}/policies/").json()["policies"][0]["steps"]
    assert [(step["kind"], step["person"], step["why"]) for step in steps] == [
        ("approved", "Ben", "read it"),
        ("canary", "Ada", "carefully"),
        ("published", "Ben", "it held"),
    ]
    back = author.post(path(queue, "roll-back"), {"why": "complaints"})
    assert (back.status_code, back.json()["live"], back.json()["replaced"]) == (200, 1, 2)
    again = author.post(path(queue, "roll-back"), {"why": "it was not the policy", "to": 2})
    assert (again.status_code, again.json()["live"]) == (200, 2)


def test_a_draft_may_come_with_a_new_calibrator() -> None:
    queue = busy_queue(at=timezone.now(), items=600, audits=60)
    made = caller("manager", queue).post(path(queue, "drafts"), {"why": "labels", "recalibrate": True})
    told = made.json()["calibration"]
    assert (made.status_code, told["id"][:6]) == (201, "platt-")
    assert told["labels"] > told["audits"] > 0
    assert told["before"].keys() == told["after"].keys() == {"mean", "error", "low", "high"}
    assert Policy.objects.get(queue=queue, no=2).mean_p > 0
    without = caller("manager", queue).post(path(queue, "drafts"), {"why": "other", "recalibrate": False})
    assert (without.status_code, without.json()["calibration"]) == (201, {})


def test_a_calibrator_from_no_labels_is_refused_with_the_reason(queue: Queue) -> None:
    answer = caller("manager", queue).post(path(queue, "drafts"), {"why": "labels", "recalibrate": True})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "recalibrate")
    assert "0 labels" in answer.json()["errors"][0]["detail"]
    assert not Policy.objects.filter(queue=queue, no=2).exists()


# step and the state in which the policy is, what is sent, status, the field that is named
@pytest.mark.parametrize(
    ("step", "said", "status", "named"),
    [
        ("publish draft", {"why": "x"}, 409, ""),  # nobody approved it
        ("publish approved", {"why": "x", "state": "canary"}, 409, ""),  # it was stopped meanwhile
        ("publish approved", {"why": " "}, 400, "why"),
        ("publish approved", {}, 400, "why"),
        ("publish approved", {"why": "x", "state": "asleep"}, 400, "state"),
        ("canary approved", {"why": "x", "share": 1}, 400, "share"),
        ("canary approved", {"why": "x", "share": 0.1, "factor": 1}, 400, "factor"),
        ("canary approved", {"why": "x"}, 400, "share"),
        ("canary draft", {"why": "x", "share": 0.1}, 409, ""),
        ("stop approved", {"why": "x"}, 409, ""),
        ("approve approved", {"why": "x"}, 409, ""),
        ("withdraw live", {"why": "x"}, 409, ""),
        ("withdraw draft", {"why": "x", "because": "y"}, 400, "because"),
    ],
)
def test_what_is_refused(queue: Queue, step: str, said: dict[str, Any], status: int, named: str) -> None:
    name, _space, state = step.partition(" ")
    policy = make_policy(queue, state)
    answer = caller("manager", queue).post(path(queue, f"{policy.no}/{name}"), said)
    assert (answer.status_code, answer.json()["code"]) == (status, {400: "invalid", 409: "conflict"}[status])
    assert [fault["field"] for fault in answer.json()["errors"]] == ([named] if named else [])


@pytest.mark.parametrize(
    ("step", "right"),
    [
        ("drafts", "draft_policy"),
        ("2/approve", "approve_policy"),
        ("2/withdraw", "draft_policy"),
        ("2/canary", "publish_policy"),
        ("2/stop", "roll_back_policy"),
        ("2/publish", "publish_policy"),
        ("roll-back", "roll_back_policy"),
    ],
)
def test_a_missing_right_is_named(queue: Queue, step: str, right: str) -> None:
    make_policy(queue)
    said = {"why": "x", "share": 0.1} if "canary" in step else {"why": "x"}
    answer = caller("auditor", queue).post(path(queue, step), said)
    assert (answer.status_code, answer.json()["right"]) == (403, right)


def test_a_policy_that_is_not_there(queue: Queue) -> None:
    assert caller("manager", queue).post(path(queue, "99/publish"), {"why": "x"}).status_code == 404
    answer = caller("manager", queue).post(path(queue, "roll-back"), {"why": "x", "to": 99})
    assert answer.status_code == 404


def test_nothing_to_roll_back_to(queue: Queue) -> None:
    assert caller("manager", queue).post(path(queue, "roll-back"), {"why": "x"}).status_code == 409


def test_a_step_with_a_key_happens_once(queue: Queue) -> None:
    make_policy(queue, "draft")
    person, key = caller("manager", queue), {"Idempotency-Key": "approve-2"}
    first = person.post(path(queue, "2/approve"), {"why": "read"}, **key)
    again = person.post(path(queue, "2/approve"), {"why": "read"}, **key)
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert Policy.objects.get(queue=queue, no=2).changes.count() == 1


def test_a_draft_of_a_model_that_the_queue_does_not_know(queue: Queue) -> None:
    other = make_queue()
    ModelVersion.objects.create(queue=other, name="m2", kind="external", app_version="t", created_at=NOON)
    answer = caller("manager", queue).post(path(queue, "drafts"), {"why": "x", "model_version": "m2"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "model_version")
    without = caller("manager", queue).post(path(queue, "drafts"), {"why": "x", "model_version": None})
    assert (without.status_code, without.json()["model_version"]) == (201, None)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"hard": 0.1}, "hard"),  # below soft
        ({"suggest": 7}, "suggest"),  # out of the model's range
        ({"control_share": 1.1}, "control_share"),
        ({"audit_budget": -1}, "audit_budget"),
        ({"precision_target": 1}, "precision_target"),
    ],
)
def test_an_unfit_draft_says_where(queue: Queue, said: dict[str, Any], field: str) -> None:
    answer = caller("manager", queue).post(path(queue, "drafts"), {"why": "x", **said})
    assert answer.status_code == 400
    assert field in [fault["field"] for fault in answer.json()["errors"]] or field == "hard"


def test_how_a_canary_stands(queue: Queue) -> None:
    person = caller("auditor", queue)
    assert person.get(f"queues/{queue.slug}/canary/").json() == {"canary": None}
    policy = make_policy(queue, "canary", share=0.2, precision_target=0.95, control_share=0.1)
    start = policy.changes.get(kind="canary").at
    make_item(queue, arrived_at=start + timedelta(minutes=1), band="hard", route="hard")
    guard.watch(timezone.now())
    told = person.get(f"queues/{queue.slug}/canary/").json()["canary"]
    assert (told["policy"], told["live"], told["share"]) == (2, 1, 0.2)
    checks = {check["sign"]: check for check in told["checks"]}
    assert set(checks) == {"hard_share", "override_rate", "precision"}
    assert {check["verdict"] for check in checks.values()} == {"waiting"}
    assert checks["hard_share"]["live_policy"]["hits"] == 1
    assert checks["precision"]["live_policy"] is None
