"""What pushed a score up or down: the terms of a linear model, the paths through a forest of trees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy import sparse, special
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from decisions.learning import features, forest
from decisions.learning.features import CATEGORY, NUMBER, Feature
from decisions.learning.registry import Scorer
from decisions.measure import calibrate

FloatArray = npt.NDArray[np.float64]
SHOWN = 5
FAINT = 1e-9  # log odds: what is nearer to 0 pushed nothing


class State(StrEnum):
    """How the model read a field's value."""

    KNOWN = "known"
    MISSING = "missing"
    UNSEEN = "unseen"  # a category that training did not show: read as missing
    UNREAD = "unread"  # of another type than the field's: read as missing


@dataclass(frozen=True)
class Factor:
    """What one field, or one word of a text field, added to the log odds of the positive outcome."""

    field: str
    weight: float
    state: State = State.KNOWN
    word: str = ""


@dataclass(frozen=True)
class Explanation:
    """`base` + the weights of `factors` + `rest` = the calibrated log odds of the score. The strongest come first.

    `base` is where the model stands before it reads anything, `rest` what all factors that are not named added.
    """

    base: float
    factors: tuple[Factor, ...]
    rest: float

    @property
    def total(self) -> float:
        """The log odds of the score."""
        return self.base + sum(factor.weight for factor in self.factors) + self.rest


class NotExplained(Exception):  # noqa: N818 - the words of the house
    """The model is of a kind whose factors cannot be told."""


@dataclass(frozen=True)
class Slot:
    """What a column of weights is of: a feature by its place, or one of its words."""

    place: int
    word: str = ""


class Explainer(Protocol):
    """A model whose log odds fall into parts: a weight for each of its slots.

    `seen` are the categories that training showed, by a feature's place.
    """

    slots: list[Slot]
    seen: dict[int, frozenset[str]]
    base: float

    def weights(self, x: npt.NDArray[Any]) -> sparse.csr_array:
        """Return the weights, items x slots, in the log odds of the model before it is calibrated."""
        ...


def items(scorer: Scorer, payloads: Sequence[Mapping[str, Any]], count: int = SHOWN) -> list[Explanation]:
    """Return what pushed each score, up to `count` factors; refuses a model that is no forest and no linear one."""
    explainer = _explainer(scorer)
    if not payloads:
        return []
    weights = explainer.weights(features.matrix(payloads, scorer.features))
    raw = explainer.base + np.asarray(weights.sum(axis=1)).ravel()
    base, stretch = _calibrated(scorer, explainer.base, raw)
    weights = sparse.csr_array(sparse.diags_array(stretch) @ weights)
    return [
        _explanation(base, *_strongest(weights, i, count), partial(_factor, scorer, explainer, payload))
        for i, payload in enumerate(payloads)
    ]


def _calibrated(scorer: Scorer, base: float, raw: FloatArray) -> tuple[float, FloatArray]:
    """Return the base in calibrated log odds, and by what each item's weights are stretched to add up in them.

    Calibration is a line in the log odds but for its edge, which bends the ends: each item's weights are stretched
    alike, so that they keep their order and add up to what its score is above the base.
    """
    of_base, of_raw = _line(scorer, np.array([base])), _line(scorer, raw)
    gap = raw - base
    is_none = np.abs(gap) < FAINT
    stretch = np.where(is_none, scorer.slope, (of_raw - of_base) / np.where(is_none, 1.0, gap))
    return float(of_base[0]), stretch


def _line(scorer: Scorer, odds: FloatArray) -> FloatArray:
    if (scorer.slope, scorer.intercept) == (1.0, 0.0):
        return odds
    return scorer.slope * calibrate.log_odds(special.expit(odds), scorer.edge) + scorer.intercept


def _strongest(weights: sparse.csr_array, i: int, count: int) -> tuple[list[tuple[int, float]], float]:
    """Return an item's strongest slots with their weights, the strongest first, and the sum of all its weights."""
    begin, end = weights.indptr[i], weights.indptr[i + 1]
    slots, added = weights.indices[begin:end], weights.data[begin:end]
    order = np.argsort(-np.abs(added), kind="stable")[:count]
    strong = zip(slots[order].tolist(), added[order].tolist(), strict=True)
    return [(slot, weight) for slot, weight in strong if abs(weight) > FAINT], float(added.sum())


def _explanation(
    base: float, strongest: Sequence[tuple[int, float]], added: float, factor: Callable[[int, float], Factor]
) -> Explanation:
    told = tuple(factor(slot, weight) for slot, weight in strongest)
    return Explanation(base, told, added - sum(one.weight for one in told))


def _factor(scorer: Scorer, explainer: Explainer, payload: Mapping[str, Any], number: int, weight: float) -> Factor:
    slot = explainer.slots[number]
    feature = scorer.features[slot.place]
    state = _state(feature, payload.get(feature.name), explainer.seen.get(slot.place))
    return Factor(feature.name, weight, state, slot.word)


def _state(feature: Feature, value: Any, seen: frozenset[str] | None) -> State:
    if value is None:
        return State.MISSING
    if not isinstance(value, int | float if feature.kind == NUMBER else str):
        return State.UNREAD
    return State.UNSEEN if seen is not None and value not in seen else State.KNOWN


_explainers: WeakKeyDictionary[Scorer, Explainer] = WeakKeyDictionary()  # they go with the models


def _explainer(scorer: Scorer) -> Explainer:
    """Return what takes a scorer's log odds apart, made once while the model is in memory."""
    found = _explainers.get(scorer)
    if found is None:
        found = _explainers[scorer] = _made(scorer)
    return found


def _made(scorer: Scorer) -> Explainer:
    if isinstance(scorer.estimator, HistGradientBoostingClassifier):
        return Trees(scorer)
    steps = scorer.estimator.named_steps if isinstance(scorer.estimator, Pipeline) else {}
    if "columns" in steps and hasattr(steps.get("line"), "coef_"):
        return Linear(scorer)
    raise NotExplained


class Trees:
    """A forest: each step of a path is worth what it changes in the mean of the leaves below."""

    def __init__(self, scorer: Scorer) -> None:
        self.forest = forest.of(scorer.estimator)
        self.base = self.forest.base
        self.slots = [Slot(place) for place in range(len(scorer.features))]
        self.seen = _seen(scorer.features, self.forest.categories)

    def weights(self, x: npt.NDArray[Any]) -> sparse.csr_array:
        return sparse.csr_array(self.forest.contributions(x))


class Linear:
    """A linear model: each term is a coefficient times what the field, or the word, is read as."""

    def __init__(self, scorer: Scorer) -> None:
        steps = scorer.estimator.named_steps
        self.columns, coefficients = steps["columns"], steps["line"].coef_[0]
        self.base = float(steps["line"].intercept_[0])
        owners = _owners(self.columns)
        places = {slot: k for k, slot in enumerate(dict.fromkeys(owners))}
        self.slots = list(places)
        at = (np.arange(len(owners)), [places[slot] for slot in owners])
        self.terms = sparse.csr_array((coefficients, at), shape=(len(owners), len(places)))
        encoder = self.columns.named_transformers_.get("categories")
        self.seen = _seen(scorer.features, encoder.categories_ if encoder else [])

    def weights(self, x: npt.NDArray[Any]) -> sparse.csr_array:
        return sparse.csr_array(sparse.csr_array(self.columns.transform(x)) @ self.terms)


def _owners(columns: Any) -> list[Slot]:
    """Return what each column of a linear model's matrix is of, in their order."""
    owners = [Slot(-1)] * sum(part.stop - part.start for part in columns.output_indices_.values())
    for name, fitted, given in columns.transformers_:
        if name in columns.output_indices_ and name != "remainder":
            owners[columns.output_indices_[name]] = _of_part(name, fitted, given)
    assert Slot(-1) not in owners
    return owners


def _of_part(name: str, fitted: Any, given: Any) -> list[Slot]:
    if name == "numbers":  # the numbers, then one column for each that had gaps
        gaps = fitted.named_steps["gaps"].indicator_.features_
        return [Slot(place) for place in (*given, *(given[k] for k in gaps))]
    if name == "categories":
        return [Slot(place) for place, known in zip(given, fitted.categories_, strict=True) for _ in known]
    return [Slot(given, str(word)) for word in fitted.get_feature_names_out()]


def _seen(chosen: Sequence[Feature], codes: Sequence[FloatArray]) -> dict[int, frozenset[str]]:
    """Return the categories that training showed, by the place of their feature; `codes` in the order of those."""
    places = [place for place, feature in enumerate(chosen) if feature.kind == CATEGORY]
    return {
        place: frozenset(chosen[place].categories[int(code)] for code in _numbers(known))
        for place, known in zip(places, codes, strict=True)
    }


def _numbers(codes: npt.NDArray[Any]) -> list[float]:
    """Return codes without the gap among them; beside texts they stand as objects."""
    read = codes.astype(np.float64)
    return [float(code) for code in read[~np.isnan(read)]]
