"""Precision and recall of supposed policies, against the truth of made worlds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from decisions.measure.regions import Labels, Supposed, World
from decisions.measure.supposed import prospects
from decisions.measure.supposed.prospects import NO_ITEMS, NOT_MEASURED, Figure
from decisions.routing.policy import BoolArray, Cuts, FloatArray
from tests.decisions.measure.supposing import LIVE, Made, made

# Cuts that raise, lower, move both together and apart.
WHAT_IF = [
    replace(LIVE, hard=0.9),
    replace(LIVE, hard=0.6),
    replace(LIVE, soft=0.15),
    replace(LIVE, soft=0.5),
    replace(LIVE, hard=0.95, soft=0.1),
]
WORLDS = 50


def of_hard(score: FloatArray, truth: FloatArray, cuts: Cuts) -> float:
    return float(truth[at_least(score, cuts.hard)].mean())


def of_all(score: FloatArray, truth: FloatArray, cuts: Cuts) -> float:
    return float(truth[at_least(score, cuts.soft)].sum() / truth.sum())


def at_least(score: FloatArray, cut: float | None) -> BoolArray:
    assert cut is not None
    return np.asarray(score >= cut)


def covered(figure: Figure, truth: float) -> bool:
    assert figure.low is not None
    assert figure.high is not None
    return figure.low - 1e-9 <= truth <= figure.high + 1e-9


@pytest.mark.parametrize("cuts", WHAT_IF)
@pytest.mark.parametrize(
    ("figure", "gap", "truth"),
    [
        (lambda supposed: prospects.precision(supposed.hard), prospects.precision_gap, of_hard),
        (prospects.recall, prospects.recall_gap, of_all),
    ],
)
def test_intervals_hold_the_truth(
    cuts: Cuts,
    figure: Callable[[Supposed], Figure],
    gap: Callable[[Supposed, Supposed], Figure],
    truth: Callable[[FloatArray, FloatArray, Cuts], float],
) -> None:
    hits, gaps, errors = 0, 0, []
    for seed in range(WORLDS):
        world = made(seed)
        live, new = Supposed.of(world.world, LIVE), Supposed.of(world.world, cuts)
        true, was = truth(world.score, world.truth, cuts), truth(world.score, world.truth, LIVE)
        found, differs = figure(new), gap(live, new)
        hits += covered(found, true)
        gaps += covered(differs, true - was)
        assert found.value is not None
        errors.append(found.value - true)
    assert hits >= 0.9 * WORLDS
    assert gaps >= 0.9 * WORLDS
    assert abs(float(np.mean(errors))) < 0.02


def test_the_difference_is_surer_than_the_two_figures() -> None:
    world = made(1).world
    live, new = Supposed.of(world, LIVE), Supposed.of(world, replace(LIVE, soft=0.28))
    differs, alone = prospects.recall_gap(live, new), prospects.recall(new)
    assert differs.low is not None
    assert differs.high is not None
    assert alone.low is not None
    assert alone.high is not None
    assert differs.high - differs.low < (alone.high - alone.low) / 2


def test_the_same_policy_does_not_differ() -> None:
    world = made(2).world
    live = Supposed.of(world, LIVE)
    again = Supposed.of(world, replace(LIVE, control_share=0.5))
    for gap in (prospects.precision_gap, prospects.recall_gap, prospects.soft_gap):
        found = gap(live, again)
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_more_caught_is_a_gain_and_the_other_way_a_loss_of_the_same() -> None:
    world = made(3).world
    live, new = Supposed.of(world, LIVE), Supposed.of(world, replace(LIVE, soft=0.1, hard=0.9))
    for gap in (prospects.precision_gap, prospects.recall_gap):
        there, back = gap(live, new), gap(new, live)
        assert there.value is not None
        assert there.value > 0
        assert back.value == pytest.approx(-there.value)
        assert back.low == pytest.approx(-(there.high or 0.0))


def without(world: World, band: str) -> World:
    """Return a world in which nobody labelled any item of a band."""
    labels = world.labels
    keep = labels.band != band
    return World(world.stream, Labels(*(getattr(labels, name)[keep] for name in labels.__dataclass_fields__)))


def test_recall_without_audits_is_a_guess_only() -> None:
    world = without(made(4).world, "pass")
    found = prospects.recall(Supposed.of(world, LIVE))
    assert (found.value, found.low, found.why) == (None, None, NOT_MEASURED)
    assert found.guess == pytest.approx(of_all(world.stream.score, world.stream.score, LIVE))


def test_a_cut_into_what_nobody_labelled_is_not_measured_there() -> None:
    world = without(made(5).world, "pass")
    live, new = Supposed.of(world, LIVE), Supposed.of(world, replace(LIVE, soft=0.1))
    assert prospects.precision(live.soft).value is not None
    assert prospects.precision(new.soft).why == NOT_MEASURED
    assert prospects.precision(new.soft).guess is not None
    assert prospects.recall_gap(live, new).why == NOT_MEASURED
    assert prospects.recall_gap(live, new).guess == pytest.approx(
        of_all(world.stream.score, world.stream.score, replace(LIVE, soft=0.1))
        - of_all(world.stream.score, world.stream.score, LIVE)
    )


def test_a_few_items_without_labels_widen_the_interval_by_all_they_might_be() -> None:
    world = without(made(6).world, "pass")
    narrow = prospects.precision(Supposed.of(world, LIVE).soft)
    wider = prospects.precision(Supposed.of(world, replace(LIVE, soft=0.295)).soft)
    assert narrow.low is not None
    assert narrow.high is not None
    assert narrow.low == narrow.high == narrow.value  # a census
    assert wider.low is not None
    assert wider.high is not None
    assert wider.low < narrow.low
    assert wider.high > narrow.high


def test_recall_counts_a_few_passes_without_labels_as_missed_at_worst() -> None:
    world = made(12).world
    labels = world.labels
    told = np.where(
        (labels.band == "soft") & (labels.score < 0.32), np.nan, labels.y
    )  # the lowest soft ones unanswered
    cuts = replace(LIVE, soft=0.32)
    sure = prospects.recall(Supposed.of(world, cuts))
    blind = prospects.recall(Supposed.of(World(world.stream, replace(labels, y=told)), cuts))
    assert blind.value is not None
    assert sure.low is not None
    assert blind.low is not None
    moved = ((world.stream.score >= 0.3) & (world.stream.score < 0.32)).sum()
    assert moved > 100
    assert blind.low < sure.low * 0.98


def test_hard_without_a_control_group_is_not_measured_but_what_was_soft_is() -> None:
    world = without(made(7).world, "hard")
    live, new = Supposed.of(world, LIVE), Supposed.of(world, replace(LIVE, hard=0.3))
    assert prospects.precision(live.hard).why == NOT_MEASURED
    assert prospects.precision(new.hard).why == NOT_MEASURED
    assert prospects.precision_gap(live, new).value is None
    assert prospects.recall(live).why == NOT_MEASURED


def test_a_queue_that_only_ranks_misses_nothing() -> None:
    ranks = Cuts(hard=None, soft=None)
    world = made(8, cuts=ranks).world
    found = prospects.recall(Supposed.of(world, ranks))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert prospects.precision(Supposed.of(world, ranks).hard).why == NO_ITEMS


def test_no_miss_found_is_a_limit_and_not_a_recall_of_one() -> None:
    world = made(9).world
    labels = replace(world.labels, y=np.where(world.labels.band == "pass", 0.0, world.labels.y))
    found = prospects.recall(Supposed.of(World(world.stream, labels), LIVE))
    assert found.value is None
    assert found.low is not None
    assert 0.5 < found.low < 1.0
    assert found.why == "none_found"


def test_answers_that_did_not_come_do_not_count_as_negatives() -> None:
    world: Made = made(10)
    labels = world.world.labels
    y = np.where(np.random.default_rng(0).random(len(labels.y)) < 0.3, np.nan, labels.y)
    found = prospects.recall(Supposed.of(World(world.world.stream, replace(labels, y=y)), LIVE))
    assert covered(found, of_all(world.score, world.truth, LIVE))


def test_nothing_came() -> None:
    world = made(11, items=0, audits=0).world
    live = Supposed.of(world, LIVE)
    assert prospects.recall(live).why == NO_ITEMS
    assert prospects.precision(live.hard).why == NO_ITEMS
    assert prospects.recall_gap(live, Supposed.of(world, replace(LIVE, soft=0.1))).value is None
