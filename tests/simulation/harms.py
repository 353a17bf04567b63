"""Trials of audits that are weighed by what a miss costs: are misses and their cost covered, and at what price."""

from dataclasses import dataclass, replace

import numpy as np

from decisions.measure import misses
from decisions.routing import sampling
from tests.simulation import worlds
from tests.simulation.worlds import FloatArray, Scenario, World

SPREAD = 1.2  # standard deviation of the logarithm of the harm: the tenth at the top makes up half of it


@dataclass(frozen=True)
class Weighed:
    """How often the 95 % intervals held and what they cost, with sizes weighed by the harm.

    `short` and `harm_short`: the upper limit was below the truth. `gain` and `price` are the variance of the harm and
    of the count beside those with sizes that do not know the harm; `heaviest` is the greatest weight beside its bound.
    """

    missed: float
    short: float
    harm: float
    harm_short: float
    bias: float
    gain: float
    price: float
    heaviest: float


def run(scenario: Scenario, *, lean: float, draws: int, seed: int) -> Weighed:
    """Audit a world again and again; `lean` is by how much the log of the harm rises with that of p."""
    plain = worlds.make(scenario, seed)
    p = plain.p[plain.passes]
    numbers = np.random.default_rng(seed + 7)
    harm = np.exp(SPREAD * numbers.standard_normal(len(p)) + lean * np.log(p))
    v = sampling.stakes(harm, float((harm**2).mean()))
    world = replace(plain, q=sampling.q(p, float(p.mean()), scenario.beta, v), v=v)
    y = world.y[world.passes]
    truth, cost = int(y.sum()), float(harm[y].sum())
    rows = []
    for sample in worlds.audits(world, draws, seed):
        count = misses.missed(sample.y, sample.pi, sample.p_floored, of=len(p))
        lost = misses.harmed(sample.y, sample.pi, sample.p_floored, harm[sample.places])
        (low, high), (least, most) = count.at(0.95), lost.at(0.95)
        rows.append(
            (low <= truth <= high, high < truth, least <= cost <= most, most < cost, (lost.value or 0.0) / cost)
        )
    missed, short, held, harm_short, bias = np.array(rows, dtype=np.float64).mean(axis=0).tolist()
    pi, unweighed = _pi(world), _pi(plain)
    return Weighed(
        missed=missed,
        short=short,
        harm=held,
        harm_short=harm_short,
        bias=bias,
        gain=_variance(pi[y], harm[y]) / _variance(unweighed[y], harm[y]),
        price=_variance(pi[y], np.ones(truth)) / _variance(unweighed[y], np.ones(truth)),
        heaviest=float((1 / pi).max()) / (len(p) / scenario.audits / np.sqrt(sampling.HARM * scenario.beta)),
    )


def _pi(world: World) -> FloatArray:
    """Return the inclusion probability of each pass under Poisson sampling with the world's budget."""
    return sampling.inclusion(world.q, worlds.threshold(world.q, world.scenario.audits))


def _variance(pi: FloatArray, worth: FloatArray) -> float:
    return float((worth**2 * (1 / pi - 1)).sum())
