"""Whether the estimates keep their promises: the scenarios of the tests in other worlds and with more draws."""

from tests.bench.promises import Promise
from tests.simulation import harms, trials
from tests.simulation.trials import Outcome
from tests.simulation.worlds import LATER, NOISE, SCENARIOS, Scenario, Score

DRAWS = 4_000  # of a scenario
SEEDS = (1_001, 1_002, 1_003, 1_004)  # worlds of a scenario; not those of the tests


def measure() -> list[Promise]:
    """Try every scenario, with the floor of the beginning and the later one, and scores that say nothing.

    What labels cost is promised for scores that say something, and no overstated recall for the floor of the beginning:
    with the later one and blind scores it is at its bound, where the draws of one run decide.
    """
    found, later, noise = (
        [trials.run(scenario, draws=DRAWS, seeds=SEEDS) for scenario in scenarios]
        for scenarios in (SCENARIOS, LATER, NOISE)
    )
    return [
        *(line for one in found for line in _lines(one, overstated=0.025, cost=0.75)),
        _mean("labels over those of a simple random sample, geometric mean", found),
        *(line for one in later for line in _lines(one, overstated=None, cost=0.75)),
        _mean("labels over those of a simple random sample, beta 0.1, geometric mean", later),
        *(line for one in noise for line in _lines(one, overstated=0.025, cost=None)),
        *_weighed(),
    ]


def _weighed() -> list[Promise]:
    """Audits weighed by what a miss costs, where dear items are less likely positive, as likely, and likelier."""
    lines = []
    for score in (Score.CALIBRATED, Score.OVER, Score.ROUNDED, Score.BLIND):
        for lean in (-0.3, 0.0, 0.3):
            found = harms.run(Scenario(score, 0.01, 200_000), lean=lean, draws=DRAWS, seed=SEEDS[0])
            name = f"weighed by harm, {score}, lean {lean:g}"
            lines += [
                Promise(f"{name}: interval of misses covers", DRAWS, found.missed, at_least=0.95),
                Promise(f"{name}: interval of their cost covers", DRAWS, found.harm, at_least=0.95),
                Promise(f"{name}: cost understated", DRAWS, found.harm_short, at_most=0.025),
                Promise(f"{name}: variance of the cost over that without", DRAWS, found.gain, at_most=1.02),
                Promise(f"{name}: variance of the misses over that without", DRAWS, found.price),
            ]
    return lines


def _lines(one: Outcome, *, overstated: float | None, cost: float | None) -> list[Promise]:
    return [
        Promise(f"{one.name}: interval of misses covers", one.draws, one.missed, at_least=0.95),
        Promise(f"{one.name}: interval of recall covers", one.draws, one.recall, at_least=0.95),
        Promise(f"{one.name}: interval of HARD's precision covers", one.draws, one.precision, at_least=0.95),
        Promise(f"{one.name}: recall overstated", one.draws, one.overstated, at_most=overstated),
        Promise(f"{one.name}: recall overstated, HARD known", one.draws, one.short, at_most=overstated),
        Promise(f"{one.name}: upper limit over true misses", one.draws, one.width),
        Promise(f"{one.name}: labels over those of a simple random sample", one.draws, one.cost, at_most=cost),
    ]


def _mean(name: str, found: list[Outcome]) -> Promise:
    return Promise(name, len(found), trials.geometric_mean([one.cost for one in found]), at_most=0.43)
