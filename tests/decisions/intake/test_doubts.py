"""The filter between a score and the machine: what it blocks, what goes on by lot, and what its breaking costs."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from pytest_django import Settings
from scipy import stats

from decisions.intake import ladder, parse, submit
from decisions.learning import registry
from decisions.models import Doubt, Item, ModelVersion, Queue, Task
from decisions.queues import live
from decisions.queues.spec import ModelSpec
from decisions.queues.spec_filter import Filter
from decisions.routing import policy, sampling
from tests.decisions.learning.stored import make_model, scorer
from tests.factories import NOON, make_policy, make_queue, make_spec, make_user

pytestmark = pytest.mark.django_db
RULES = Filter(cut=0.5, let_through=0.25, cost_block=1.0, cost_error=10.0)


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def guarded(rules: Filter = RULES, **changes: Any) -> Queue:
    """A queue whose model finds messages of more than 50 words spam, and whose filter doubts it above 80."""
    model = ModelSpec(pipeline="boosting", label="spam", positive="1")
    queue = make_queue(model=model, filter=rules, **changes)
    main = make_model(queue, "main", data_set="d" * 64)
    make_model(
        queue,
        "filter-1",
        made=scorer(80.0),
        kind=ModelVersion.Kind.FILTER,
        data_set="d" * 64,
        parameters={"of": "main"},
    )
    make_policy(queue, "live", model=main, hard=0.9, soft=0.3, control_share=0.2)
    return queue


def take(queue: Queue, count: int, words: int, prefix: str = "m") -> list[Item]:
    lines = [{"external_id": f"{prefix}-{i}", "payload": {"text": "hi", "words": words}} for i in range(count)]
    body = b"\n".join(orjson.dumps(line) for line in lines)
    batch = submit.many(queue=live.of(queue.slug), lines=parse.many(body), sender=make_user(), at=NOON)
    assert not batch.errors
    return list(Item.objects.filter(queue=queue, external_id__startswith=f"{prefix}-").order_by("pk"))


def test_what_it_doubts_goes_to_people_but_for_a_lot_and_propensities_say_so() -> None:
    queue = guarded()
    items = take(queue, 800, words=95)
    assert {item.band for item in items} == {"hard"}
    blocked = [item for item in items if item.reason == "filter"]
    low, high = stats.binom.interval(0.9999, 800, 0.75)
    assert low <= len(blocked) <= high
    assert {(item.route, item.propensity) for item in blocked} == {("soft", 1.0)}
    on = [item for item in items if item.reason != "filter"]
    assert {(item.route, item.reason, item.propensity) for item in on} == {
        ("hard", "score", 0.2),
        ("soft", "control", 0.2),
    }
    rows = Doubt.objects.filter(queue=queue)
    assert set(rows.filter(is_blocked=True).values_list("item", flat=True)) == {item.pk for item in blocked}
    assert set(rows.filter(is_blocked=False).values_list("item", flat=True)) == {item.pk for item in on}
    assert set(rows.values_list("cut", "let_through", "model__name")) == {(0.5, 0.25, "filter-1")}
    assert Counter(Task.objects.filter(item__in=blocked).values_list("purpose", flat=True)) == {"soft": len(blocked)}


def test_the_lot_of_an_item_follows_from_its_id_alone_and_in_a_batch() -> None:
    queue = guarded()
    together = take(queue, 40, words=95)
    alone = [item for i in range(20) for item in take(queue, 1, words=95, prefix=f"one{i}")]
    names = [item.external_id for item in (*together, *alone)]
    lots = sampling.lots(queue.slug, names, sampling.Purpose.FILTER)
    assert [item.reason == "filter" for item in (*together, *alone)] == [lot >= 0.25 for lot in lots]


def test_below_its_cut_and_below_the_hard_cut_nothing_is_touched() -> None:
    queue = guarded()
    assert {item.reason for item in take(queue, 60, words=60, prefix="sure")} == {"score", "control"}
    assert {item.reason for item in take(queue, 20, words=5, prefix="pass")} == {"score"}
    assert not Doubt.objects.exists()


@pytest.mark.parametrize(("action", "reasons"), [("", {"score"}), ("deliver", {"score", "filter"})])
def test_passes_are_guarded_only_where_passing_causes_an_action(action: str, reasons: set[str]) -> None:
    queue = guarded(routes=replace(make_spec().routes, pass_action=action))
    filter_ = ModelVersion.objects.get(queue=queue, kind="filter")
    make_model(
        queue,
        "filter-2",
        made=scorer(20.0, is_turned=True),
        kind=filter_.kind,
        data_set="d" * 64,
        parameters={"of": "main"},
    )
    items = take(queue, 60, words=5)
    assert {item.band for item in items} == {"pass"}
    assert {item.reason for item in items} == reasons
    assert {item.route for item in items if item.reason == "filter"} <= {"soft"}


def test_turned_off_it_blocks_nothing_and_at_once() -> None:
    queue = guarded()
    Queue.objects.filter(pk=queue.pk).update(is_filter_off=True)
    assert {item.reason for item in take(queue, 40, words=95)} == {"score", "control"}
    Queue.objects.filter(pk=queue.pk).update(is_filter_off=False)
    assert "filter" in {item.reason for item in take(queue, 40, words=95, prefix="n")}


def test_a_filter_of_another_model_is_not_asked() -> None:
    queue = guarded()
    make_policy(queue, "live", model=make_model(queue, "newer"), hard=0.9, soft=0.3)
    assert {item.reason for item in take(queue, 40, words=95)} <= {"score", "control"}


@pytest.mark.parametrize(("harm", "code"), [("gone", "filter:missing"), ("bent", "filter:refused")])
def test_a_broken_filter_blocks_nothing_loses_nothing_and_is_counted(harm: str, code: str) -> None:
    queue = guarded()
    path = registry.folder() / ModelVersion.objects.get(queue=queue, kind="filter").file
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    items = take(queue, 30, words=95)
    assert len(items) == 30
    assert {item.reason for item in items} <= {"score", "control"}
    assert {tuple(item.failures) for item in items} == {(code,)}


def test_what_is_no_probability_blocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = guarded()
    asked = ladder.in_time

    def odd(model: ModelVersion, payloads: Any) -> Any:
        return np.full(len(payloads), 7.0) if model.kind == "filter" else asked(model, payloads)

    monkeypatch.setattr(ladder, "in_time", odd)
    assert {(item.reason in ("score", "control"), *item.failures) for item in take(queue, 10, words=95)} == {
        (True, "filter:error")
    }


def test_failed_checks_that_the_owner_leaves_to_the_machine_do_not_free_what_is_blocked() -> None:
    queue = guarded(failed_check_routes=("hard", "pass"), fallback_routes=("hard", "pass"))
    blocked = [item for item in take(queue, 40, words=95) if item.reason == "filter"]
    assert blocked
    assert {item.route for item in blocked} == {"soft"}


def test_both_parts_together_tell_the_truth_of_all_that_was_flagged() -> None:
    """Weighted by 1/pi within each part, what is seen estimates the errors of all: over many worlds the mean is right.

    Of what went on, the control group alone estimates the precision of what the machine does, whatever was blocked.
    """
    rng, n = np.random.default_rng(5), 400
    whole, acts = [], []
    for _world in range(300):
        wrong = rng.uniform(size=n) < np.linspace(0.1, 0.6, n)
        flagged, lots, control_u = np.linspace(0.1, 0.6, n) > 0.4, rng.uniform(size=n), rng.uniform(size=n)
        blocked = flagged & (lots >= RULES.let_through)
        reasons = np.where(blocked, "filter", "score").astype(object)
        routed = policy.route(np.full(n, 0.95), reasons, control_u, policy.Cuts(hard=0.9, soft=0.3, control_share=0.2))
        seen = routed.route == "soft"
        whole.append((wrong[seen] / routed.propensity[seen]).sum() / n - wrong.mean())
        control = routed.reason == "control"
        acts.append((wrong[control] / routed.propensity[control]).sum() / n - wrong[~blocked].sum() / n)
    for off in (whole, acts):
        assert abs(np.mean(off)) < 4 * np.std(off) / np.sqrt(len(off))
