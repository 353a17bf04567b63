"""What the filter did in figures: block rate, precision of blocks, errors in what was let through, break-even."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from decisions.measure import filtered, operating, rollups
from decisions.measure.filtered import Blocks, Verdict
from decisions.models import Doubt, Item, Queue
from decisions.queues import live
from decisions.queues.spec_filter import Filter
from tests.decisions.intake.test_doubts import RULES, guarded
from tests.decisions.measure.measured import ruled
from tests.factories import NOON, make_item

pytestmark = pytest.mark.django_db
AT = NOON + timedelta(hours=5)


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def flag(queue: Queue, truth: str, *, blocked: bool = True, **fields: Any) -> Item:
    """Store an item that the filter flagged, with its answer ("" for none)."""
    route = {"route": "soft", "reason": "filter", "propensity": 1.0} if blocked else {"route": "hard"}
    item = make_item(queue, **{"band": "hard", "score": 0.95, "p": 0.95, **route, **fields})
    force = live.of(queue.slug)
    assert force.filter_ready is not None
    Doubt.objects.create(
        item=item,
        queue=queue,
        model=force.filter_ready,
        doubt=0.8,
        cut=0.5,
        let_through=0.25,
        is_blocked=blocked,
        at=item.arrived_at,
    )
    return ruled(item, {"negative": "ham", "positive": "spam"}[truth]) if truth else item


def told_of_forty(queue: Queue) -> Queue:
    """Let people answer forty blocked items of a queue, of which the model was wrong about thirty; count them."""
    for truth, count in (("negative", 30), ("positive", 10)):
        for _ in range(count):
            flag(queue, truth)
    told(queue)
    return queue


def told(queue: Queue) -> Blocks:
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - timedelta(days=1))
    rollups.roll_up(AT)
    found = filtered.measured(live.of(queue.slug), AT)
    assert found is not None
    return found


def test_the_precision_of_blocks_is_how_often_people_say_the_model_was_wrong() -> None:
    queue = guarded()
    for truth, count in (("negative", 6), ("positive", 4), ("", 2)):
        for _ in range(count):
            flag(queue, truth)
    make_item(queue, band="hard", route="hard", propensity=0.2)
    found = told(queue)
    assert (found.guarded, found.blocked, found.let_on) == (13, 12, 0)
    assert found.rate == pytest.approx(12 / 13)
    assert (found.precision.value, found.precision.n) == (0.6, 10)
    assert found.precision.low is not None
    assert found.precision.high is not None
    assert found.precision.low < 0.6 < found.precision.high  # of ten answers, not of a census
    assert (found.even, found.verdict) == (0.1, Verdict.OPEN)


def test_what_was_let_through_is_seen_by_its_control_group_by_one_over_pi() -> None:
    queue = guarded()
    control = {"route": "soft", "reason": "control", "propensity": 0.2}
    for truth in ("negative", "negative", "positive"):
        flag(queue, truth, blocked=False, **control)
    flag(queue, "", blocked=False, propensity=0.2, reason="score")
    flag(queue, "negative", blocked=False, propensity=0.2, reason="score")  # a complaint: in no sample
    found = told(queue)
    assert (found.blocked, found.let_on) == (0, 5)
    assert found.missed.value == pytest.approx(2 / 3)
    assert found.missed.n == 3
    assert found.precision.value is None


@pytest.mark.parametrize(
    ("wrong", "right", "verdict"), [(30, 10, Verdict.PAYS), (0, 60, Verdict.LOSES), (0, 29, Verdict.OPEN)]
)
def test_the_verdict_waits_for_thirty_answers(wrong: int, right: int, verdict: Verdict) -> None:
    queue = guarded()
    for truth, count in (("negative", wrong), ("positive", right)):
        for _ in range(count):
            flag(queue, truth)
    assert told(queue).verdict == verdict


def test_a_pass_errs_where_the_truth_is_positive() -> None:
    found = filtered.errors(["hard", "hard", "pass", "pass", "pass"], np.array([0.0, 1.0, 0.0, 1.0, np.nan]))
    assert found[:4].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert np.isnan(found[4])


def test_blocks_stay_out_of_the_precision_of_hard_and_are_told_apart() -> None:
    queue = guarded()
    for _ in range(5):
        flag(queue, "negative")
    for _ in range(3):
        ruled(make_item(queue, band="hard", route="soft", reason="control", propensity=0.2), "spam")
    told(queue)
    found = operating.between(queue.pk, NOON - timedelta(days=1), AT, at=AT)
    assert found.hard.value == 1.0
    assert [(one.reason, one.items, one.share.value) for one in found.apart] == [("filter", 5, 0.0)]


def test_break_even_is_the_quotient_of_the_costs() -> None:
    assert (RULES.even, Filter(cut=0.5, cost_block=2.0, cost_error=8.0).even, Filter().even) == (0.1, 0.25, 1.0)
    assert filtered.measured(live.of(guarded(Filter()).slug), AT) is None
