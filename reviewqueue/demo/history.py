"""Eight weeks of made-up history for the demo: real rows drawn again, at times with a season, marked as imported.

It stands for what an earlier tool would bring along, so that the forecast works from the first day. No row of it is
one that arrived: payloads are drawn from the part a model learns from, times from a week's rhythm.
"""

import gzip
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from math import exp
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.utils.timezone import localtime

from decisions.intake import imported
from decisions.intake.imported import Outcome
from decisions.models import Item, Queue, User
from decisions.queues.spec import Spec, Truth
from decisions.record import log
from reviewqueue.demo import rows, setup
from reviewqueue.demo.reviewers import ERROR_RATE, HANDLING

WEEKS = 8
SETTLED = timedelta(hours=2)  # within which every item of the history was decided
SAID_EVERY = 2 * imported.BATCH  # items
HOUR = timedelta(hours=1)
# Items for people in each hour of a working day, midnight first; what a weekend has of it, how weeks and days differ.
BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 9, 16, 22, 25, 24, 19, 18, 23, 24, 21, 16, 11, 8, 6, 5, 4, 3)
WEEKEND = 0.35
GROWTH = 0.01  # a week
SPREAD = 0.12  # of days, on the log scale
WAIT = (60.0, 5400.0)  # seconds until somebody decided
BY = "an earlier tool (drawn again from real rows)"


def run(say: Callable[[str], None], folder: Path) -> None:
    """Import a history into each demo queue that has none; says how far it is."""
    sender = User.objects.filter(kind=User.Kind.SERVICE, name=setup.SENDER, is_active=True).first()
    for queue in Queue.objects.filter(slug__in=rows.DEMOS).select_related("version").order_by("slug"):
        if sender is None or Item.objects.filter(queue=queue, reason=Item.RouteReason.IMPORTED).exists():
            continue
        file = folder / f"history-{queue.slug}.ndjson.gz"
        if not file.exists():
            write(file, queue, log.now() - SETTLED)
        done = imported.run(queue=queue, file=file, by=sender, at=log.now(), said=_progress(queue.slug, say))
        say(f"History of {queue.slug}: {done.accepted:,} items of {WEEKS} weeks, drawn again and imported as such.")


def _progress(slug: str, say: Callable[[str], None]) -> Callable[[Outcome], None]:
    def tell(done: Outcome) -> None:
        if done.accepted % SAID_EVERY == 0:
            say(f"History of {slug}: {done.accepted:,} items so far.")

    return tell


def write(file: Path, queue: Queue, end: datetime) -> None:
    """Write a queue's history up to a time; the whole file or none."""
    draft = file.with_suffix(".new")
    with gzip.open(draft, "wb", compresslevel=1) as out:
        for one in lines(queue, end):
            out.write(orjson.dumps(one) + b"\n")
    draft.replace(file)


def lines(queue: Queue, end: datetime) -> Iterator[dict[str, Any]]:
    """Yield the lines of a queue's history, oldest first; the same ones for the same end."""
    spec, chance = queue.spec, random.Random(f"history-{queue.slug}")  # noqa: S311 - a simulation
    examples = rows.examples(queue.slug, spec)
    start = (end - timedelta(weeks=WEEKS)).replace(minute=0, second=0, microsecond=0)
    days: dict[object, float] = {}
    number = 0
    for hour in range(WEEKS * 7 * 24):
        at = start + HOUR * hour
        busy = days.setdefault(localtime(at, spec.zone).date(), exp(chance.gauss(0, SPREAD)))
        for _ in range(_count(chance, rate(at, spec.zone, hour) * busy)):
            number += 1
            example = chance.choice(examples)
            yield _line(f"history-{queue.slug}-{number:06d}", at, example, spec, chance)


def rate(at: datetime, zone: ZoneInfo, hour: int) -> float:
    """Return how many items for people an hour has on average; `hour` counts from the beginning."""
    local = localtime(at, zone)
    weekend = WEEKEND if local.weekday() >= 5 else 1.0
    grown: float = (1.0 + GROWTH) ** (hour / 168)
    return BY_HOUR[local.hour] * weekend * grown


def _count(chance: random.Random, mean: float) -> int:
    """Return a Poisson count: how many exponential spans fit into one."""
    count, left = 0, chance.expovariate(mean)
    while left < 1.0:
        count += 1
        left += chance.expovariate(mean)
    return count


def _line(name: str, hour: datetime, example: Any, spec: Spec, chance: random.Random) -> dict[str, Any]:
    at = hour + timedelta(seconds=chance.randrange(3600))
    is_positive = example.is_positive != (chance.random() < ERROR_RATE)
    truth = Truth.POSITIVE if is_positive else Truth.NEGATIVE
    outcome = next(one for one in spec.outcomes if one.truth == truth)
    return {
        "external_id": name,
        "arrived_at": at.isoformat(),
        "payload": example.payload,
        "outcome": outcome.key,
        "decided_at": (at + timedelta(seconds=round(chance.uniform(*WAIT)))).isoformat(),
        "active_seconds": round(chance.uniform(*HANDLING), 1),
        "decided_by": BY,
    }
