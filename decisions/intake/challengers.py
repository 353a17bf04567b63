"""Scores that do not route: by another model than the policy's, or for an item that is already here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.backends.utils import CursorWrapper

from decisions import identity
from decisions.intake import ladder, store
from decisions.intake.known import Known
from decisions.intake.parse import Row
from decisions.intake.store import Columns, Rows, Same
from decisions.models import ModelVersion, Score
from decisions.queues.live import Live
from decisions.routing import policy

TABLE = "decisions_score"


@dataclass(frozen=True)
class Extra:
    """A valid score by a model that does not route the item."""

    item_id: int
    model: ModelVersion
    score: float


def late(pairs: Sequence[tuple[Known, Row]], live: Live) -> list[Extra]:
    """Return the valid scores that came with items already here, by other models than those that routed them."""
    pairs = [(known, row) for known, row in pairs if row.score is not None]
    if not pairs:
        return []
    rows = [row for _, row in pairs]
    models = [ladder.sent_model(row, live) for row in rows]
    failures = ladder.sent_failures(rows, models, live.spec)
    return [
        Extra(known.id, model, row.score)
        for k, ((known, row), model) in enumerate(zip(pairs, models, strict=True))
        if model and k not in failures and row.score is not None and model.pk != known.model_id
    ]


def record(cursor: CursorWrapper, extras: Sequence[Extra], live: Live, at: datetime) -> int:
    """Store challengers' scores, one an item and model, the first one wins; return how many were new."""
    if not extras:
        return 0
    columns: Columns = {
        "id": identity.allocate(Score, len(extras)),
        "item_id": [extra.item_id for extra in extras],
        "model_id": [extra.model.pk for extra in extras],
        "score": [extra.score for extra in extras],
        "p": [probability(extra, live) for extra in extras],
        "at": Same(at),
    }
    return store.insert_new(cursor, Rows(TABLE, len(extras), columns))


def probability(extra: Extra, live: Live) -> float:
    """Return a score's probability: recalibrated as the policy says if it is from the policy's model."""
    cuts = policy.Cuts.of(live.policy, live.spec)
    if extra.model.pk != live.policy.model_id:
        cuts = policy.Cuts(hard=None, soft=None, low=extra.model.score_low, high=extra.model.score_high)
    return float(policy.recalibrate(np.array([extra.score]), cuts)[0])
