"""How far people lean on what the machine suggests, shown against hidden on comparable items; pure.

A person who agrees more with a suggestion that they see than others do who do not see it leans on it. Whether that is
too much shows where the suggestion is known to be wrong; whether it is too little, where it is known to be right.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from decisions.measure import intervals
from decisions.measure.accuracy import FEWEST, Rate, rate
from decisions.measure.columns import BoolArray, FloatArray, IntArray, Rows, WordArray

STRATA = 10
FEWEST_IN_STRATUM = 5  # of each kind
MUCH = 0.1  # more often than when hidden: from here on it is a warning
HASTY = 1 / 3  # of the usual time of an answer given without the suggestion
MOST_HASTY = 0.5  # of the agreements
TWICE = 2.0


@dataclass(frozen=True)
class Leaning(Rows):
    """One row a decision on an item for which something was suggested.

    `p` in [0, 1] is the probability of the item (NaN: none), `agreed` whether it was answered as suggested, `shown`
    whether the person saw that, `wrong` 1 where the suggestion is known to be wrong, 0 right, NaN not known. `seconds`
    of active time (NaN: not timed), `at` in seconds since 1970.
    """

    item: IntArray
    person: IntArray
    at: FloatArray
    p: FloatArray
    agreed: BoolArray
    shown: BoolArray
    wrong: FloatArray
    seconds: FloatArray
    is_simulated: BoolArray


@dataclass(frozen=True)
class Gap:
    """How much more often people agree when the suggestion is shown: within strata of score, with 95 % limits.

    None: too few of either kind. `covered` is the share of what was shown that lies where both kinds are.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    covered: float = 0.0


class Kind(StrEnum):
    """What a warning is about."""

    BIAS = "bias"  # they follow wrong suggestions because they see them
    HASTE = "haste"  # they agree faster than anybody could read
    DISUSE = "disuse"  # they override suggestions that are right
    DISTRUST = "distrust"  # they override far more than the suggestions are wrong


@dataclass(frozen=True)
class Warned:
    """A warning with what it rests on: two shares beside each other, or one alone."""

    kind: Kind
    one: Rate
    other: Rate | None = None


@dataclass(frozen=True)
class Reliance:
    """How people (or one of them) lean on suggestions.

    Agreement `shown` and `hidden`, and their `gap` on comparable items; of wrong suggestions those followed, of right
    ones those overridden; `hasty` agreements; `overridden` of what was shown, `errors` of the suggestions whose truth
    is known.
    """

    shown: Rate
    hidden: Rate
    gap: Gap
    followed_shown: Rate
    followed_hidden: Rate
    refused: Rate
    hasty: Rate
    overridden: Rate
    errors: Rate
    warnings: tuple[Warned, ...]


def reliance(rows: Leaning, usual: float | None = None) -> Reliance:
    """Return how far these decisions lean on suggestions; `usual` seconds of an answer given without one."""
    wrong, right = rows.wrong == 1, rows.wrong == 0
    hasty = ~np.isnan(rows.seconds) & (rows.seconds < HASTY * usual) if usual else np.zeros(len(rows), dtype=np.bool_)
    timed = ~np.isnan(rows.seconds) & rows.shown & rows.agreed & (usual is not None)
    found = Reliance(
        shown=rate(rows.agreed, rows.shown),
        hidden=rate(rows.agreed, ~rows.shown),
        gap=gap(rows),
        followed_shown=rate(rows.agreed, rows.shown & wrong),
        followed_hidden=rate(rows.agreed, ~rows.shown & wrong),
        refused=rate(~rows.agreed, rows.shown & right),
        hasty=rate(hasty, timed),
        overridden=rate(~rows.agreed, rows.shown),
        errors=rate(wrong, wrong | right),
        warnings=(),
    )
    return Reliance(**{**found.__dict__, "warnings": tuple(warnings(found))})


def usual_seconds(rows: Leaning) -> float | None:
    """Return the median time of the answers that were given without a suggestion; None under 30 of them."""
    blind = rows.seconds[~rows.shown & ~np.isnan(rows.seconds)]
    return float(np.median(blind)) if len(blind) >= FEWEST else None


def gap(rows: Leaning) -> Gap:
    """Return how much more people agree when shown, standardised to the scores of what was shown.

    Within tenths of the items' probabilities, weighted by the shown items in each; a tenth with fewer than five of
    either kind is left out. Limits by the variance of each share with one success and one failure added, as Agresti
    and Caffo (2000) add them. None below 30 of either kind.
    """
    known = ~np.isnan(rows.p)
    shown, hidden = known & rows.shown, known & ~rows.shown
    if min(int(shown.sum()), int(hidden.sum())) < FEWEST:
        return Gap()
    cuts = np.unique(np.quantile(rows.p[known], np.arange(1, STRATA) / STRATA))
    stratum = np.searchsorted(cuts, rows.p, side="right")
    parts = [_stratum(rows.agreed, shown & (stratum == one), hidden & (stratum == one)) for one in range(len(cuts) + 1)]
    told = [part for part in parts if part]
    total = sum(n for n, _value, _variance in told)
    if not total:
        return Gap()
    value = sum(n * each for n, each, _ in told) / total
    half = intervals.z() * float(sum((n / total) ** 2 * variance for n, _, variance in told)) ** 0.5
    return Gap(value, max(-1.0, value - half), min(1.0, value + half), total / int(shown.sum()))


def warnings(found: Reliance) -> list[Warned]:
    """Return what these figures warn of: only what is beyond chance, large, and rests on 30 answers of each kind."""
    told = []
    one, other = found.followed_shown, found.followed_hidden
    if one.exceeds(other) and _value(one) - _value(other) >= MUCH:
        told.append(Warned(Kind.BIAS, one, other))
    if found.hasty.value is not None and found.hasty.low > MOST_HASTY:
        told.append(Warned(Kind.HASTE, found.hasty))
    if found.refused.value is not None and found.refused.low > MUCH:
        told.append(Warned(Kind.DISUSE, found.refused))
    gap_of = _value(found.overridden) - _value(found.errors)
    is_far = gap_of >= MUCH and found.overridden.low >= TWICE * _value(found.errors)
    if is_far and found.overridden.exceeds(found.errors):
        told.append(Warned(Kind.DISTRUST, found.overridden, found.errors))
    return told


def by_person(rows: Leaning) -> dict[int, Reliance]:
    """Return the same of each person who decided at least one of them."""
    usual = usual_seconds(rows)
    return {int(one): reliance(rows.where(rows.person == one), usual) for one in np.unique(rows.person)}


def truths(said: WordArray, truth: dict[str, str]) -> FloatArray:
    """Return 1 where an outcome says positive, 0 negative, NaN none."""
    values = {"positive": 1.0, "negative": 0.0}
    return np.array([values.get(truth.get(one, ""), np.nan) for one in said], dtype=np.float64)


def _stratum(agreed: BoolArray, shown: BoolArray, hidden: BoolArray) -> tuple[int, float, float] | None:
    """Return the shown items of a stratum, the difference there and its variance; None where either is too few."""
    n, m = int(shown.sum()), int(hidden.sum())
    if min(n, m) < FEWEST_IN_STRATUM:
        return None
    variance = 0.0
    for mask, size in ((shown, n), (hidden, m)):
        share = (float(agreed[mask].sum()) + 1) / (size + 2)
        variance += share * (1 - share) / size
    return n, float(agreed[shown].mean() - agreed[hidden].mean()), variance


def _value(one: Rate) -> float:
    return one.value or 0.0
