"""Two models on the very same labelled items, each at its own cuts: figures, and how they differ; pure.

Every figure is a ratio of weighted sums, sum w a / sum w b, with w = 1/pi. Its variance is that of the residuals
w (a - R b) / sum w b, taken as if items were drawn again and again (linearisation, Binder 1983): a model is judged for
items to come, not only for those that were there. Both models' residuals are on the same items, so that what they share
cancels in a difference. Of shares, the limits of each are exact on as many labels as that variance is worth (Korn and
Graubard 1998), and a difference combines them with the correlation of the residuals (MOVER, Zou and Donner 2008); of
money, limits are Student's with as many degrees of freedom as the items that the two treat differently are worth
(Satterthwaite 1946).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from decisions.measure import estimates, intervals
from decisions.measure.intervals import LEVEL, Limits
from decisions.measure.regions import Band, CodeArray
from decisions.measure.supposed.worth import Amounts
from decisions.routing.policy import BoolArray, FloatArray
from decisions.routing.sampling import IntArray

ENOUGH = 30  # effective labels, below which nothing is said
HARDLY = 25.0  # so many times more labels, and no number is named any more
BRINGS = "worth"


@dataclass(frozen=True)
class Side:
    """One model on the items: the band that its own cuts put each into, and the share of HARD that people decide."""

    bands: CodeArray
    control_share: float = 0.0

    @property
    def people(self) -> FloatArray:
        """The probability that a person sees each item."""
        return np.asarray((self.bands == Band.SOFT) + self.control_share * (self.bands == Band.HARD), dtype=np.float64)

    def at(self, keep: BoolArray) -> "Side":
        return Side(self.bands[keep], self.control_share)


@dataclass(frozen=True)
class Pairs:
    """Items that both models scored, one entry each, and what people said of them.

    `y` is 1, 0 or NaN (no answer yet, or none to give), `pi` in (0, 1] the logged probability of having been asked,
    `stratum` the design that asked with its stratum of score: answers of one stand for those that did not come.
    `amounts` is the money of each item as a true or false positive or negative (None: no value formula), `look` what it
    costs to let a person look at one.
    """

    y: FloatArray
    pi: FloatArray
    stratum: IntArray
    live: Side
    new: Side
    amounts: Amounts | None = None
    look: float = 0.0

    @classmethod
    def answered(cls, **columns: Any) -> "Pairs":
        """Return the items with an answer, whose weights stand for the others of their stratum too."""
        asked = cls(**columns)
        told = ~np.isnan(asked.y)
        pi = estimates.reweight(told, asked.stratum, asked.pi).pi if len(asked.y) else asked.pi
        return Pairs(
            y=asked.y[told],
            pi=pi[told],
            stratum=asked.stratum[told],
            live=asked.live.at(told),
            new=asked.new.at(told),
            amounts=_amounts_at(asked.amounts, told),
            look=asked.look,
        )

    def at(self, keep: BoolArray) -> "Pairs":
        """Return the entries that `keep` names."""
        return Pairs(
            self.y[keep],
            self.pi[keep],
            self.stratum[keep],
            self.live.at(keep),
            self.new.at(keep),
            _amounts_at(self.amounts, keep),
            self.look,
        )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def apart(self) -> BoolArray:
        """The items that the two put into different bands: they alone tell the models apart."""
        return np.asarray(self.live.bands != self.new.bands)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % limits; None: not known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def sign(self) -> int:
        """1 or -1 where it is for certain above or below 0, else 0."""
        if self.low is None or self.high is None:
            return 0
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


NONE = Estimate()


@dataclass(frozen=True)
class Figure:
    """One figure of both models and its difference, new minus live.

    `n_eff` is how many labels of a plain sample it rests on. `more` is about how many labels more would tell the two
    apart if the difference is what it seems; 0: they are told apart, None: no number that could be said.
    """

    key: str
    live: Estimate
    new: Estimate
    gap: Estimate
    n_eff: float
    more: int | None

    @property
    def is_enough(self) -> bool:
        return self.n_eff >= ENOUGH and self.gap.value is not None


def figures(pairs: Pairs) -> list[Figure]:
    """Return precision of HARD, recall, and the shares that people see and the machine decides; money where known."""
    hard = [(side.bands == Band.HARD).astype(np.float64) for side in (pairs.live, pairs.new)]
    caught = [(side.bands != Band.PASS).astype(np.float64) for side in (pairs.live, pairs.new)]
    looks = [side.people for side in (pairs.live, pairs.new)]
    one = np.ones(len(pairs))
    found = [
        _shares("precision", pairs, [(pairs.y * some, some) for some in hard]),
        _shares("recall", pairs, [(pairs.y * some, pairs.y) for some in caught]),
        _shares("people", pairs, [(some, one) for some in looks]),
        _shares("automatic", pairs, [(some, one) for some in hard]),
    ]
    if pairs.amounts is not None:
        found.insert(0, _money(pairs, [_gains(pairs, side) for side in (pairs.live, pairs.new)]))
    return found


def alike(scores: FloatArray, weights: FloatArray, shares: tuple[float, float]) -> tuple[float, float]:
    """Return the cuts (hard, soft) at which a model puts as large a share of the weights into HARD, and into both.

    They rest on no label, so that nothing measured with them is flattered. A share of 0 cuts above every score.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, part = scores[order], np.cumsum(weights[order]) / weights.sum()
    hard, both = (_cut(ranked, part, share) for share in (shares[0], shares[0] + shares[1]))
    return hard, min(hard, both)


def share_of(weights: FloatArray, mask: BoolArray) -> float:
    """Return the share of the weights."""
    total = float(weights.sum())
    return float(weights[mask].sum()) / total if total else 0.0


def _cut(ranked: FloatArray, part: FloatArray, share: float) -> float:
    """Return the score half way between the last that is in and the first that is out."""
    if share <= 0:
        return float(np.nextafter(ranked[0], np.inf))
    place = min(int(np.searchsorted(part, share - 1e-9)), len(ranked) - 1)
    inside = ranked[place]
    below = ranked[ranked < inside]
    return float((inside + below[0]) / 2) if len(below) else float(inside)


def _gains(pairs: Pairs, side: Side) -> FloatArray:
    """Return what each item brings under a model's bands, people's time taken off."""
    assert pairs.amounts is not None
    gains = pairs.amounts.under(side.bands, side.control_share)
    return np.asarray(np.where(pairs.y > 0, gains.positive, gains.negative) - pairs.look * side.people)


@dataclass(frozen=True)
class Ratio:
    """A ratio of weighted sums with its residuals; `n_eff` by the weights of its base (Kish 1965)."""

    value: float | None
    residuals: FloatArray
    n_eff: float

    @classmethod
    def of(cls, weights: FloatArray, a: FloatArray, b: FloatArray) -> "Ratio":
        base = float(weights @ b)
        if base <= 0:
            return cls(None, np.zeros(len(weights)), 0.0)
        value = float(weights @ a) / base
        return cls(value, weights * (a - value * b) / base, base**2 / float(((weights * b) ** 2).sum()))

    @property
    def variance(self) -> float:
        n = int((self.residuals != 0).sum())
        return float((self.residuals**2).sum()) * (n / (n - 1) if n > 1 else 1.0)

    def limits(self) -> Limits:
        """Return exact limits of a share, on as many labels as its variance is worth, at most those of its weights."""
        value = min(1.0, max(0.0, self.value or 0.0))
        units = value * (1 - value) / self.variance if self.variance > 0 and 0 < value < 1 else self.n_eff
        units = min(units, self.n_eff)
        return intervals.exact(value * units, units)


def _shares(key: str, pairs: Pairs, sides: list[tuple[FloatArray, FloatArray]]) -> Figure:
    weights = 1.0 / pairs.pi
    live, new = (Ratio.of(weights, a, b) for a, b in sides)
    told = tuple(Estimate(one.value, *one.limits()) if one.value is not None else NONE for one in (live, new))
    n_eff = min(live.n_eff, new.n_eff)
    if live.value is None or new.value is None:
        return Figure(key, told[0], told[1], NONE, n_eff, None)
    is_same = live.value == new.value and bool((live.residuals == new.residuals).all())
    gap = Estimate(0.0, 0.0, 0.0) if is_same else _apart(new, live)
    return Figure(key, told[0], told[1], gap, n_eff, None if is_same else _more(gap, pairs))


def _apart(new: Ratio, live: Ratio) -> Estimate:
    """Return the difference of two shares on the same items: MOVER with their correlation (Zou and Donner 2008)."""
    assert new.value is not None
    assert live.value is not None
    (new_low, new_high), (live_low, live_high) = new.limits(), live.limits()
    both = float(np.sqrt((new.residuals**2).sum() * (live.residuals**2).sum()))
    r = float(new.residuals @ live.residuals) / both if both > 0 else 0.0
    below = _joined(new.value - new_low, live_high - live.value, r)
    above = _joined(new_high - new.value, live.value - live_low, r)
    gap = new.value - live.value
    return Estimate(gap, max(-1.0, gap - below), min(1.0, gap + above))


def _joined(one: float, other: float, r: float) -> float:
    return float(np.sqrt(max(0.0, one**2 + other**2 - 2 * r * one * other)))


def _money(pairs: Pairs, gains: list[FloatArray]) -> Figure:
    """Return the money of an item, on average, under each model, and the difference."""
    weights, one = 1.0 / pairs.pi, np.ones(len(pairs))
    live, new, gap = (_mean(weights, some, one) for some in (*gains, gains[1] - gains[0]))
    n_eff = Ratio.of(weights, one, one).n_eff
    return Figure(BRINGS, live, new, gap, n_eff, _more(gap, pairs))


def _mean(weights: FloatArray, values: FloatArray, one: FloatArray) -> Estimate:
    if not len(values):
        return NONE
    if (values == values[0]).all():
        return Estimate(float(values[0]), float(values[0]), float(values[0]))
    ratio = Ratio.of(weights, values, one)
    assert ratio.value is not None
    squares = (weights * values) ** 2  # what is the same for both says nothing of how well the difference is known
    freedom = max(1.0, float(squares.sum() ** 2 / (squares**2).sum()) - 1.0)
    half = float(special.stdtrit(freedom, 0.5 + LEVEL / 2)) * float(np.sqrt(ratio.variance))
    return Estimate(ratio.value, ratio.value - half, ratio.value + half)


def _more(gap: Estimate, pairs: Pairs) -> int | None:
    """Return how many labels more would tell the two apart: limits narrow with the root of the labels' number."""
    if gap.value is None or gap.low is None or gap.high is None:
        return None
    if gap.sign:
        return 0
    side = gap.value - gap.low if gap.value > 0 else gap.high - gap.value
    if gap.value == 0 or side / abs(gap.value) > HARDLY**0.5:
        return None
    return int(np.ceil(len(pairs) * ((side / abs(gap.value)) ** 2 - 1) - 1e-6))


def _amounts_at(amounts: Amounts | None, keep: BoolArray) -> Amounts | None:
    return None if amounts is None else Amounts(*(getattr(amounts, name)[keep] for name in ("tp", "fp", "tn", "fn")))
