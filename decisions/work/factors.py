"""What pushed an item's score, for who may see the score."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
import structlog

from decisions.learning import explain, registry
from decisions.learning.explain import Explanation, Factor
from decisions.learning.kept import Kept
from decisions.learning.seal import ModelFileRefused
from decisions.models import Item, ModelVersion
from decisions.queues.spec import PayloadField, Spec

KEPT = 5_000  # explanations in a process
LOST = (FileNotFoundError, ModelFileRefused)

MODELS = (ModelVersion.Kind.PIPELINE, ModelVersion.Kind.SIMPLER)

log = structlog.get_logger(__name__)
_kept: Kept[tuple[str, bytes], Explanation] = Kept(KEPT)


class Source(StrEnum):
    """Where an item's score came from, as far as it can be explained."""

    MODEL = "model"  # its factors are told
    OUTSIDE = "outside"  # the score was sent
    RULE = "rule"  # a rule of the queue gave it
    NOTHING = "nothing"  # nothing scored it
    ERASED = "erased"  # what it was scored by is gone
    LOST = "lost"  # the model's file is not there, or not of a kind that can be told


@dataclass(frozen=True)
class Told:
    """Where a score came from and, of a model, what pushed it."""

    source: Source
    explanation: Explanation | None = None


def of_item(item: Item) -> Told:
    """Return what pushed an item's score. Reads its body and model: select them with it.

    A model's answer is kept by its file's hash and the body's digest. One that names words of a text is not: after an
    erasure no word may be left in memory.
    """
    source = _source(item)
    if source != Source.MODEL or item.model is None:
        return Told(source)
    key = (item.model.sha256, bytes(item.body_digest))
    found = _kept.get(key)
    if found is None:
        found = _explained(item.model, _payload(item))
        if found and not any(factor.word for factor in found.factors):
            _kept.put(key, found)
    return Told(source, found) if found else Told(Source.LOST)


def _source(item: Item) -> Source:
    if item.body.content is None:
        return Source.ERASED
    if item.rung == Item.Rung.SENT:
        return Source.OUTSIDE
    if item.rung == Item.Rung.HEURISTIC:
        return Source.RULE
    return Source.MODEL if item.model and item.model.kind in MODELS else Source.NOTHING


def _explained(model: ModelVersion, payload: dict[str, Any]) -> Explanation | None:
    try:
        return explain.items(registry.load(model), [payload])[0]
    except (*LOST, explain.NotExplained):
        log.warning("factors.lost", model=model.name, exc_info=True)
        return None


def as_json(item: Item, spec: Spec, *, masked: str = "") -> dict[str, Any]:
    """Return what pushed an item's score with each field's label, unit and value; weights are calibrated log odds.

    Where `masked` is given, the words and values of personal fields, and of fields that the spec does not know, read
    so. A text's value is left out: its word says which part of it pushed.
    """
    told = of_item(item)
    found = told.explanation
    if found is None:
        return {"source": told.source}
    payload = _payload(item)
    return {
        "source": told.source,
        "base": found.base,
        "rest": found.rest,
        "total": found.total,
        "factors": [_factor(one, payload, spec.payload_field(one.field), masked) for one in found.factors],
    }


def _factor(one: Factor, payload: dict[str, Any], field: PayloadField | None, masked: str) -> dict[str, Any]:
    is_masked = bool(masked) and (field is None or field.personal)
    value = None if one.word else payload.get(one.field)
    return {
        "field": one.field,
        "label": field.label if field else one.field,
        "unit": field.unit if field else "",
        "word": masked if is_masked and one.word else one.word,
        "value": masked if is_masked and value is not None else value,
        "state": one.state,
        "weight": one.weight,
    }


def _payload(item: Item) -> dict[str, Any]:
    payload: dict[str, Any] = orjson.loads(item.body.content or "{}").get("payload", {})
    return payload
