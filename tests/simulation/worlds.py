"""The simulated worlds: items with a true probability each, the score that a model shows for it, and a route."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit

from decisions.measure import calibrate
from decisions.routing import sampling

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

SPREAD = 3.0  # standard deviation of the true log odds
SOFT, HARD = 0.2, 0.5  # thresholds on the recalibrated probability
CONTROL = 0.1
HISTORY = 50_000  # labelled items of the past, from which the score is recalibrated
EDGE = 1e-6
LEVELS = 64  # of size, in the quick draw
AHEAD = 1.5  # how many more candidates the quick draw takes than are wanted


class Score(StrEnum):
    """How the score that is shown relates to the truth."""

    CALIBRATED = "calibrated"
    OVER = "over-confident"  # log odds twice too far from even
    UNDER = "under-confident"  # log odds half as far as they should be
    ROUNDED = "rounded"  # to two digits: most passes show 0.00
    BLIND = "blind"  # a fifth of the positives looks like any item
    NOISE = "noise"  # the score says nothing at all


@dataclass(frozen=True)
class Scenario:
    """What a world is made from: `items` of which `rate` are positive, `audits` of its passes, the floor's `beta`."""

    score: Score
    rate: float
    items: int
    audits: int = 2_000
    beta: float = sampling.BETA

    @property
    def name(self) -> str:
        floor = "" if self.beta == sampling.BETA else f", beta {self.beta:g}"
        return f"{self.score}, {self.rate:.1%} of {self.items:,}{floor}"


SCENARIOS = tuple(
    Scenario(score, rate, items)
    for rate, items in ((0.001, 1_000_000), (0.01, 200_000))
    for score in (Score.CALIBRATED, Score.OVER, Score.UNDER, Score.ROUNDED, Score.BLIND)
)
NOISE = tuple(Scenario(Score.NOISE, rate, items) for rate, items in ((0.001, 1_000_000), (0.01, 200_000)))
LATER = tuple(replace(one, beta=0.1) for one in SCENARIOS)  # the floor once a hundred positives have been audited


@dataclass(frozen=True)
class World:
    """A made scenario: for each item whether it is positive and its recalibrated probability, and the passes' sizes."""

    scenario: Scenario
    y: BoolArray
    p: FloatArray
    q: FloatArray  # of the passes
    v: FloatArray | None = None  # what of it is for the harm

    @property
    def passes(self) -> BoolArray:
        return self.p < SOFT

    @property
    def hard(self) -> BoolArray:
        return self.p >= HARD


@dataclass(frozen=True)
class Sample:
    """The rows of one draw."""

    y: FloatArray
    pi: FloatArray
    p_floored: FloatArray
    places: IntArray  # among the passes


def make(scenario: Scenario, seed: int) -> World:
    """Make a world: log odds are normal around what gives the rate, and Platt scaling learnt from a labelled past."""
    numbers = np.random.default_rng(seed)
    middle = _middle(scenario.rate)
    past = _shown(scenario.score, middle, HISTORY, numbers)
    y, score = _shown(scenario.score, middle, scenario.items, numbers)
    p = _recalibrated(score, *past)
    passes = p[p < SOFT]
    return World(scenario, y, p, sampling.q(passes, float(passes.mean()), scenario.beta))


def _middle(rate: float) -> float:
    """Return the mean of the log odds with which this share is positive."""
    points = np.polynomial.hermite_e.hermegauss(99)
    return float(brentq(lambda m: points[1] @ expit(m + SPREAD * points[0]) / points[1].sum() - rate, -30, 0))


def _shown(score: Score, middle: float, n: int, numbers: np.random.Generator) -> tuple[BoolArray, FloatArray]:
    """Return the truth of n items and the score that is shown for each."""
    odds = middle + SPREAD * numbers.standard_normal(n)
    y = numbers.random(n) < expit(odds)
    shown = {Score.OVER: 2 * odds, Score.UNDER: odds / 2}.get(score, odds)
    scores: FloatArray = expit(shown)
    if score is Score.ROUNDED:
        scores = np.round(scores, 2)
    if score is Score.BLIND:
        unseen = np.flatnonzero(y & (numbers.random(n) < 0.2))
        scores[unseen] = numbers.choice(scores, len(unseen))
    if score is Score.NOISE:
        scores = numbers.permutation(scores)
    return y, scores


def _recalibrated(scores: FloatArray, y: BoolArray, past: FloatArray) -> FloatArray:
    """Return probabilities as the product would fit them to the past, with one edge for all."""
    odds, known = (logit(np.clip(some, EDGE, 1 - EDGE)) for some in (scores, past))
    return calibrate.platt(known, y.astype(np.float64)).p(odds)


def audits(world: World, draws: int, seed: int) -> Iterator[Sample]:
    """Draw the audit of the world's passes as often as asked, each with numbers of its own."""
    numbers, passes = np.random.default_rng(seed), world.passes
    y, q, n = world.y[passes].astype(np.float64), world.q, world.scenario.audits
    quick, v = Quick(q, n), np.ones(len(q)) if world.v is None else world.v
    for _ in range(draws):
        places, tau = quick.draw(numbers)
        yield Sample(y[places], sampling.inclusion(q[places], tau), (q[places] / v[places]) ** 2, places)


def threshold(q: FloatArray, n: int) -> float:
    """Return the tau at which a Poisson sample of these sizes has n items on average."""
    return float(brentq(lambda tau: sampling.inclusion(q, tau).sum() - n, 0, 1 / q.min()))


class Quick:
    """Draws from the same frame again and again in time that grows with the budget, not with the frame.

    Only items whose key u / q is below a bound can be drawn; how many these are among items of about the same size is
    binomial, which they are is even, and their u is uniform below the bound. The draw itself is the product's.
    """

    def __init__(self, q: FloatArray, n: int) -> None:
        order = np.argsort(q)
        self.q, self.n = q, n
        self.bound = AHEAD * n / q.sum()
        self.groups = [part for part in np.array_split(order, LEVELS) if len(part)]

    def draw(self, numbers: np.random.Generator) -> tuple[IntArray, float]:
        """Return the places that are kept, and tau."""
        parts = zip(*(self._near(group, numbers) for group in self.groups), strict=True)
        places, u = (np.concatenate(part) for part in parts)
        keys = u / self.q[places]
        near = keys < self.bound
        kept, tau = sampling.draw(keys[near], self.n)
        return places[near][kept], tau

    def _near(self, group: IntArray, numbers: np.random.Generator) -> tuple[IntArray, FloatArray]:
        most = min(1.0, self.bound * self.q[group[-1]])
        count = numbers.binomial(len(group), most)
        return numbers.choice(group, count, replace=False, shuffle=False), numbers.random(count) * most
