"""The promises of the estimates in worlds whose truth is known: coverage, no overstated recall, few labels."""

from functools import cache

import numpy as np
import pytest

from decisions.measure import estimates, misses
from decisions.measure.estimates import Estimate, FloatArray, Share
from decisions.measure.misses import Caught
from decisions.routing import sampling
from tests.simulation import trials, worlds
from tests.simulation.trials import Outcome
from tests.simulation.worlds import NOISE, SCENARIOS, Quick, Scenario, Score

DRAWS, SEEDS = 600, (11, 12)


def figures(found: Estimate) -> tuple[float, float, float]:
    """Return value and limits of a figure that was measured."""
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    return found.value, found.low, found.high


def labels(hits: int, n: int) -> Share:
    """Return the share of hits among n labels of a set without end."""
    return estimates.precision((np.arange(n) < hits).astype(np.float64), np.full(n, 1e-6))


@cache
def outcome(scenario: Scenario) -> Outcome:
    return trials.run(scenario, draws=DRAWS, seeds=SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_promises_hold(scenario: Scenario) -> None:
    found = outcome(scenario)
    assert found.missed >= 0.95
    assert found.recall >= 0.95
    assert found.precision >= 0.95
    assert max(found.short, found.overstated) <= 0.025
    assert abs(found.bias - 1) < 0.06  # four standard errors of the widest
    assert found.cost <= 0.75


@pytest.mark.slow
def test_labels_cost_less_than_half_of_a_simple_random_sample() -> None:
    assert trials.geometric_mean([outcome(scenario).cost for scenario in SCENARIOS]) <= 0.43


@pytest.mark.slow
@pytest.mark.parametrize("scenario", NOISE, ids=lambda scenario: scenario.name)
def test_scores_that_say_nothing_save_nothing_and_spoil_nothing(scenario: Scenario) -> None:
    found = outcome(scenario)
    assert min(found.missed, found.recall) >= 0.95
    assert max(found.short, found.overstated) <= 0.025
    assert found.cost <= 1.1


def test_the_quick_draw_is_the_draw() -> None:
    numbers = np.random.default_rng(3)
    q = np.exp(numbers.normal(-2, 1, 3_000))
    quick, draws = Quick(q, 100), 1_500
    seen = {True: np.zeros(len(q)), False: np.zeros(len(q))}
    taus: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(draws):
        for is_quick, (places, tau) in (
            (True, quick.draw(numbers)),
            (False, sampling.draw(numbers.random(len(q)) / q, 100)),
        ):
            seen[is_quick][places] += 1
            taus[is_quick].append(tau)
    groups = np.array_split(np.argsort(q), 30)  # how often items of about the same size are drawn
    quickly, slowly = ([seen[is_quick][group].sum() for group in groups] for is_quick in (True, False))
    apart = (np.array(quickly) - slowly) / np.sqrt(np.add(quickly, slowly))
    assert (apart**2).sum() < 59.7  # chi2 with 30 degrees of freedom at .999
    assert np.mean(taus[True]) == pytest.approx(np.mean(taus[False]), rel=0.02)
    assert np.std(taus[True]) == pytest.approx(np.std(taus[False]), rel=0.15)


def test_frames_pool_into_a_window() -> None:
    """Five days, each with a budget of its own, one a mid-day frame of half a day: rows are pooled, recalls are not."""
    days = [
        worlds.make(Scenario(Score.OVER, 0.01, items, audits), seed)
        for seed, (items, audits) in enumerate(
            [(40_000, 400), (60_000, 400), (20_000, 500), (20_000, 100), (50_000, 900)]
        )
    ]
    truth = sum(int(day.y[day.passes].sum()) for day in days)
    held, over, values = 0, 0, []
    for rows in zip(*(worlds.audits(day, 600, seed) for seed, day in enumerate(days)), strict=True):
        y, pi, floored = (np.concatenate([getattr(row, name) for row in rows]) for name in ("y", "pi", "p_floored"))
        found = misses.missed(y, pi, floored)
        value, low, high = figures(found)
        values.append(value)
        held += low <= truth <= high
        over += high < truth
    assert held / len(values) >= 0.95
    assert over / len(values) <= 0.025
    assert np.mean(values) == pytest.approx(truth, rel=0.04)


def test_audits_that_are_skipped_more_often_at_high_scores_do_not_bend_the_misses() -> None:
    world = worlds.make(Scenario(Score.CALIBRATED, 0.01, 100_000, 2_000), 5)
    truth, numbers = int(world.y[world.passes].sum()), np.random.default_rng(6)
    held, over, values, dropped = 0, 0, [], []
    for row in worlds.audits(world, 600, 7):
        rank = np.argsort(np.argsort(row.p_floored)) / len(row.y)
        y = np.where(numbers.random(len(row.y)) < 0.6 * rank, np.nan, row.y)
        found = misses.missed(y, row.pi, row.p_floored)
        value, low, high = figures(found)
        assert found.response is not None
        assert 0.6 < found.response < 0.95
        values.append(value)
        dropped.append((1 / row.pi)[y > 0].sum())
        held += low <= truth <= high
        over += high < truth
    assert held / len(values) >= 0.95
    assert over / len(values) <= 0.025
    assert np.mean(values) == pytest.approx(truth, rel=0.05)
    assert np.mean(dropped) < 0.75 * truth  # what dropping them silently would have said


def test_a_shares_interval_covers_where_soft_control_and_audits_are_mixed() -> None:
    """The precision above a threshold that lies in PASS: a census, a control group and an unequal sample in one set."""
    world = worlds.make(Scenario(Score.CALIBRATED, 0.01, 100_000, 2_000), 8)
    threshold, numbers = 0.05, np.random.default_rng(9)
    upper = world.p >= threshold
    truth, acted = world.y[upper].mean(), ~world.passes
    y_acted, pi_acted = world.y[acted].astype(float), np.where(world.hard, worlds.CONTROL, 1.0)[acted]
    held = 0
    for row in worlds.audits(world, 600, 10):
        kept = numbers.random(len(pi_acted)) < pi_acted
        near = row.p_floored >= 0.75 * threshold + 0.25 * world.p[world.passes].mean()
        found = estimates.precision(np.r_[y_acted[kept], row.y[near]], np.r_[pi_acted[kept], row.pi[near]])
        _value, low, high = figures(found)
        held += low <= truth <= high
    assert held / 600 >= 0.95


@pytest.mark.parametrize(("f", "sensitivity", "gold"), [(0.001, 0.9, 4_000), (0.0, 0.8, 400), (0.002, 0.95, 20_000)])
def test_reviewers_errors_are_taken_out_with_gold_items(f: float, sensitivity: float, gold: int) -> None:
    """Reviewers who call `f` of the negatives positive and see only a part of the positives."""
    world = worlds.make(Scenario(Score.CALIBRATED, 0.01, 100_000, 4_000), 13)
    truth, items, numbers = int(world.y[world.passes].sum()), int(world.passes.sum()), np.random.default_rng(14)
    held, told, values = 0, 0, []
    for row in worlds.audits(world, 500, 15):
        said: FloatArray = np.where(
            row.y > 0, numbers.random(len(row.y)) < sensitivity, numbers.random(len(row.y)) < f
        ).astype(float)
        found = misses.missed(said, row.pi, row.p_floored, of=items)
        wrong = labels(numbers.binomial(gold, f), gold)
        right = labels(numbers.binomial(400, sensitivity), 400)
        true = misses.corrected(found, items, wrong, right)
        if true.why is None:
            value, low, high = figures(true)
            told += 1
            values.append(value)
            held += low <= truth <= high
    assert told >= 450
    assert held / told >= 0.95
    assert np.mean(values) == pytest.approx(truth, rel=0.08)


def test_recall_is_bracketed_where_nobody_controls_hard() -> None:
    found = misses.missed(np.r_[np.ones(2), np.zeros(98)], np.full(100, 0.1), np.full(100, 0.01))
    recall = misses.recall(Caught(50, items=100), found)
    assert recall.value is None
    assert recall.why == estimates.Why.NO_CONTROL
    assert (recall.low or 1) < 50 / (50 + 20)
    assert (recall.high or 0) > 150 / (150 + 20)
