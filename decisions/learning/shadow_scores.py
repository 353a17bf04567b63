"""What models in shadow do: score what arrived, away from intake, and what people saw before they began.

What arrived is read from the queue's chain: its entries have numbers without a gap in the order of their commits, so
that a cursor on them skips nothing, whatever was still open when it was read.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
import structlog
from django.db import connection, transaction
from django.db.models import F

from decisions import identity
from decisions.intake import challengers, checks, ladder, store
from decisions.intake.ladder import OutOfTime
from decisions.intake.store import Columns, Rows, Same
from decisions.learning import registry, shadows
from decisions.learning.seal import ModelFileRefused
from decisions.measure import sample
from decisions.models import Event, ModelVersion, Score, Shadow
from decisions.queues import live as in_force
from decisions.routing.policy import FloatArray

CHUNK = 1000  # items that a model is asked about at once
ENTRIES = 500  # of the chain, read at once
SECONDS = 0.5  # a run of the sweep scores for so long; it comes every few seconds, and intake has the rest of the core
STRIKES = 5  # failures of the model as a whole, in a row
REST = timedelta(minutes=1)  # after each of them
WHOLE = (OutOfTime, FileNotFoundError, ModelFileRefused)  # failures that no other item would escape

# What a model may score: content that is still there and passed its checks, without a score of this model.
ARRIVED = """
SELECT i.id, b.content FROM decisions_item i JOIN decisions_body b ON b.item_id = i.id
WHERE i.intake_id = ANY(%(intakes)s) AND i.reason NOT IN ('input_check', 'imported')"""
LABELLED = """
SELECT i.id, b.content FROM decisions_item i JOIN decisions_body b ON b.item_id = i.id
WHERE i.id = ANY(%(items)s) AND i.reason NOT IN ('input_check', 'imported')"""
UNSCORED = """ AND b.content IS NOT NULL AND i.model_id IS DISTINCT FROM %(model)s
    AND NOT EXISTS (SELECT 1 FROM decisions_score s WHERE s.item_id = i.id AND s.model_id = %(model)s)
ORDER BY i.id"""


logger = structlog.get_logger(__name__)
Content = Sequence[tuple[int, str]]


class ModelBroke(Exception):  # noqa: N818 - the words of the house
    """A model failed as a whole; the text is the failure's code."""


def sweep(at: datetime) -> int:
    """Score what arrived, for half a second in all; return how many items. What one run leaves the next one finds."""
    until, scored = time.monotonic() + SECONDS, 0
    for shadow in Shadow.objects.running().select_related("model", "queue").order_by("reached_at", "pk"):
        if shadow.next_at is None or shadow.next_at <= at:
            scored += _advance(shadow, at, until)
    return scored


def _advance(shadow: Shadow, at: datetime, until: float) -> int:
    """Score for one shadow until the time is up or nothing waits; a model that broke gets a strike."""
    scored = 0
    try:
        if shadow.backfilled_at is None:
            _backfill(shadow, at)
        while time.monotonic() < until and (step := _step(shadow, at)) is not None:
            scored += step
    except ModelBroke as broken:
        _strike(shadow, str(broken), at)
    return scored


def _step(shadow: Shadow, at: datetime) -> int | None:
    """Score a chunk of what arrived and move on, both in one transaction; None where nothing waits."""
    entries = _intakes(shadow)
    if not entries:
        return None
    waiting = _read(ARRIVED, shadow, intakes=[intake for _seq, intake, _at in entries if intake])
    parts = [_scored(shadow, part) for part in _chunks(waiting)]
    sound = sum(len(part.items) for part in parts)
    seq, _intake, reached = entries[-1]
    moved = {
        "seq": seq,
        "reached_at": reached,
        "scored": F("scored") + sound,
        "failed": F("failed") + len(waiting) - sound,
    }
    if sound or not waiting:
        moved |= {"strikes": 0, "next_at": None}
    with transaction.atomic():
        if not Shadow.objects.running().filter(pk=shadow.pk, seq=shadow.seq).update(**moved):
            return None  # stopped, or another run was here
        for part in parts:
            _store(shadow, part, at, is_backfill=False)
    shadow.seq = seq
    if waiting and not sound:
        raise ModelBroke("model:error")
    return sound


def _backfill(shadow: Shadow, at: datetime) -> None:
    """Score what people saw in the days before the start; done again from where it was killed."""
    stored = 0
    if shadow.back_days:
        since = shadow.started_at - timedelta(days=shadow.back_days)
        seen = sample.labelled(shadow.queue_id, start=since, end=shadow.started_at, at=at)
        for part in _chunks(_read(LABELLED, shadow, items=seen.item.tolist())):
            stored += _store(shadow, _scored(shadow, part), at, is_backfill=True)
    _progress(shadow, backfilled_at=at, backfilled=stored)


def _intakes(shadow: Shadow) -> list[tuple[int, int | None, datetime]]:
    """Return the next entries that brought items, as far as they make a chunk: number, intake, time."""
    arrivals = Event.objects.filter(chain=shadow.queue_id, kind=Event.Kind.ITEMS_ARRIVED, seq__gt=shadow.seq)
    found: list[tuple[int, int | None, datetime]] = []
    items = 0
    for seq, text, when in arrivals.order_by("seq").values_list("seq", "entry", "at")[:ENTRIES]:
        entry = orjson.loads(text)
        found.append((seq, _intake_of(entry), when))
        items += entry["accepted"]
        if items >= CHUNK:
            break
    return found


def _intake_of(entry: dict[str, Any]) -> int | None:
    return next((pk for name, pk, _digest in entry.get("rows", ()) if name == "intake"), None)


def _read(statement: str, shadow: Shadow, **names: list[int]) -> Content:
    with connection.cursor() as cursor:
        cursor.execute(statement + UNSCORED, {"model": shadow.model_id, **names})
        found: Content = cursor.fetchall()
        return found


def _chunks(content: Content) -> Iterator[Content]:
    for first in range(0, len(content), CHUNK):
        yield content[first : first + CHUNK]


@dataclass(frozen=True)
class Scored:
    """Items with their valid scores."""

    items: Sequence[int]
    scores: FloatArray


def _scored(shadow: Shadow, content: Content) -> Scored:
    """Return the scores of items; those that failed are left out."""
    scores = _asked(shadow.model, [orjson.loads(text)["payload"] for _item, text in content])
    wrong = checks.outputs(scores, shadow.model.score_low, shadow.model.score_high)
    sound = [place for place in range(len(content)) if place not in wrong]
    return Scored([content[place][0] for place in sound], scores[sound])


@transaction.atomic
def _store(shadow: Shadow, part: Scored, at: datetime, *, is_backfill: bool) -> int:
    """Store scores, one an item and model; return how many were new."""
    if not part.items:
        return 0
    columns: Columns = {
        "id": identity.allocate(Score, len(part.items)),
        "item_id": part.items,
        "model_id": Same(shadow.model_id),
        "score": part.scores.tolist(),
        "p": challengers.probabilities(shadow.model, part.scores, in_force.of_id(shadow.queue_id)).tolist(),
        "was_known": Same(False),  # noqa: FBT003 - the value of a column
        "is_backfill": Same(is_backfill),
        "at": Same(at),
    }
    with connection.cursor() as cursor:
        return store.insert_new(cursor, Rows(challengers.TABLE, len(part.items), columns))


def _asked(model: ModelVersion, payloads: Sequence[dict[str, Any]]) -> FloatArray:
    """Return a model's scores, NaN where it fails on an item; raises ModelBroke where no item would fare better."""
    try:
        return ladder.in_time(model, payloads)
    except WHOLE as error:
        code = f"model:{ladder.FAULTS[type(error)]}"
        raise ModelBroke(code) from error
    except Exception:  # whatever breaks on these items, each of them is tried alone
        logger.warning("shadow.items_broke", model=model.name, items=len(payloads), exc_info=True)
        return np.array([_alone(model, payload) for payload in payloads])


def _alone(model: ModelVersion, payload: dict[str, Any]) -> float:
    try:
        return float(registry.load(model).score([payload])[0])
    except Exception:  # it is counted as one that could not be scored
        return float("nan")


def _strike(shadow: Shadow, code: str, at: datetime) -> None:
    """Count a failure of the model as a whole; the fifth in a row takes it out of shadow and opens an alert."""
    _progress(shadow, strikes=F("strikes") + 1, last_failure=code, next_at=at + REST)
    shadow.refresh_from_db()
    if shadow.strikes >= STRIKES and shadow.is_running:
        shadows.give_up(shadow, code, at)


def _progress(shadow: Shadow, **columns: Any) -> None:
    """Write how a shadow fares; one that was stopped meanwhile stays as it was left."""
    Shadow.objects.running().filter(pk=shadow.pk).update(**columns)
