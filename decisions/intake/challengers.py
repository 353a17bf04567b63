"""Scores that do not route: by another model than the policy's, or for an item that is already here."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import numpy as np
from django.db.backends.utils import CursorWrapper

from decisions import identity
from decisions.intake import ladder, store
from decisions.intake.known import Known
from decisions.intake.ladder import Aside, Climb
from decisions.intake.parse import Row
from decisions.intake.store import Columns, Rows, Same
from decisions.models import ModelVersion, Score
from decisions.queues.live import Live
from decisions.routing import policy, sampling
from decisions.routing.policy import FloatArray

TABLE = "decisions_score"
Beside = Mapping[int, list[Aside]]  # by place, the scores of other models that came in the same call


@dataclass(frozen=True)
class Extra:
    """A valid score by a model that does not route the item; `was_known` when the item was routed."""

    item_id: int
    model: ModelVersion
    score: float
    was_known: bool


def beside(rows: Sequence[Row], again: Sequence[Row], live: Live) -> Beside:
    """Return what later lines of a call say of its rows: valid scores, with the same content under the same id."""
    places = {row.external_id: i for i, row in enumerate(rows)} if again else {}
    alike = [row for row in again if row.score is not None and row.content == rows[places[row.external_id]].content]
    found: dict[int, list[Aside]] = {}
    for k, model, score in _valid(alike, live):
        place = places[alike[k].external_id]
        found.setdefault(place, []).append(Aside(place, model, score))
    return found


def signals(climb: Climb, beside: Beside, live: Live) -> FloatArray | None:
    """Return the mean of the probabilities that other models' scores stand for, NaN where there is none; None: nowhere.

    Only scores that are known now, when the item is routed, one of each model: the first, as it is stored.
    """
    said: dict[int, dict[int, float]] = {}
    for aside in chain(climb.aside, *beside.values()):
        router = climb.models[aside.place]
        if router is None or router.pk != aside.model.pk:
            said.setdefault(aside.place, {}).setdefault(aside.model.pk, probability(aside.model, aside.score, live))
    if not said:
        return None
    means = np.full(len(climb.scores), np.nan)
    for place, of_models in said.items():
        means[place] = sampling.mean(of_models.values())
    return means


def late(pairs: Sequence[tuple[Known, Row]], new: Collection[int], live: Live) -> list[Extra]:
    """Return the valid scores that came for items already here, or in a later line of the call that brought them.

    By other models than those that routed the items; `new` are the ids of those that this call brought.
    """
    pairs = [(known, row) for known, row in pairs if row.score is not None]
    return [
        Extra(pairs[k][0].id, model, score, pairs[k][0].id in new)
        for k, model, score in _valid([row for _, row in pairs], live)
        if model.pk != pairs[k][0].model_id
    ]


def _valid(rows: Sequence[Row], live: Live) -> Iterator[tuple[int, ModelVersion, float]]:
    """Yield the place, model and score of each row whose score is valid and whose model is known."""
    if not rows:
        return
    models = [ladder.sent_model(row, live) for row in rows]
    failures = ladder.sent_failures(rows, models, live.spec)
    for k, (row, model) in enumerate(zip(rows, models, strict=True)):
        if model and row.score is not None and k not in failures:
            yield k, model, row.score


def record(cursor: CursorWrapper, extras: Sequence[Extra], live: Live, at: datetime) -> int:
    """Store challengers' scores, one an item and model, the first one wins; return how many were new."""
    if not extras:
        return 0
    columns: Columns = {
        "id": identity.allocate(Score, len(extras)),
        "item_id": [extra.item_id for extra in extras],
        "model_id": [extra.model.pk for extra in extras],
        "score": [extra.score for extra in extras],
        "p": [probability(extra.model, extra.score, live) for extra in extras],
        "was_known": [extra.was_known for extra in extras],
        "at": Same(at),
    }
    return store.insert_new(cursor, Rows(TABLE, len(extras), columns))


def probability(model: ModelVersion, score: float, live: Live) -> float:
    """Return what one score means, as `probabilities`."""
    return float(probabilities(model, np.array([score]), live)[0])


def probabilities(model: ModelVersion, scores: FloatArray, live: Live) -> FloatArray:
    """Return what scores mean, in [0, 1]: recalibrated as the live policy or the canary says, if they pin its model.

    Of any other model the score's share of its range stands for it.
    """
    cuts = policy.Cuts(hard=None, soft=None, low=model.score_low, high=model.score_high)
    if model.pk in live.pinned:
        cuts = policy.Cuts.of(live.pinned[model.pk], live.spec)
    return policy.recalibrate(scores, cuts)
