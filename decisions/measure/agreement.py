"""How far people agree: Krippendorff's alpha and Cohen's kappa, for answers without an order. Pure functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisions.measure.intervals import LEVEL

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
WordArray = npt.NDArray[np.object_]

FEWEST = 30  # units that two or more people answered: below, only the interval is told
DRAWS = 1_000  # of the bootstrap
SEED = 20_110_125  # so that the same answers have the same interval


@dataclass(frozen=True)
class Agreement:
    """1: all agree, 0: as much as by chance, below: less. `units` were answered by two or more people.

    `value` is None where there are fewer than 30 units, or where all gave one and the same answer and nothing
    can be told from chance; the interval holds it at 95 %.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    units: int = 0


def counted(unit: npt.NDArray[np.int64], said: WordArray) -> FloatArray:
    """Return how often each answer was given to each unit: an array of units x answers, sorted by id and by word."""
    _units, row = np.unique(unit, return_inverse=True)
    words, column = np.unique(said.astype(str), return_inverse=True)
    table = np.zeros((len(_units), len(words)))
    np.add.at(table, (row, column), 1.0)
    return table


def alpha(counts: FloatArray) -> float | None:
    """Return Krippendorff's alpha for nominal data (Krippendorff 2011), None where it is not defined.

    `counts` is units x answers. Units with fewer than two answers do not count, so people may leave some out; any
    number of people and of answers, "can't tell" among them.
    """
    pairable, disagreeing = _parts(counts)
    return _alpha(pairable.sum(axis=0), float(disagreeing.sum()))


def measured(counts: FloatArray, *, level: float = LEVEL) -> Agreement:
    """Return alpha with the interval of a bootstrap over units (percentiles of 1,000 draws)."""
    pairable, disagreeing = _parts(counts)
    units = len(pairable)
    value = _alpha(pairable.sum(axis=0), float(disagreeing.sum())) if units else None
    if value is None:
        return Agreement(units=units)
    weights = np.random.default_rng(SEED).multinomial(units, np.full(units, 1 / units), DRAWS).astype(float)
    margins, observed = weights @ pairable, weights @ disagreeing
    drawn = [_alpha(margin, float(seen)) for margin, seen in zip(margins, observed, strict=True)]
    told = np.array([one for one in drawn if one is not None])
    tail = (1 - level) / 2
    low, high = np.quantile(told, [tail, 1 - tail]) if len(told) else (np.nan, np.nan)
    return Agreement(value if units >= FEWEST else None, float(low), float(high), units)


def kappa(one: WordArray, other: WordArray) -> float | None:
    """Return Cohen's kappa (1960) of two people's answers to the same units, in the same order.

    None where there is no unit, or where both gave one and the same answer throughout.
    """
    if not len(one):
        return None
    words, codes = np.unique(np.concatenate([one, other]).astype(str), return_inverse=True)
    first, second = codes[: len(one)], codes[len(one) :]
    same = float((first == second).mean())
    shares = [np.bincount(side, minlength=len(words)) / len(one) for side in (first, second)]
    by_chance = float(shares[0] @ shares[1])
    return None if by_chance >= 1.0 else (same - by_chance) / (1.0 - by_chance)


def _parts(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the units that two or more answered, and the share of disagreeing pairs times the answers of each."""
    pairable = counts[counts.sum(axis=1) >= 2]
    total = pairable.sum(axis=1)
    disagreeing = (total**2 - (pairable**2).sum(axis=1)) / np.maximum(total - 1, 1)
    return pairable, disagreeing


def _alpha(margin: FloatArray, disagreeing: float) -> float | None:
    """Return 1 - D_o / D_e from the answers' totals and the sum of the units' disagreements."""
    n = float(margin.sum())
    expected = n**2 - float((margin**2).sum())
    return None if expected <= 0 else 1.0 - (n - 1) * disagreeing / expected
