"""A made world for supposed policies: items with a truth, routed by a live policy, labelled as the design says."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from decisions.measure.regions import Labels, World
from decisions.routing import policy, sampling
from decisions.routing.policy import Cuts, FloatArray
from decisions.routing.simulate import Stream

LIVE = Cuts(hard=0.8, soft=0.3, control_share=0.2)


@dataclass(frozen=True)
class Made:
    """A world, and the truth of each of its items."""

    world: World
    truth: FloatArray

    @property
    def score(self) -> FloatArray:
        return self.world.stream.score


@cache
def made(seed: int, *, cuts: Cuts = LIVE, items: int = 12_000, audits: int = 800, rare: float = 0.25) -> Made:
    """Return items whose score is their true probability; SOFT and control all labelled, of the passes so many."""
    rng = np.random.default_rng(seed)
    score = rng.beta(rare, 1.0, items)
    truth = (rng.random(items) < score).astype(np.float64)
    reason = np.full(items, "score", dtype=object)
    routing = policy.route(score, reason, rng.random(items), cuts)
    pi = np.where(routing.route == "soft", routing.propensity, np.nan)
    passes = np.flatnonzero(routing.route == "pass")
    size = sampling.q(score[passes], float(score[passes].mean()) if len(passes) else 0.0)
    drawn, tau = sampling.draw(rng.random(len(passes)) / size, audits)
    pi[passes[drawn]] = sampling.inclusion(size[drawn], tau)
    stream = Stream(
        score=score,
        p=score,
        band=routing.band,
        reason=routing.reason,
        weight=np.ones(items),
        control_share=np.full(items, cuts.control_share),
        arrived=np.zeros(items),
        value=np.full(items, np.nan),
    )
    seen = ~np.isnan(pi)
    floored = np.full(items, np.nan)
    floored[passes] = size**2
    floored = np.where(np.isnan(floored), score, floored)
    labels = Labels(
        score=score[seen],
        band=routing.band[seen],
        y=truth[seen],
        pi=pi[seen],
        floored=floored[seen],
        p=score[seen],
        arrived=stream.arrived[seen],
        value=stream.value[seen],
    )
    return Made(World.of(stream, labels), truth)
