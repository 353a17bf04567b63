"""A canary routes its share of what arrives, the same items again at a retry, and leaves the rest as it was."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from scipy import stats

from decisions.intake import lanes, parse, submit
from decisions.learning import registry
from decisions.models import Item, ModelVersion, Policy, Queue, Score
from decisions.queues import live
from decisions.routing import publish, sampling
from tests.decisions.learning.stored import make_model
from tests.factories import NOON, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db


def take(queue: Queue, names: list[str], score: float | None = 0.92, **fields: Any) -> dict[str, dict[str, Any]]:
    """Send items in one call; return the results by name."""
    said = {"payload": {"text": "hello", "words": 1}, **fields} | ({} if score is None else {"score": score})
    body = b"\n".join(orjson.dumps({"external_id": name, **said}) for name in names)
    batch = submit.many(queue=live.of(queue.slug), lines=parse.many(body), sender=make_user(), at=NOON)
    assert not batch.errors
    return {result["external_id"]: result for result in batch.results}


def named(count: int) -> list[str]:
    return [f"m-{i}" for i in range(count)]


class Always:
    """A model that gives every item one score."""

    def __init__(self, score: float) -> None:
        self.given = score

    def score(self, payloads: list[dict[str, Any]]) -> Any:
        return np.full(len(payloads), self.given)


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def pipeline(queue: Queue, name: str) -> ModelVersion:
    """A model with a file that holds: no policy goes live without."""
    return make_model(queue, name)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_it_routes_its_share(share: float) -> None:
    queue = make_queue()
    make_policy(queue, "canary", share=share)
    told = take(queue, named(2000))
    count = Counter(result["policy_version"] for result in told.values())[2]
    low, high = stats.binom.interval(0.9999, 2000, share)
    assert low <= count <= high
    assert Counter(Item.objects.values_list("policy__no", flat=True))[2] == count


def test_each_item_is_routed_by_the_cuts_of_the_policy_it_carries() -> None:
    queue = make_queue()  # hard from 0.9; the canary's is 0.95, and 0.92 lies between
    make_policy(queue, "canary", control_share=0.0)
    told = take(queue, named(400))
    of: dict[int, Counter[tuple[str, str]]] = {1: Counter(), 2: Counter()}
    for result in told.values():
        of[result["policy_version"]][result["route"], result["reason"]] += 1
    assert of[2].keys() == {("soft", "score")}
    assert of[1].keys() == {("hard", "score"), ("soft", "control")}
    assert {item.propensity for item in Item.objects.filter(policy__no=2)} == {1.0}
    assert {item.propensity for item in Item.objects.filter(policy__no=1)} == {0.1}


def test_a_retry_is_routed_the_same_way_alone_or_in_a_batch() -> None:
    queue, twin = make_queue(), make_queue()
    make_policy(queue, "canary")
    together = take(queue, named(60))
    again = take(queue, named(60))
    assert [(r["policy_version"], r["route"], r["duplicate"]) for r in again.values()] == [
        (r["policy_version"], r["route"], True) for r in together.values()
    ]
    Queue.objects.filter(pk=queue.pk).update(slug="moved")
    Queue.objects.filter(pk=twin.pk).update(slug=queue.slug)  # the same name elsewhere: the number is from the name
    twin.refresh_from_db()
    make_policy(twin, "canary")
    alone = {name: take(twin, [name])[name]["policy_version"] for name in named(60)}
    assert alone == {name: result["policy_version"] for name, result in together.items()}
    assert set(alone.values()) == {1, 2}


def test_a_wider_share_keeps_what_a_narrower_one_had() -> None:
    queue = make_queue()
    policy = make_policy(queue, "canary", share=0.2)
    rows = [parse.Row(i, name, {}, b"{}", None, "") for i, name in enumerate(named(500))]
    narrow = lanes._tried(rows, live.of(queue.slug))
    publish.stop(policy=policy, by=None, why="wider", at=NOON)
    publish.canary(policy=policy, share=0.5, by=None, why="wider", at=NOON)
    wide = lanes._tried(rows, live.of(queue.slug))  # a new share counts at once
    assert wide[narrow].all()
    assert wide.sum() > narrow.sum()


def test_its_numbers_are_not_those_of_control_and_audit() -> None:
    _no, secret = sampling.newest_secret()
    numbers = [sampling.u(secret, "q", named(2000), purpose) for purpose in sampling.Purpose]
    assert np.abs(np.corrcoef(numbers) - np.eye(len(numbers))).max() < 0.1


def test_its_own_model_scores_its_items(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    old, new = pipeline(queue, "old"), pipeline(queue, "new")
    make_policy(queue, "live", model=old, control_share=0.0)
    make_policy(queue, "canary", model=new, control_share=0.0)
    monkeypatch.setattr(registry, "load", lambda model: Always(0.2 if model.name == "old" else 0.99))
    told = take(queue, named(80), score=None)
    seen = {(r["policy_version"], r["model_version"], r["route"]) for r in told.values()}
    assert seen == {(2, "old", "pass"), (3, "new", "hard")}


def test_an_item_with_another_models_score_stays_with_the_live_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    new = pipeline(queue, "new")
    make_policy(queue, "canary", model=new, share=0.9)
    monkeypatch.setattr(registry, "load", lambda _model: Always(0.1))
    sent = take(queue, [f"sent-{i}" for i in range(40)])  # scores of the external model, which the live policy pins
    assert {(r["policy_version"], r["model_version"]) for r in sent.values()} == {(1, "external")}
    bare = take(queue, [f"bare-{i}" for i in range(40)], score=None)
    assert {r["model_version"] for r in bare.values() if r["policy_version"] == 2} == {"new"}
    named_so = take(queue, [f"named-{i}" for i in range(40)], model="new")
    assert {r["reason"] for r in named_so.values() if r["policy_version"] == 2} <= {"score", "control"}


def test_a_canary_without_a_model_takes_any_known_score() -> None:
    queue = make_queue()
    make_policy(queue, "canary", model=None)
    assert {result["policy_version"] for result in take(queue, named(60)).values()} == {1, 2}


def test_failures_and_challengers_stay_with_their_items(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    make_policy(queue, "canary")
    monkeypatch.setattr(registry, "load", lambda _model: Always(0.1))
    lines = []
    for i in range(60):
        row: dict[str, Any] = {"external_id": f"x-{i}", "payload": {"words": 1}, "score": i / 100}
        if i % 3 == 0:
            row["payload"] = {"words": "many"}  # fails its check: the score is kept beside it
        lines.append(orjson.dumps(row))
    submit.many(queue=live.of(queue.slug), lines=parse.many(b"\n".join(lines)), sender=make_user(), at=NOON)
    for item in Item.objects.all():
        i = int(item.external_id.removeprefix("x-"))
        assert (item.reason == "input_check") == (i % 3 == 0), item.external_id
        assert bool(item.failures) == (i % 3 == 0)
        assert item.score == (None if i % 3 == 0 else i / 100)
    beside = {score.item.external_id: score.score for score in Score.objects.select_related("item")}
    assert beside == {f"x-{i}": i / 100 for i in range(0, 60, 3)}
    assert Counter(Item.objects.values_list("policy__no", flat=True)).keys() == {1, 2}


def test_what_follows_a_canary_goes_by_the_live_policy_at_once() -> None:
    queue = make_queue()
    policy = make_policy(queue, "canary", share=0.9)
    assert Counter(r["policy_version"] for r in take(queue, ["a", "b", "c", "d", "e"]).values())[2]
    publish.stop(policy=policy, by=None, why="enough", at=NOON)
    assert {r["policy_version"] for r in take(queue, ["f", "g", "h", "i", "j"]).values()} == {1}


@pytest.mark.parametrize("has_canary", [False, True])
def test_a_canary_costs_no_query(has_canary: bool) -> None:
    queue = make_queue()
    make_policy(queue, "canary" if has_canary else "approved")
    take(queue, ["first"])
    with CaptureQueriesContext(connection) as queries:
        live.of(queue.slug)
    assert len(queries) == 1
    assert (live.of(queue.slug).canary is not None) is has_canary
    assert Policy.objects.canary().exists() is has_canary
