"""Where to cut: HARD with a guarantee of its precision, SOFT by what people can do, and the control share."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import special

from decisions.measure import label_counts
from decisions.measure.intervals import exact_lower
from decisions.measure.label_counts import LEVEL

FloatArray = npt.NDArray[np.float64]

BUFFER, BUFFER_PART = 0.02, 0.2  # by how much the estimate must exceed the target, at most: see `buffer_of`
LEAST = 300  # effective labels at or above a threshold, under which nothing is certified
MEASURED = 30  # effective labels, under which an estimate says nothing about what more labels would bring
# Equal steps of .1 on the log odds from .05 to .99999, and 1 for scores that are rounded up to it. None follows labels.
GRID: FloatArray = np.append(np.round(special.expit(np.arange(-2.9, 11.55, 0.1)), 6), 1.0)[::-1]


class Verdict(StrEnum):
    """What a recommendation for HARD comes to."""

    CERTIFIED = "certified"
    MORE_LABELS = "more labels"  # cannot be certified yet
    OUT_OF_REACH = "out of reach"  # what was measured is below target and buffer: no number of labels will do


def buffer_of(target: float) -> float:
    """Return by how much an estimate must exceed its target, in (0, 1): the bound pays for sampling, this for drift.

    A fifth of the errors that the target allows, at most two points: .02 at .90, .01 at .95, .002 at .99. Drift works
    on the share of errors, so what it may add is measured by that share; a fixed two points would be 40 % of the errors
    allowed at .95 and more than all of them at .99 (docs/adr/0014).
    """
    return min(BUFFER, BUFFER_PART * (1.0 - target))


@dataclass(frozen=True)
class Step:
    """A candidate threshold: what labels at or above it say.

    `items` is the estimated number of items there (the sum of weights), `n_eff` the effective number of `labels`,
    `precision` the weighted share of positives (None without labels), `low` its one-sided 95 % bound. `passed` is None
    where the test stopped before or there are too few labels to ask; `needed` is how many more labels at or above it
    would lift the bound to the target at this precision, None where no number would reach target and buffer.
    """

    threshold: float
    items: float
    labels: int
    n_eff: float
    precision: float | None
    low: float
    passed: bool | None
    needed: int | None


@dataclass(frozen=True)
class Advice:
    """A recommendation for HARD: `threshold` where it is certified, else None and how many labels it needs.

    `precision`, `low` and `at` (a threshold) are of the recommended step, else of the one that comes closest;
    `needed` is None where no number of labels will do; `labels` are those given; `goal` is target and buffer; `steps`
    is the whole table, from the safest candidate down.
    """

    verdict: Verdict
    threshold: float | None
    at: float | None
    precision: float | None
    low: float
    labels: int
    needed: int | None
    goal: float
    steps: tuple[Step, ...]

    @property
    def certified(self) -> bool:
        """Whether precision at the threshold is at least the target, at an error of 5 %."""
        return self.verdict == Verdict.CERTIFIED


def hard(
    scores: FloatArray,
    y: FloatArray,
    weights: FloatArray | None = None,
    *,
    target: float,
    buffer: float | None = None,
    candidates: FloatArray = GRID,
) -> Advice:
    """Recommend a threshold for HARD with precision of at least `target`, in (0, 1), from labelled items.

    Scores, labels y (0 or 1) and weights 1/pi are of one length; no row may have been chosen by its label.
    Fixed-sequence test (statistics.md, section 5; Maurer, Hothorn and Lehmacher 1995): from the highest candidate with
    300 effective labels down, as long as the exact bound of Clopper and Pearson (1934) on n_eff = (sum w)^2 / sum w^2
    reaches the target. Of the steps that passed it takes the lowest whose precision is at least target + buffer
    (`buffer_of` if None). `candidates` are in units of the scores (the default is for scores in [0, 1]) and must not
    depend on labels.
    """
    if not 0 < target < 1 or not len(candidates):
        raise ValueError("a target between 0 and 1 and at least one candidate are needed")
    goal = target + (buffer_of(target) if buffer is None else buffer)
    w = np.ones(len(y)) if weights is None else weights
    table = _table(scores, y, w, candidates=np.sort(candidates)[::-1], target=target, goal=goal)
    steps = _sequence(table, target)
    verdict, step = _verdict(steps, goal)
    return Advice(
        verdict=verdict,
        threshold=step.threshold if verdict == Verdict.CERTIFIED else None,
        at=step.threshold,
        precision=step.precision,
        low=step.low,
        labels=len(y),
        needed=0 if verdict == Verdict.CERTIFIED else step.needed,
        goal=goal,
        steps=steps,
    )


def _verdict(steps: tuple[Step, ...], goal: float) -> tuple[Verdict, Step]:
    """Return what the tested steps come to, and the step that shows it."""
    passed = [step for step in steps if step.passed and step.precision is not None and step.precision >= goal]
    if passed:
        # The highest with the same labels: where nothing is labelled nothing is certified.
        return Verdict.CERTIFIED, next(step for step in passed if step.labels == passed[-1].labels)
    stop = next((i for i, step in enumerate(steps) if step.passed is False), len(steps) - 1)
    measured = [step for step in steps[: stop + 1] if step.n_eff >= MEASURED]
    if not measured:
        return Verdict.MORE_LABELS, steps[-1]
    hopeful = [step for step in measured if step.needed is not None]
    if hopeful:
        return Verdict.MORE_LABELS, min(hopeful, key=lambda step: step.needed or 0)
    return Verdict.OUT_OF_REACH, max(measured, key=lambda step: step.precision or 0.0)


def _table(
    scores: FloatArray, y: FloatArray, weights: FloatArray, *, candidates: FloatArray, target: float, goal: float
) -> list[Step]:
    """Return what labels say at each candidate, candidates in their order; none is tested yet."""
    order = np.argsort(-scores, kind="stable")
    w = weights[order]
    sums = [np.concatenate([[0.0], np.cumsum(part)]) for part in (w, np.square(w), w * y[order])]
    counts = np.searchsorted(-scores[order], -candidates, side="right")
    steps = []
    for threshold, n in zip(candidates.tolist(), counts.tolist(), strict=True):
        items, squares, positives = (float(part[n]) for part in sums)
        n_eff = items**2 / squares if n else 0.0
        precision = min(1.0, positives / items) if n else None
        low = exact_lower(n_eff * (precision or 0.0), n_eff, LEVEL)
        needed = _needed(precision, n_eff, n, target=target, goal=goal)
        steps.append(Step(threshold, items, n, n_eff, precision, low, None, needed))
    return steps


def _sequence(steps: list[Step], target: float) -> tuple[Step, ...]:
    """Mark which steps passed: candidates with too few labels are not asked, and the first that fails ends it."""
    marked, going = [], True
    for step in steps:
        passed = step.low >= target if going and step.n_eff >= LEAST else None
        going = going and passed is not False
        marked.append(replace(step, passed=passed))
    return tuple(marked)


def _needed(precision: float | None, n_eff: float, labels: int, *, target: float, goal: float) -> int | None:
    """Return how many more labels of the same mix lift the bound to the target at this precision; None: no number does.

    Under 30 effective labels the precision is not believed, and what is missing is the least that is asked for.
    """
    if precision is None:
        return LEAST
    if n_eff >= MEASURED and precision < goal:
        return None
    n = LEAST if n_eff < MEASURED else label_counts.to_bound(precision, target, least=LEAST)
    return max(0, math.ceil(n * labels / n_eff) - labels)


@dataclass(frozen=True)
class Traffic:
    """Recent items, one entry each: what a forecast of the SOFT volume is made from.

    `scores`; `p` in [0, 1]; `harm`, money lost by a positive that nobody stops; `cost`, money of reviewing the item;
    `slot`, 0 to `slots` - 1, the day or hour it came in; `weights`, how many items it stands for.
    """

    scores: FloatArray
    p: FloatArray
    harm: FloatArray
    cost: FloatArray
    slot: npt.NDArray[np.int64]
    slots: int
    weights: FloatArray | None = None


@dataclass(frozen=True)
class Crew:
    """Who is there in one slot: `rate` is decisions per person and hour, `hours` the worked hours of each.

    `reserved` is the share of capacity kept for control and audits before anything else; where more than that is
    planned, `control` and `audits` (items per slot) count as they are. `seconds` are second opinions per slot.
    """

    people: float
    rate: float
    hours: float
    control: float = 0.0
    audits: float = 0.0
    seconds: float = 0.0
    reserved: float = 0.1
    load: float = 0.8  # of the hours that may be planned; the rest is the slack that keeps queues short

    @property
    def capacity(self) -> float:
        """Decisions that may be planned per slot."""
        return self.people * self.rate * self.hours * self.load

    @property
    def available(self) -> float:
        """What of it is left for SOFT, at least 0."""
        kept = max(self.reserved * self.capacity, self.control + self.audits)
        return max(0.0, self.capacity - kept - self.seconds)


class Bound(StrEnum):
    """What keeps the soft threshold from being lower."""

    CAPACITY = "capacity"
    VALUE = "value"  # the items below are not worth a review
    NOTHING = "nothing"  # every item below the hard threshold is reviewed


@dataclass(frozen=True)
class SoftAdvice:
    """A recommendation for SOFT: `threshold` is None where no review is possible or worth its cost.

    Per slot: `available` decisions, the `mean` volume at the threshold and its 90 % quantile `volume`, the `value` of
    reviewing them in money. `shadow_price` is the money that one more reviewer hour per slot would bring.
    """

    threshold: float | None
    bound: Bound
    capacity: float
    available: float
    mean: float
    volume: float
    value: float
    shadow_price: float


QUANTILE = 0.9  # of the volume that must fit


def review_value(p: FloatArray, harm: FloatArray, cost: FloatArray, miss_rate: float) -> FloatArray:
    """Return what reviewing each item is worth in money: p * harm * (1 - miss rate) - cost (statistics.md, section 5).

    `miss_rate` in [0, 1] is the share of positives that reviewers let pass.
    """
    value: FloatArray = p * harm * (1.0 - miss_rate) - cost
    return value


def soft(traffic: Traffic, crew: Crew, *, hard: float | None = None, miss_rate: float = 0.0) -> SoftAdvice:
    """Recommend a threshold for SOFT: of those whose volume fits the crew the one whose reviews are worth most.

    Thresholds are the distinct scores below `hard`. The volume of a slot is forecast by its empirical 90 % quantile
    over the slots of the traffic, and must not exceed what the crew has left after control, audits and second opinions.
    """
    curve = _curve(traffic, hard, miss_rate)
    fits = int(np.searchsorted(curve.volume, crew.available, side="right")) - 1
    best = int(np.argmax(curve.value[: fits + 1]))
    bound = Bound.VALUE if best < fits else Bound.NOTHING if fits == len(curve.volume) - 1 else Bound.CAPACITY
    return SoftAdvice(
        threshold=float(curve.scores[best]) if best else None,
        bound=bound,
        capacity=crew.capacity,
        available=crew.available,
        mean=float(curve.mean[best]),
        volume=float(curve.volume[best]),
        value=float(curve.value[best]),
        shadow_price=_price(curve, best, crew) if bound == Bound.CAPACITY else 0.0,
    )


@dataclass(frozen=True)
class _Curve:
    """What each threshold would bring per slot, from none (infinity) down; volumes never fall along it."""

    scores: FloatArray
    mean: FloatArray
    volume: FloatArray
    value: FloatArray


POINTS = 2000  # of the curve: each distinct score where there are fewer


def _curve(traffic: Traffic, hard: float | None, miss_rate: float) -> _Curve:
    below = np.flatnonzero(traffic.scores < (np.inf if hard is None else hard))
    scores, slot = traffic.scores[below], traffic.slot[below]
    w = (np.ones(len(traffic.scores)) if traffic.weights is None else traffic.weights)[below]
    value = w * review_value(traffic.p[below], traffic.harm[below], traffic.cost[below], miss_rate)
    cuts = _cuts(scores)
    place = len(cuts) - np.searchsorted(cuts, scores, side="right")  # 0 for the items at or above the highest cut
    cells = np.bincount(place * traffic.slots + slot, w, minlength=len(cuts) * traffic.slots)
    volumes = np.cumsum(cells.reshape(len(cuts), traffic.slots), axis=0)
    slots = max(1, traffic.slots)
    return _Curve(
        scores=np.concatenate([[np.inf], cuts[::-1]]),
        mean=np.concatenate([[0.0], volumes.sum(axis=1) / slots]),
        volume=np.concatenate([[0.0], np.quantile(volumes, QUANTILE, axis=1) if volumes.size else []]),
        value=np.concatenate([[0.0], np.cumsum(np.bincount(place, value, minlength=len(cuts))) / slots]),
    )


def _cuts(scores: FloatArray) -> FloatArray:
    """Return the thresholds to look at, ascending: distinct scores, the more closely the higher they rank.

    Thinned in equal steps of the logarithm of the rank: neighbours differ in volume by less than one percent.
    """
    distinct = np.unique(scores)
    if len(distinct) <= POINTS:
        return distinct
    ranks = np.unique(np.geomspace(1, len(distinct), POINTS).astype(np.int64))
    return distinct[-ranks[::-1]]


def _price(curve: _Curve, best: int, crew: Crew) -> float:
    """Return the money that one more reviewer hour per slot brings: what the items that it lets in are worth."""
    more = crew.rate * crew.load * (1.0 - crew.reserved)
    beyond = int(np.searchsorted(curve.volume, curve.volume[best] + more, side="left"))
    beyond = min(max(beyond, best + 1), len(curve.volume) - 1)
    volume = float(curve.volume[beyond] - curve.volume[best])
    gain = float(curve.value[beyond] - curve.value[best])
    return max(0.0, gain / volume * min(more, volume)) if volume > 0 else 0.0


MOST_CONTROL = 0.1  # of HARD, whatever the volume


@dataclass(frozen=True)
class ControlAdvice:
    """A control share of HARD in [0, .10], the `labels` it aims at and those it gives in the window, and its cost.

    `enough` tells whether the window brings that many; `cost` is money per window.
    """

    share: float
    labels: int
    given: float
    enough: bool
    cost: float


def control_share(
    hard_items: float, *, labels: int, precision: float = 1.0, cost_of_delay: float = 0.0
) -> ControlAdvice:
    """Recommend the part of HARD that people see first: labels / HARD items expected in the window, at most .10.

    `labels` as by `label_counts.to_certify` or `to_see`. The cost is c * HARD * P * cost of delay (statistics.md,
    section 4), for right actions wait for a person; `precision` in [0, 1], `cost_of_delay` in money an item.
    """
    share = min(MOST_CONTROL, labels / hard_items) if hard_items > 0 else MOST_CONTROL
    given = share * max(0.0, hard_items)
    return ControlAdvice(share, labels, given, given >= labels * (1 - 1e-9), given * precision * cost_of_delay)
