"""A world whose truth is known: items that arrive, a model that routes them, and people who label what they see."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from decisions.models import Item, Label, Queue, Ruling
from decisions.queues.spec import ModelSpec
from tests.factories import NOON, make_item, make_queue, make_user

TRAINED = ModelSpec(pipeline="boosting", features=("words", "amount", "kind"), label="spam", positive="1")
TEXTS = replace(TRAINED, pipeline="logistic", features=("text",))


def payloads(count: int, seed: int = 3) -> tuple[list[dict[str, Any]], npt.NDArray[np.int64]]:
    """Return payloads and what is true of them: spam has many words and comes by chat; some values are missing."""
    rng = np.random.default_rng(seed)
    made, truth = [], []
    for _ in range(count):
        words, is_chat = float(rng.integers(0, 100)), bool(rng.integers(0, 2))
        is_spam = rng.uniform() < 0.05 + 0.7 * (words > 60) * is_chat
        made.append(
            {
                "text": "win a prize now" if is_spam and rng.uniform() < 0.7 else "see you tomorrow",
                "words": words if rng.uniform() > 0.1 else None,
                "amount": float(rng.uniform()),
                "kind": "chat" if is_chat else "mail",
            }
        )
        truth.append(int(is_spam))
    return made, np.array(truth)


def label(
    queue: Queue,
    payload: Mapping[str, Any],
    value: int | None,
    *,
    no: int,
    provenance: str = "soft",
    propensity: float | None = 1.0,
    **fields: Any,
) -> Label:
    """Store an item with its label, as if people had ruled on it; number `no` follows its place in time."""
    item = make_item(queue, dict(payload), arrived_at=NOON + timedelta(minutes=no), **fields)
    truth = {1: "positive", 0: "negative", None: "none"}[value]
    outcome = {1: "spam", 0: "ham", None: "unclear"}[value]
    common = {"queue": queue, "item": item, "outcome": outcome}
    ruling = Ruling.objects.create(
        **common, no=1, truth=truth, source="decision", at=item.arrived_at, final_at=item.arrived_at
    )
    last = Label.objects.order_by("-no").values_list("no", flat=True).first() or 0
    return Label.objects.create(
        **common,
        no=last + 1,
        ruling=ruling,
        value=value,
        propensity=propensity,
        provenance=provenance,
        ruled_at=item.arrived_at,
        at=item.arrived_at,
    )


def labelled_queue(count: int = 120, *, seed: int = 3, **changes: Any) -> Queue:
    """Return a queue that trains a model, with soft labels and now and then an audit or a "can't tell"."""
    queue = make_queue(**{"model": TRAINED, **changes})
    made, truth = payloads(count, seed)
    sender: dict[str, Any] = {"sender": make_user("manager", queue)}
    for no, (payload, value) in enumerate(zip(made, truth, strict=True)):
        if no % 25 == 24:
            label(queue, payload, None, no=no, **sender)
        elif no % 4 == 1:
            label(
                queue, payload, int(value), no=no, provenance="audit", propensity=0.1, route=Item.Route.PASS, **sender
            )
        else:
            label(queue, payload, int(value), no=no, **sender)
    return queue
