"""A queue with a week of traffic behind it, routed as its live policy would, and labelled as the design asks for."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from decisions.measure import rollups
from decisions.models import Body, Draw, Frame, Intake, Item, Policy, Queue, Ruling
from decisions.record import digest
from decisions.routing import policy
from decisions.routing.policy import Cuts
from tests.factories import NOON, make_queue, make_user

DAY = timedelta(days=1)
SALT = b"0123456789abcdef"


def busy_queue(*, at: datetime = NOON, items: int = 400, days: int = 7, audits: int = 60, **spec: Any) -> Queue:
    """Store a queue, its items of the last days, rulings for what people saw, and a frame a day (0 audits: none).

    Every 20th item failed a check. Scores run over the model's range; an item is positive as often as its score says.
    """
    queue = make_queue(**spec)
    Queue.objects.filter(pk=queue.pk).update(created_at=at - DAY * (days + 1))
    live = Policy.objects.live().select_related("model").get(queue=queue)
    cuts, rng = Cuts.of(live, queue.spec), np.random.default_rng(3)
    p = rng.beta(0.5, 1.0, items)
    reason = np.where(np.arange(items) % 20 == 19, "input_check", "score").astype(object)
    routing = policy.route(cuts.low + p * (cuts.high - cuts.low), reason, rng.random(items), cuts)
    arrived = [at - DAY * days * (n + 0.5) / items for n in range(items)]
    stored = _store(queue, live, [_columns(routing, n, cuts, p) | {"arrived_at": arrived[n]} for n in range(items)])
    truth = rng.random(items) < p
    drawn = _frames(queue, stored, at, days, audits) if audits else set()
    seen = [(item, bool(truth[n])) for n, item in enumerate(stored) if item.route == "soft" or item.pk in drawn]
    Ruling.objects.bulk_create(
        Ruling(
            queue=queue,
            item=item,
            no=1,
            outcome="spam" if is_positive else "ham",
            truth="positive" if is_positive else "negative",
            source="decision",
            at=item.arrived_at,
            final_at=item.arrived_at,
        )
        for item, is_positive in seen
    )
    rollups.roll_up(at)
    return queue


def _columns(routing: policy.Routing, n: int, cuts: Cuts, p: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Any:
    q, propensity = float(routing.q[n]), float(routing.propensity[n])
    return {
        "score": cuts.low + float(p[n]) * (cuts.high - cuts.low),
        "p": float(p[n]),
        "band": str(routing.band[n]),
        "route": str(routing.route[n]),
        "reason": str(routing.reason[n]),
        "propensity": None if np.isnan(propensity) else propensity,
        "q": None if np.isnan(q) else q,
        "value": float(100 + n),
    }


def _store(queue: Queue, live: Policy, rows: list[dict[str, Any]]) -> list[Item]:
    assert queue.version is not None
    sender, at = make_user(), rows[-1]["arrived_at"] if rows else NOON
    intake = Intake.objects.create(
        queue=queue, sender=sender, app_version="test", accepted=len(rows), duplicates=0, rejected=0, digests=b"", at=at
    )
    made = Item.objects.bulk_create(
        Item(
            queue=queue,
            intake=intake,
            queue_version=queue.version,
            policy=live,
            model=live.model,
            external_id=f"busy-{n}",
            body_digest=digest.commitment(SALT, b"{}"),
            rung=Item.Rung.SENT,
            u=(n * 0.618) % 1.0,
            u_secret=1,
            **row,
        )
        for n, row in enumerate(rows)
    )
    bodies = (digest.canonical({"payload": {"words": 10 + n}}).decode() for n in range(len(made)))
    Body.objects.bulk_create(Body(item=i, content=text, salt=SALT) for i, text in zip(made, bodies, strict=True))
    return made


def _frames(queue: Queue, items: list[Item], at: datetime, days: int, audits: int) -> set[int]:
    """Close a frame for each span of 24 hours, with its part of the audits drawn by chance; return who was drawn."""
    drawn: set[int] = set()
    for day in range(days):
        starts, each = at - DAY * (day + 1), max(1, audits // days)
        passed = [i for i in items if i.route == "pass" and starts <= i.arrived_at < starts + DAY]
        chosen = passed[:: max(1, len(passed) // each)]
        frame = Frame.objects.create(
            queue=queue,
            starts_at=starts,
            ends_at=starts + DAY,
            budget=each,
            passes=len(passed),
            drawn=len(chosen),
            mean_p=0.1,
            beta=0.25,
            at=starts + DAY,
        )
        Draw.objects.bulk_create(Draw(frame=frame, item=i, pi=len(chosen) / len(passed)) for i in chosen)
        drawn |= {item.pk for item in chosen}
    return drawn
