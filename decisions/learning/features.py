"""From payloads to the matrix a model reads: numbers as they are, categories as codes, texts as texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from decisions.queues.spec import NUMERIC, FieldType, PayloadField

NUMBER, CATEGORY, TEXT = "number", "category", "text"
KINDS = {
    **dict.fromkeys(NUMERIC, NUMBER),
    FieldType.BOOLEAN: NUMBER,
    FieldType.CATEGORY: CATEGORY,
    FieldType.TEXT: TEXT,
    FieldType.HTML: TEXT,
}


@dataclass(frozen=True)
class Feature:
    """One column: the payload field it is read from, its kind, and the categories that have a code."""

    name: str
    kind: str
    categories: tuple[str, ...] = ()

    def column(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return a field's values as the model reads them; what is missing, unseen or of another type is a gap."""
        if self.kind == TEXT:
            return [value if isinstance(value, str) else "" for value in values]
        if self.kind == CATEGORY:
            codes = {category: float(code) for code, category in enumerate(self.categories)}
            return [codes.get(value, np.nan) if isinstance(value, str) else np.nan for value in values]
        return [float(value) if isinstance(value, int | float) else np.nan for value in values]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "categories": list(self.categories)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Feature":
        return cls(stored["name"], stored["kind"], tuple(stored["categories"]))


def of_fields(
    fields: Sequence[PayloadField], names: Sequence[str], payloads: Sequence[Mapping[str, Any]]
) -> list[Feature]:
    """Return the features among a queue's fields: the named ones, all that a model can read if none is named.

    A field that is known only after the decision is none of them. A category field without a list of its own has those
    categories that the payloads show.
    """
    chosen = [f for f in fields if f.type in KINDS and not f.after and (f.name in names or not names)]
    return [Feature(f.name, KINDS[f.type], _categories(f, payloads)) for f in chosen]


def _categories(field: PayloadField, payloads: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    if field.type != FieldType.CATEGORY:
        return ()
    return field.categories or tuple(sorted({v for p in payloads if isinstance(v := p.get(field.name), str)}))


def matrix(payloads: Sequence[Mapping[str, Any]], features: Sequence[Feature]) -> npt.NDArray[Any]:
    """Return the rows x features matrix: float64 with NaN for gaps, or of objects where a feature is text."""
    columns = [feature.column([payload.get(feature.name) for payload in payloads]) for feature in features]
    kind: Any = object if any(feature.kind == TEXT for feature in features) else np.float64
    filled = np.empty((len(payloads), len(features)), dtype=kind)
    for place, column in enumerate(columns):
        filled[:, place] = column
    return filled
