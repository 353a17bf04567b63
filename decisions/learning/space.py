"""Items as points, so that like ones lie near: each field counts the same, whatever its unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from decisions.learning.features import CATEGORY, NUMBER, TEXT, Feature

FloatArray = npt.NDArray[np.float64]
WORDS = 2**14  # places for words, by their hash: so no word of a text is kept
FAR = 3.0  # standard deviations: what lies further out lies there


@dataclass(frozen=True)
class Space:
    """How payloads become points. `mean` and `sd` are of numbers, NaN of the rest; `idf` weighs words, texts x WORDS.

    A number is its distance from the mean in standard deviations, a gap a mark of its own; a category one of as many
    marks; a text the words in it, rare ones more, of length 1.
    """

    features: tuple[Feature, ...]
    mean: FloatArray
    sd: FloatArray
    idf: FloatArray

    @classmethod
    def of(cls, chosen: Sequence[Feature], payloads: Sequence[Mapping[str, Any]]) -> "Space":
        """Return the space in which these payloads are spread evenly."""
        mean, sd = np.full(len(chosen), np.nan), np.full(len(chosen), np.nan)
        idf = [_idf(_words(_column(one, payloads))) for one in chosen if one.kind == TEXT]
        for place, feature in enumerate(chosen):
            if feature.kind == NUMBER:
                known = np.array(_column(feature, payloads), dtype=np.float64)
                known = known[~np.isnan(known)]
                mean[place], sd[place] = (known.mean(), known.std()) if len(known) else (0.0, 0.0)
        return cls(tuple(chosen), mean, np.where(sd == 0, 1.0, sd), np.array(idf).reshape(-1, WORDS))

    def points(self, payloads: Sequence[Mapping[str, Any]]) -> sparse.csr_array:
        """Return the points of payloads, rows x dimensions: numbers first, then categories, then texts."""
        columns = [_column(one, payloads) for one in self.features]
        kinds = [one.kind for one in self.features]
        steps = [self._steps(at, columns[at]) for at, kind in enumerate(kinds) if kind == NUMBER]
        numbers = sparse.csr_array(np.concatenate([np.zeros((len(payloads), 0)), *steps], axis=1))
        marks = [_marks(columns[at], self.features[at]) for at, kind in enumerate(kinds) if kind == CATEGORY]
        texts = [column for column, kind in zip(columns, kinds, strict=True) if kind == TEXT]
        words = [_text(column, idf) for column, idf in zip(texts, self.idf, strict=True)]
        rest = [*marks, *words]
        return sparse.csr_array(sparse.hstack([numbers, *rest], format="csr")) if rest else numbers

    def _steps(self, place: int, column: Sequence[Any]) -> FloatArray:
        values = np.array(column, dtype=np.float64)
        is_gap = np.isnan(values)
        steps = np.clip((values - self.mean[place]) / self.sd[place], -FAR, FAR)
        return np.stack([np.where(is_gap, 0.0, steps), is_gap.astype(np.float64)], axis=1)


def distances(points: sparse.csr_array, squares: FloatArray, one: sparse.csr_array) -> FloatArray:
    """Return the squared distances of points, whose squared lengths are given, to one point."""
    there = one.toarray().ravel()
    found: FloatArray = np.maximum(0.0, squares + there @ there - 2.0 * (points @ there))
    return found


def _column(feature: Feature, payloads: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    return feature.column([payload.get(feature.name) for payload in payloads])


def _words(texts: Sequence[str]) -> Any:
    return HashingVectorizer(n_features=WORDS, alternate_sign=False, norm=None).transform(texts)


def _marks(column: Sequence[Any], feature: Feature) -> sparse.csr_array:
    """Return a mark a row, in the place of its category, a gap in the last one."""
    values, last = np.array(column, dtype=np.float64), len(feature.categories)
    places = np.where(np.isnan(values), last, values).astype(np.int64)
    return sparse.csr_array((np.ones(len(places)), (np.arange(len(places)), places)), shape=(len(places), last + 1))


def _text(texts: Sequence[str], idf: FloatArray) -> Any:
    words = _words(texts)
    words.data = 1.0 + np.log(words.data)
    return normalize(words.multiply(idf).tocsr())


def _idf(counts: Any) -> FloatArray:
    """Return the smoothed inverse document frequency of each word."""
    found: FloatArray = np.log((1 + counts.shape[0]) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1.0
    return found
