"""What several people's answers say of the truth and of each of them, where no truth is known (Dawid and Skene 1979).

Two classes. Each person has a sensitivity to positives and a specificity to negatives. Priors keep people with few
answers near what people are like, and keep a rare class from vanishing; a majority vote has no such thing, and of what
it calls positive among 5 % positives about half is wrong.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RIGHT = (8.0, 2.0)  # Beta prior of sensitivity and specificity: as if eight of ten were right before
PREVALENCE = (1.5, 3.0)  # Beta prior of the share of positives: none of the extremes
STEPS = 500
CLOSE = 1e-8


@dataclass(frozen=True)
class Fit:
    """What was found: arrays over people and over items, in the order of their ids.

    `positive` is the probability in [0, 1] that each item is positive; `sensitivity` and `specificity` are the modes of
    each person's.
    """

    people: IntArray
    items: IntArray
    sensitivity: FloatArray
    specificity: FloatArray
    positive: FloatArray
    prevalence: float


@dataclass(frozen=True)
class Answers:
    """Who (`who` of `people`) said what (`said`, 1 or 0) of which (`what` of `items`), one row each."""

    who: npt.NDArray[np.intp]
    what: npt.NDArray[np.intp]
    said: FloatArray
    people: int
    items: int


@dataclass(frozen=True)
class Rates:
    """Each person's rates, and the share of positives."""

    sensitivity: FloatArray
    specificity: FloatArray
    prevalence: float


def fit(
    person: IntArray,
    item: IntArray,
    said: FloatArray,
    known: FloatArray | None = None,
    *,
    right: tuple[float, float] = RIGHT,
) -> Fit:
    """Return the maximum a posteriori by EM from answers, one row each: who, to what, 1 (positive) or 0.

    `known` is the truth of each row's item where it is known (1, 0, else NaN): such items are held at it. The first
    guess is each item's share of positive answers, so the two classes cannot swap. ValueError for an answer that is
    neither 0 nor 1.
    """
    if not np.isin(said, (0.0, 1.0)).all():
        raise ValueError("An answer is 1 or 0.")
    people, who = np.unique(person, return_inverse=True)
    items, what = np.unique(item, return_inverse=True)
    rows = Answers(who, what, said, len(people), len(items))
    fixed = np.full(len(items), np.nan)
    if known is not None:
        fixed[what] = known
    votes = np.bincount(what, said, len(items)) / np.maximum(np.bincount(what, minlength=len(items)), 1)
    positive = np.where(np.isnan(fixed), votes, fixed)
    for _step in range(STEPS):
        after = np.where(np.isnan(fixed), _posterior(rows, _rates(rows, positive, right)), fixed)
        moved, positive = float(np.abs(after - positive).max(initial=0.0)), after
        if moved < CLOSE:
            break
    rates = _rates(rows, positive, right)
    return Fit(people, items, rates.sensitivity, rates.specificity, positive, rates.prevalence)


def _rates(rows: Answers, positive: FloatArray, right: tuple[float, float]) -> Rates:
    """Return the modes of each person's rates, and of the share of positives, given what items seem to be."""
    weight, (a, b), (c, d) = positive[rows.what], right, PREVALENCE
    hits = np.bincount(rows.who, weight * rows.said, rows.people)
    clear = np.bincount(rows.who, (1 - weight) * (1 - rows.said), rows.people)
    of_positives = np.bincount(rows.who, weight, rows.people)
    of_negatives = np.bincount(rows.who, 1 - weight, rows.people)
    return Rates(
        (hits + a - 1) / (of_positives + a + b - 2),
        (clear + a - 1) / (of_negatives + a + b - 2),
        float((positive.sum() + c - 1) / (rows.items + c + d - 2)),
    )


def _posterior(rows: Answers, rates: Rates) -> FloatArray:
    """Return each item's probability to be positive, given people's rates."""
    s, c = rates.sensitivity[rows.who], rates.specificity[rows.who]
    evidence = np.where(rows.said > 0, np.log(s) - np.log1p(-c), np.log1p(-s) - np.log(c))
    prior = np.log(rates.prevalence) - np.log1p(-rates.prevalence)
    positive: FloatArray = 1.0 / (1.0 + np.exp(-(prior + np.bincount(rows.what, evidence, rows.items))))
    return positive
