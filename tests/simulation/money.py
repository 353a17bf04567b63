"""Trials of the money that routes won: are the amounts of a made queue, whose truth is known, within their limits."""

from dataclasses import dataclass

import numpy as np

from decisions.measure import estimates, value
from decisions.measure.columns import BoolArray, FloatArray, IntArray
from decisions.measure.regions import Labels
from decisions.measure.supposed.worth import Amounts
from decisions.measure.value import Beside, People, Route, Taken
from decisions.queues.spec import Money, ValueFormula
from decisions.routing import policy, sampling
from decisions.routing.policy import Cuts

CUTS = Cuts(hard=0.9, soft=0.3, control_share=0.05)
FLAT = ValueFormula("EUR", tp=Money(1.0), fp=Money(-8.0), fn=Money(-3.0))
BY_AMOUNT = ValueFormula("EUR", tp=Money(0.0), fp=Money(0.0, -0.1, "amount"), fn=Money(0.0, -0.6, "amount"))
SENSITIVITY, FALSE_POSITIVES = 0.9, 0.02
COST, DELAY = 0.4, 0.05


@dataclass(frozen=True)
class Held:
    """How often the 95 % limits held the truth, the mean of the estimate over it, and how often there was one."""

    covered: float
    bias: float
    told: float


@dataclass(frozen=True)
class Made:
    """A queue of items: their scores, whether each is positive, and what each brings."""

    score: FloatArray
    y: FloatArray
    money: Amounts

    @classmethod
    def of(cls, formula: ValueFormula, seed: int) -> "Made":
        rng = np.random.default_rng(seed)
        score = rng.beta(0.25, 1.0, 40_000)
        fields = {"amount": rng.gamma(2.0, 50.0, len(score)) * (1 + score)}
        money = Amounts.of(formula, fields, len(score))
        assert money is not None
        return cls(score, (rng.random(len(score)) < score).astype(np.float64), money)


@dataclass(frozen=True)
class Drawn:
    """What one draw sent which way, and the labels it has: `masks` and `taken` by route."""

    masks: dict[Route, BoolArray]
    taken: dict[Route, Taken]
    delay: FloatArray


def run(formula: ValueFormula, route: Route | None, beside: Beside, *, draws: int, seed: int = 5) -> Held:
    """Draw the labels of one queue again and again; `route` None: all together."""
    made = Made.of(formula, seed)
    rows = [_one(made, beside, route, np.random.default_rng((seed, draw))) for draw in range(draws)]
    told = [row for row in rows if row]
    return Held(
        float(np.mean([hit for hit, _ in told])), float(np.mean([ratio for _, ratio in told])), len(told) / draws
    )


def _one(made: Made, beside: Beside, route: Route | None, rng: np.random.Generator) -> tuple[bool, float] | None:
    """Return whether the limits held, and the estimate over the truth; None where nothing could be said."""
    drawn = _draw(made, rng)
    kinds = list(Route) if route is None else [route]
    figure = value.total([drawn.taken[kind] for kind in kinds], _people(rng)).beside[beside]
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    true = sum(_truth(kind, made, drawn, beside) for kind in kinds)
    return figure.low - 1e-6 <= true <= figure.high + 1e-6, figure.value / true if true else 1.0


def _draw(made: Made, rng: np.random.Generator) -> Drawn:
    """Route the items and label them as the design says: SOFT and the control group whole, 1,500 audits of PASS."""
    score = made.score
    routing = policy.route(score, np.full(len(score), "score", dtype=object), rng.random(len(score)), CUTS)
    masks = {route: np.asarray(routing.route == route.value) for route in Route}
    control = (routing.band == "hard") & masks[Route.SOFT]
    passes = np.flatnonzero(masks[Route.PASS])
    size = sampling.q(score[passes], float(score[passes].mean()))
    picked, tau = sampling.draw(rng.random(len(passes)) / size, 1_500)
    floored = score.copy()
    floored[passes] = size**2
    rows = {
        Route.HARD: (np.flatnonzero(control), np.full(int(control.sum()), CUTS.control_share)),
        Route.SOFT: (np.flatnonzero(masks[Route.SOFT]), np.ones(int(masks[Route.SOFT].sum()))),
        Route.PASS: (passes[picked], sampling.inclusion(size[picked], tau)),
    }
    waits = np.where(control, DELAY, 0.0)
    taken = {}
    for route, (places, pi) in rows.items():
        plain, none = score[places], np.zeros(len(places))
        labels = Labels(plain, routing.band[places], made.y[places], pi, floored[places], plain, none, none)
        count = float(masks[route].sum())
        taken[route] = Taken(route, count, count, labels, _at(made.money, places), waits[places])
    return Drawn(masks, taken, np.where(masks[Route.HARD], DELAY, waits))


def _at(money: Amounts, places: IntArray) -> Amounts:
    return Amounts(*(getattr(money, name)[places] for name in Amounts.__dataclass_fields__))


def _people(rng: np.random.Generator) -> People:
    """Return how people err, as 400 gold items of each kind show it."""
    rates = [
        estimates.as_sample(estimates.precision((rng.random(400) < rate).astype(np.float64), np.ones(400)))
        for rate in (SENSITIVITY, FALSE_POSITIVES)
    ]
    return People(COST, *rates)


def _truth(route: Route, made: Made, drawn: Drawn, beside: Beside) -> float:
    """Return what a route really won."""
    mask = drawn.masks[route]
    y, money, delay = made.y[mask], made.money.at(mask), drawn.delay[mask]
    done = {
        Route.HARD: y * money.tp + (1 - y) * money.fp,
        Route.SOFT: y * (money.tp - delay) + (1 - y) * money.tn - COST,
        Route.PASS: y * money.fn + (1 - y) * money.tn,
    }[route]
    if beside == Beside.NO_MODEL:
        return float((done - y * money.fn - (1 - y) * money.tn).sum())
    if route == Route.SOFT:
        return 0.0
    caught = y * (SENSITIVITY * money.tp + (1 - SENSITIVITY) * money.fn - delay)
    spared = (1 - y) * (FALSE_POSITIVES * money.fp + (1 - FALSE_POSITIVES) * money.tn)
    return float((done - caught - spared + COST).sum())
