"""Short ways to passes and their frames."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson

from decisions.intake import parse, submit
from decisions.models import Queue
from decisions.queues import live
from decisions.queues.spec import PolicySpec
from tests.factories import make_queue, make_user

DAY = timedelta(days=1)


def audited_queue(budget: int = 10, **spec: Any) -> Queue:
    """Make a queue that audits so many of its passes a day."""
    policy = PolicySpec(
        hard=0.9, soft=0.3, suggest=0.5, control_share=0.1, objective="Keep it clean", audit_budget=budget
    )
    return make_queue(policy=policy, **spec)


def send(queue: Queue, names: Sequence[str], at: datetime, **fields: Any) -> None:
    """Bring items in through the product, with low scores of their own unless `fields` has one (None: without).

    `other` is the score that the model of this name gives them in later lines of the same call.
    """
    other = fields.pop("other", None)
    rng = np.random.default_rng([len(names), int(at.timestamp())])
    scores = (0.3 * rng.beta(1, 30, len(names))).tolist()
    rows: list[dict[str, Any]] = [
        {"external_id": name, "payload": {"text": name}, "score": score, **fields}
        for name, score in zip(names, scores, strict=True)
    ]
    if other is not None:
        rows += [{**row, "score": other, "model": "other"} for row in rows]
    told = ({name: value for name, value in row.items() if value is not None} for row in rows)
    lines = parse.many(b"\n".join(map(orjson.dumps, told)))
    batch = submit.many(queue=live.of(queue.slug), lines=lines, sender=make_user(), at=at, with_results=False)
    assert not batch.bad


def named(count: int, prefix: str = "m") -> list[str]:
    """Return so many external ids."""
    return [f"{prefix}-{i}" for i in range(count)]
