"""What is logged before any label exists is enough to compute p again, to the last bit."""

from collections.abc import Iterator

import numpy as np
import orjson
import pytest
from scipy.special import expit, logit

from decisions.intake import parse, submit
from decisions.models import Item, Policy, Queue
from decisions.queues import live
from decisions.queues.spec import ModelSpec
from decisions.routing import policy
from decisions.routing.policy import Cuts
from tests.factories import NOON, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db

ONE = {"id": "platt-0123456789abcdef", "slope": 0.7131, "intercept": -0.2907, "edge": 1e-6}
OTHER = {"id": "platt-fedcba9876543210", "slope": 1.3, "intercept": 1 / 3, "edge": 0.001}


def brought_in(queue: Queue, scores: list[float]) -> Iterator[Item]:
    """Bring items in, most in a batch and some alone, and return what the database holds of them."""
    rows = [{"external_id": f"m-{k}", "payload": {"text": "x"}, "score": score} for k, score in enumerate(scores)]
    sender, many = make_user(), b"\n".join(map(orjson.dumps, rows[5:]))
    submit.many(queue=live.of(queue.slug), lines=parse.many(many), sender=sender, at=NOON)
    for row in rows[:5]:
        submit.one(queue=live.of(queue.slug), row=parse.one(orjson.dumps(row)), sender=sender, at=NOON)
    return Item.objects.filter(queue=queue).select_related("policy__model", "model", "queue_version").iterator()


def test_p_follows_bit_for_bit_from_what_is_logged() -> None:
    queue = make_queue(model=ModelSpec(low=-5.0, high=1_000.0))
    changes = {"hard": 900.0, "soft": 300.0, "suggest": 500.0}
    make_policy(queue, "live", **changes, calibration=ONE)
    make_policy(queue, "canary", **changes, calibration=OTHER)
    scores = [-5.0, 1_000.0, *np.random.default_rng(4).uniform(-5, 1_000, 400).tolist()]
    seen: dict[str, int] = {}
    for item in brought_in(queue, scores):
        assert item.model == item.policy.model
        assert item.score == scores[int(item.external_id.removeprefix("m-"))]
        assert item.score is not None
        again = policy.recalibrate(np.array([item.score]), Cuts.of(item.policy, queue.spec))
        assert item.p == again[0]
        told = item.policy.calibration
        share = told["edge"] + (1 - 2 * told["edge"]) * (item.score + 5.0) / 1_005.0
        assert item.p == pytest.approx(expit(told["slope"] * logit(share) + told["intercept"]), rel=1e-12)
        seen[told["id"]] = seen.get(told["id"], 0) + 1
    assert seen.keys() == {ONE["id"], OTHER["id"]}
    assert sum(seen.values()) == len(scores)


def test_without_a_calibrator_p_is_the_score_within_its_range() -> None:
    queue = make_queue()
    for item in brought_in(queue, [0.0, 0.1, 0.25, 0.7, 1.0, 0.3]):
        assert item.p == item.score


def test_a_calibrator_comes_back_from_the_database_as_it_went_in() -> None:
    numbers = np.random.default_rng(5).normal(size=(50, 2))
    queue = make_queue()
    for slope, intercept in numbers.tolist():
        made = make_policy(
            queue, "draft", calibration={"id": "x", "slope": slope, "intercept": intercept, "edge": 1e-9}
        )
        told = Policy.objects.get(pk=made.pk).calibration
        assert policy.line(told) == {"slope": slope, "intercept": intercept, "edge": 1e-9}
