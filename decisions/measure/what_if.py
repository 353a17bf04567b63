"""What a policy and its people would have meant for the items of the last days, against the live policy."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from decisions.measure import floor
from decisions.measure.fan import Fan
from decisions.measure.supposed import balance, recent, sides
from decisions.measure.supposed.recent import Recent
from decisions.measure.supposed.sides import Now, Row, Side
from decisions.measure.supposed.terms import Terms, check, score_range
from decisions.queues.live import Live
from decisions.routing import simulate
from decisions.routing.policy import Cuts, FloatArray
from decisions.routing.simulate import Buckets


@dataclass(frozen=True)
class Answer:
    """What was asked and what it comes to, against the live policy on the same items."""

    live: Terms
    new: Terms
    recent: Recent
    items: float  # a day
    rows: tuple[Row, ...]
    backlog: float
    now: Now
    fans: tuple[Fan, Fan]
    buckets: tuple[Buckets, Buckets]
    histogram: tuple[FloatArray, FloatArray]

    def row(self, key: str) -> Row:
        """Return the line of this name."""
        return next(row for row in self.rows if row.key == key)


def ask(live: Live, standing: Terms, new: Terms, *, days: int, at: datetime) -> Answer | None:
    """Return what other terms would have meant in the last days; None where nothing came. Refuses terms unfit."""
    check(new, live)
    seen = recent.read(live, days=days, at=at)
    if seen is None:
        return None
    backlog = float(floor.status(live.queue_id, at)["backlog"]["total"])
    one, other = _standing(standing, standing.cuts(live), seen), Side(new, new.cuts(live), seen)
    now = Now.of(live.queue_id, backlog, at)
    fans = one.ahead(now, live.spec), other.ahead(now, live.spec)
    rows = [
        *sides.volumes(one, other),
        *sides.measured(one, other),
        *sides.people(one, other, backlog=backlog, fans=fans, now=now),
        *balance.rows(one, other, minute=live.spec.value.review_minute),
    ]
    within = seen.start.timestamp(), seen.end.timestamp()
    return Answer(
        live=standing,
        new=new,
        recent=seen,
        items=float(seen.stream.weight.sum()) / seen.days,
        rows=tuple(rows),
        backlog=backlog,
        now=now,
        fans=fans,
        buckets=(one.buckets(live, within), other.buckets(live, within)),
        histogram=simulate.histogram(seen.stream, *score_range(live)),
    )


@lru_cache(maxsize=2)
def _standing(terms: Terms, cuts: Cuts, seen: Recent) -> Side:
    """Return the side that stays the same while a slider moves, with what it has already worked out."""
    return Side(terms, cuts, seen)
