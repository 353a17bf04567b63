"""Trials: the same world audited again and again, and how often the estimates held."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.measure import estimates, misses
from decisions.measure.misses import Caught
from decisions.routing import sampling
from tests.simulation import worlds
from tests.simulation.worlds import Scenario, World

FIGURES = ("missed", "short", "recall", "overstated", "precision", "bias", "width", "found")


@dataclass(frozen=True)
class Outcome:
    """How often, in a scenario's draws, the 95 % intervals held; what the labels cost; and what was found.

    `short` is how often the upper limit of the misses was below the truth, which is how often recall is overstated
    where all that was caught is known; `overstated` the same with HARD known from its control only. `cost` is the
    variance of the misses over that of a simple random sample as large: the labels needed over those it would need.
    """

    name: str
    draws: int
    missed: float  # coverage
    short: float
    recall: float  # coverage
    overstated: float
    precision: float  # coverage of HARD's, by its control
    bias: float  # mean estimate over the truth
    width: float  # mean upper limit over the truth
    found: float  # positives in an audit
    cost: float


def run(scenario: Scenario, *, draws: int, seeds: Sequence[int]) -> Outcome:
    """Audit a world a seed, so many times in all."""
    parts = [_run(worlds.make(scenario, seed), draws // len(seeds), seed) for seed in seeds]
    rows = np.concatenate([part for part, _cost in parts])
    means = dict(zip(FIGURES, map(float, rows.mean(axis=0)), strict=True))
    cost = float(np.exp(np.mean([np.log(cost) for _part, cost in parts])))
    return Outcome(name=scenario.name, draws=len(rows), cost=cost, **means)


def _run(world: World, draws: int, seed: int) -> tuple[worlds.FloatArray, float]:
    """Return a row of FIGURES a draw, and the cost."""
    passes, hard = world.passes, world.hard
    soft = int(world.y[~passes & ~hard].sum())
    truth, positives = int(world.y[passes].sum()), int(world.y.sum())
    of, right = int(passes.sum()), world.y[hard].astype(np.float64)
    numbers = np.random.default_rng(seed + 1)
    rows = []
    for sample in worlds.audits(world, draws, seed):
        missed = misses.missed(sample.y, sample.pi, sample.p_floored, of=of)
        control = right[numbers.random(len(right)) < worlds.CONTROL]
        share = estimates.precision(control, np.full(len(control), worlds.CONTROL))
        recall = misses.recall(Caught(soft, len(right), share), missed)
        known = (positives - truth) / positives
        limits = [one or 0.0 for one in (missed.low, missed.high, recall.low, recall.high)]
        low, high = share.at(0.95)
        rows.append(
            (
                limits[0] <= truth <= limits[1],
                limits[1] < truth,
                limits[2] <= known <= limits[3],
                limits[2] > known,
                low <= (right.mean() if len(right) else 0.0) <= high,
                (missed.value or 0.0) / truth,
                limits[1] / truth,
                missed.found,
            )
        )
    return np.array(rows, dtype=np.float64), cost(world)


def cost(world: World) -> float:
    """Return the variance of the misses over that of a simple random sample with as many audits.

    Both are those of Poisson sampling: sum of 1/pi - 1 over the positives.
    """
    y, q, n = world.y[world.passes], world.q, world.scenario.audits
    tau = worlds.threshold(q, n)
    ours = (1 / sampling.inclusion(q, tau)[y] - 1).sum()
    return float(ours / (y.sum() * (len(q) / n - 1)))


def geometric_mean(costs: Sequence[float]) -> float:
    """Return the mean of ratios."""
    return float(np.exp(np.mean(np.log(costs))))
