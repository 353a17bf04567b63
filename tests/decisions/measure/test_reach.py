"""What people do not reach in time, against days worked out by hand and worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from decisions.measure.regions import Band, Supposed
from decisions.measure.supposed import prospects, reach
from decisions.measure.supposed.reach import Lateness
from decisions.queues.spec import Order
from decisions.routing.policy import FloatArray
from tests.decisions.measure.supposing import LIVE, Made, made

PASSED = Lateness(days=1.0, step=900.0, order=Order.ARRIVAL, becomes=Band.PASS)


def late(tasks: list[float], *, control: float = 0.0, per_day: float = 100.0, days: float = 1.0) -> list[float]:
    demand = np.array(tasks)
    found: list[float] = reach.shares(demand, np.full(len(demand), control), per_day, days).tolist()
    return found


# tasks of each day -> the part of them that is not reached, for a hundred decisions a day and a day to the deadline
@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([90, 80, 100], [0, 0, 0]),  # all fits
        ([150, 50, 150, 50], [0, 0, 0, 0]),  # a bad day is worked off on the next, before anything is late
        ([200, 200], [0.5, 0.5]),  # twice too much every day: a day of work waits, and what comes beyond is late
        ([300, 0, 0], [1 / 3, 0, 0]),  # 100 are done, 100 wait a day, 100 are late
        ([], []),
        ([0, 0], [0, 0]),
    ],
)
def test_what_is_late_is_what_neither_the_day_nor_the_deadline_takes(tasks: list[float], expected: list[float]) -> None:
    assert late(tasks) == pytest.approx(expected)


def test_the_control_group_is_done_before_all_else() -> None:
    assert late([200, 200], control=50) == pytest.approx([2 / 3, 2 / 3])  # 50 of the other 150 are done


def test_nobody_at_work_reaches_nothing() -> None:
    assert late([10, 20], per_day=0.0) == [1.0, 1.0]


def test_a_longer_deadline_saves_what_comes_in_bursts_only() -> None:
    assert late([300, 0, 0], days=2.0) == [0, 0, 0]
    assert late([200, 200], days=7.0)[1] == pytest.approx(0.5)


def on_a_day(seed: int) -> Made:
    """Return a world whose items came within a day, at random."""
    one = made(seed)
    rng = np.random.default_rng(seed)
    arrived = rng.random(len(one.truth)) * reach.DAY
    places = {score: k for k, score in enumerate(one.score.tolist())}
    of_labels = arrived[[places[score] for score in one.world.labels.score.tolist()]]
    world = replace(
        one.world,
        stream=replace(one.world.stream, arrived=arrived),
        labels=replace(one.world.labels, arrived=of_labels),
    )
    return Made(world, one.truth)


def supposed(world: Made, part: float, rule: Lateness) -> tuple[Supposed, FloatArray]:
    """Return the live policy with a part of SOFT not reached, and which items that concerns."""
    sent = Supposed.of(world.world, LIVE)
    found = reach.apply(sent, np.array([part]), reach.DAY, rule)
    return found, (sent.items == Band.SOFT) & (found.items != Band.SOFT)


@pytest.mark.parametrize("order", [Order.ARRIVAL, Order.SCORE])
def test_recall_falls_by_what_is_passed_unseen(order: Order) -> None:
    hits = 0
    for seed in range(8):
        world = on_a_day(seed)
        found, gone = supposed(world, 0.4, replace(PASSED, order=order))
        assert gone.sum() == pytest.approx(0.4 * (Supposed.of(world.world, LIVE).items == Band.SOFT).sum(), abs=5)
        caught = world.truth[(found.items == Band.HARD) | (found.items == Band.SOFT)].sum()
        recall = prospects.recall(found)
        assert recall.low is not None
        assert recall.high is not None
        hits += recall.low <= caught / world.truth.sum() <= recall.high
    assert hits >= 7


def test_the_least_likely_go_unreached_where_the_queue_ranks_by_score() -> None:
    world = on_a_day(1)
    found, gone = supposed(world, 0.5, replace(PASSED, order=Order.SCORE))
    assert world.score[gone].max() <= world.score[found.items == Band.SOFT].min()
    by_lot, _gone = supposed(world, 0.5, PASSED)
    assert (prospects.recall(found).value or 0) > (prospects.recall(by_lot).value or 1)
    assert (prospects.precision(found.soft).value or 0) > (prospects.precision(by_lot.soft).value or 1)


def test_what_waits_on_is_neither_caught_nor_missed() -> None:
    world = on_a_day(2)
    found, gone = supposed(world, 0.5, replace(PASSED, becomes=Band.NONE))
    assert (found.items[gone] == Band.NONE).all()
    recalls = [prospects.recall(one).value for one in (supposed(world, 0.5, PASSED)[0], found)]
    full = prospects.recall(Supposed.of(world.world, LIVE)).value
    assert recalls[0] is not None
    assert recalls[1] is not None
    assert full is not None
    assert recalls[0] < recalls[1] < full


def test_what_is_acted_on_unseen_makes_hard_less_precise() -> None:
    world = on_a_day(3)
    found, _gone = supposed(world, 0.5, replace(PASSED, becomes=Band.HARD))
    full = Supposed.of(world.world, LIVE)
    assert (prospects.precision(found.hard).value or 1) < (prospects.precision(full.hard).value or 0)
    gap = prospects.precision_gap(full, found)
    assert gap.value is not None
    assert gap.value < 0


def test_sets_that_do_not_hold_each_other_differ_as_if_they_shared_nothing() -> None:
    world = on_a_day(4)
    live, _gone = supposed(world, 0.5, PASSED)
    new = reach.apply(Supposed.of(world.world, replace(LIVE, soft=0.2)), np.array([0.8]), reach.DAY, PASSED)
    gap, one, other = prospects.recall_gap(live, new), prospects.recall(new), prospects.recall(live)
    assert gap.value == pytest.approx((one.value or 0) - (other.value or 0))
    assert gap.low is not None
    assert gap.value is not None
    assert gap.low < gap.value


def test_where_all_is_reached_nothing_changes() -> None:
    sent = Supposed.of(made(1).world, LIVE)
    assert reach.apply(sent, np.zeros(3), reach.DAY, PASSED) is sent
