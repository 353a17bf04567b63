"""What a policy and its people would have meant for the items of the last days, against the live policy."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.measure import floor
from decisions.measure.fan import Fan
from decisions.measure.supposed import balance, recent, sides
from decisions.measure.supposed.recent import Beside, Recent
from decisions.measure.supposed.sides import Now, Row, Side
from decisions.measure.supposed.terms import Terms, check, score_range
from decisions.models import Policy
from decisions.queues.live import Live
from decisions.routing import simulate
from decisions.routing.policy import Cuts, FloatArray
from decisions.routing.simulate import Buckets


@dataclass(frozen=True)
class Answer:
    """What was asked and what it comes to, against the live policy on the same items.

    `tried` is the queue as it would be, `seen` the items as its model scored them: those of `recent`, but where the
    policy that was tried pins another model. Then `scored` says over how many items both are.
    """

    live: Terms
    new: Terms
    recent: Recent
    tried: Live
    seen: Recent
    scored: Beside | None
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


def ask(
    live: Live, standing: Terms, new: Terms, *, days: int, at: datetime, stored: Policy | None = None
) -> Answer | None:
    """Return what other terms would have meant in the last days; None where nothing came. Refuses terms unfit.

    `stored` is the policy that the terms are of: if it pins another model, that model's scores of the same items are
    what counts, and it is refused where there are none.
    """
    tried = under(live, stored)
    check(new, tried)
    seen = recent.read(live, days=days, at=at)
    if seen is None:
        return None
    scored = None if tried is live else _scored(live, tried, days, at)
    seen, theirs = (scored.live, scored.other) if scored else (seen, seen)
    backlog = float(floor.status(live.queue_id, at)["backlog"]["total"])
    one, other = _standing(standing, standing.cuts(live), seen), Side(new, new.cuts(tried), theirs)
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
        tried=tried,
        seen=theirs,
        scored=scored,
        items=float(seen.stream.weight.sum()) / seen.days,
        rows=tuple(rows),
        backlog=backlog,
        now=now,
        fans=fans,
        buckets=(one.buckets(live, within), other.buckets(live, within)),
        histogram=simulate.histogram(theirs.stream, *score_range(tried)),
    )


def under(live: Live, stored: Policy | None) -> Live:
    """Return the queue as it would be under a stored policy that pins another model; else as it is."""
    if stored is None or stored.model is None or live.model is None or stored.model_id == live.model.pk:
        return live
    return replace(live, policy=stored, model=stored.model)


def _scored(live: Live, tried: Live, days: int, at: datetime) -> Beside:
    """Return the items that both models scored; refuses where there are none."""
    found = recent.beside(live, tried, days=days, at=at)
    if found is None:
        name = tried.model.name if tried.model else ""
        said = _("The model %(name)s scored none of the items of this window, so nothing can be said of its policy.")
        raise Invalid(faults=[Fault("policy", "not_scored", said % {"name": name})])
    return found


@lru_cache(maxsize=2)
def _standing(terms: Terms, cuts: Cuts, seen: Recent) -> Side:
    """Return the side that stays the same while a slider moves, with what it has already worked out."""
    return Side(terms, cuts, seen)
