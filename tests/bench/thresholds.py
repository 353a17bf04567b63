"""Whether thresholds, alarms and drift keep their promises: the trials of the tests with more draws, as a table."""

import time

from tests.bench.promises import Promise
from tests.simulation import drifts
from tests.simulation.worlds import Score

SCORES = (Score.CALIBRATED, Score.OVER, Score.UNDER, Score.ROUNDED)
DRAWS, RUNS, COMPARISONS, QUEUES = 200, 10_000, 2_000, 20
SEED = 1_000  # not that of the tests


def measure() -> list[Promise]:
    """Try everything."""
    return [*_certified(), *_blind(), *_precision(), *_shares(), *_psi(), *_costs()]


def _certified() -> list[Promise]:
    """Certified thresholds at two targets with labels enough, and at the higher one with few."""
    lines = []
    for score in SCORES:
        for target, control in ((0.9, 1_000), (0.95, 1_500)):
            found = drifts.thresholds_kept(score, target, control=control, draws=DRAWS, seed=SEED)
            name = f"HARD at {target:.2f}, {control:,} control labels, {score}"
            lines += [
                Promise(f"{name}: target missed", DRAWS, found.missed, at_most=0.05),
                Promise(f"{name}: of the best volume", DRAWS, found.volume, at_least=0.6),
                Promise(f"{name}: certified", DRAWS, found.certified),
            ]
        few = drifts.thresholds_kept(score, 0.95, control=400, draws=DRAWS, seed=SEED)
        lines += [
            Promise(f"HARD at 0.95, 400 control labels, {score}: target missed", DRAWS, few.missed, at_most=0.05),
            Promise(f"HARD at 0.95, 400 control labels, {score}: certified", DRAWS, few.certified),
        ]
    return lines


def _blind() -> list[Promise]:
    return [
        Promise(f"HARD at {target}, score says nothing: certified", DRAWS, found.certified, at_most=0)
        for target in (0.9, 0.95)
        for found in [drifts.thresholds_kept(Score.NOISE, target, control=1_000, draws=DRAWS, seed=SEED)]
    ]


def _precision() -> list[Promise]:
    lines = []
    for precision in (0.95, 0.97):
        found = drifts.precision_watched(precision, draws=RUNS, seed=SEED)
        lines.append(Promise(f"precision {precision}: false alarms in 90 days", RUNS, found.false, at_most=0.05))
    for day in (0, 30, 60):
        found = drifts.precision_watched(0.97, 0.9, day=day, draws=RUNS, seed=SEED)
        lines += [
            Promise(f"precision .97 to .90 on day {day}: days to half of the alarms", RUNS, found.half, at_most=5),
            Promise(f"precision .97 to .90 on day {day}: mean of the days", RUNS, found.mean),
            Promise(f"precision .97 to .90 on day {day}: days to nine of ten", RUNS, found.most),
        ]
    best = drifts.cusum_watched(0.97, 0.9, day=30, draws=RUNS // 5, seed=SEED)
    lines += [
        Promise("the same by the best CUSUM, day 30: mean of the days", RUNS // 5, best.mean),
        Promise("the same by the best CUSUM, day 30: days to nine of ten", RUNS // 5, best.most),
    ]
    slow = drifts.precision_watched(0.97, 0.93, day=30, draws=RUNS, seed=SEED)
    return [*lines, Promise("precision .97 to .93 on day 30: days to half of the alarms", RUNS, slow.half)]


def _shares() -> list[Promise]:
    lines = []
    for differ in (0.0, 0.1, 0.3):
        raised = [sum(drifts.shares_watched(differ, items=400, seed=SEED + n).values()) for n in range(QUEUES)]
        name = f"shares of a queue, days differ by {differ}: alarms in 90 days"
        lines.append(Promise(name, QUEUES, sum(raised) / QUEUES, at_most=1))
    for times in (1.5, 2.0):
        name = f"share of SOFT times {times}, days differ by 0.1: seen"
        found = [drifts.shares_watched(0.1, items=400, times=times, seed=SEED + n)["soft"] for n in range(QUEUES)]
        lines.append(Promise(name, QUEUES, sum(n > 0 for n in found) / QUEUES))
    return lines


def _psi() -> list[Promise]:
    lines = []
    for reference, now, digits in ((20_000, 2_000, None), (20_000, 2_000, 2), (20_000, 100, None), (300, 300, None)):
        low, raised = drifts.psi_false(reference=reference, now=now, digits=digits, draws=COMPARISONS, seed=SEED)
        name = f"PSI of {now:,} against {reference:,}{', rounded' if digits else ''}"
        lines += [
            Promise(f"{name}: p < .05 under no drift", COMPARISONS, low, at_least=0.01, at_most=0.07),
            Promise(f"{name}: level raised under no drift", COMPARISONS, raised, at_most=0.005),
        ]
    return lines


def _costs() -> list[Promise]:
    """How long a recommendation from a million items takes."""
    began = time.perf_counter()
    drifts.large_recommendations()
    return [Promise("both recommendations from a million items: seconds", 1, time.perf_counter() - began)]
