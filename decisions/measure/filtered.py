"""Whether the filter's blocks pay: how often the machine would have been wrong, and how often it was where let through.

A block spares the cost i of an error with probability b, the precision of blocks, and costs f where it was needless: it
pays while b i > f, that is f / i < b. Blocked items have people's answers, all of them. What was let through is seen
where the control group or an audit drew it, by 1/pi: b there must be the same, for a lot divided the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from decisions.measure import counts, estimates
from decisions.measure.columns import read
from decisions.measure.estimates import FloatArray, Share
from decisions.models import Item
from decisions.queues.live import Live

WINDOW = timedelta(days=28)
MOST = 20_000  # of what was flagged, the newest
ENOUGH = 30  # answers, to turn a filter off by

FLAGGED = """
SELECT d.is_blocked::int AS n, i.band, CASE WHEN r.source = 'expiry' THEN NULL WHEN r.truth = 'positive' THEN 1.0
    WHEN r.truth = 'negative' THEN 0.0 END AS value,
    CASE WHEN d.is_blocked THEN 1.0 WHEN i.reason = 'control' THEN i.propensity ELSE drawn.pi END AS weight
FROM decisions_doubt d JOIN decisions_item i ON i.id = d.item_id
LEFT JOIN LATERAL (
    SELECT r.truth, r.source FROM decisions_ruling r
    WHERE r.item_id = i.id AND r.final_at <= %(at)s ORDER BY r.no DESC LIMIT 1
) r ON TRUE LEFT JOIN LATERAL (
    SELECT w.pi FROM decisions_draw w JOIN decisions_frame f ON f.id = w.frame_id
    WHERE w.item_id = i.id AND f.at <= %(at)s LIMIT 1
) drawn ON TRUE
WHERE d.queue_id = %(queue)s AND d.model_id = %(model)s AND d.at >= %(start)s AND d.at <= %(at)s
ORDER BY d.at DESC LIMIT %(most)s"""


class Verdict(StrEnum):
    """What the limits of b say of f / i."""

    PAYS = "pays"
    LOSES = "loses"
    OPEN = "open"  # not enough is known yet


@dataclass(frozen=True)
class Blocks:
    """What a filter did in [start, at].

    `guarded` items were such that the machine would have acted, of which `blocked` went to people instead; `let_on` of
    what was flagged went on. `precision` is b, of the `blocked` that were answered; `missed` the share of errors among
    what was let on. Both with the limits that they have for all such items. `even` is f / i.
    """

    start: datetime
    guarded: int
    blocked: int
    let_on: int
    precision: Share
    missed: Share
    even: float

    @property
    def rate(self) -> float | None:
        """The share of what the machine would have acted on that was blocked, in [0, 1]."""
        return self.blocked / self.guarded if self.guarded else None

    @property
    def verdict(self) -> Verdict:
        """Whether blocks surely pay, or surely do not, by at least 30 answers."""
        low, high = self.precision.low, self.precision.high
        if self.precision.n < ENOUGH or low is None or high is None:
            return Verdict.OPEN
        if high < self.even:
            return Verdict.LOSES
        return Verdict.PAYS if low > self.even else Verdict.OPEN


def measured(queue: Live, at: datetime, since: datetime | None = None) -> Blocks | None:
    """Return what the queue's filter did in 28 days, or `since` it was turned on; None where there is no filter."""
    model = queue.filter_ready
    if model is None:
        return None
    start = max(at - WINDOW, since) if since else at - WINDOW
    asked = {"queue": queue.queue_id, "model": model.pk, "start": start, "at": at, "most": MOST}
    rows = read(FLAGGED, asked)
    wrong = errors(rows["band"], rows["value"])
    was_blocked = rows["n"] == 1
    seen = ~was_blocked & ~np.isnan(rows["weight"])
    return Blocks(
        start=start,
        guarded=_guarded(queue, start, at),
        blocked=int(was_blocked.sum()),
        let_on=int((~was_blocked).sum()),
        precision=estimates.as_sample(estimates.precision(wrong[was_blocked], rows["weight"][was_blocked])),
        missed=estimates.as_sample(estimates.precision(wrong[seen], rows["weight"][seen])),
        even=queue.spec.filter.even,
    )


def errors(bands: Iterable[str], y: FloatArray) -> FloatArray:
    """Return whether a model that acts by these bands is wrong: 1, 0, NaN without an answer y in {0, 1}."""
    acts = np.array([band == Item.Band.HARD for band in bands], dtype=np.float64)
    return np.where(np.isnan(y), np.nan, np.abs(acts - y))


def _guarded(queue: Live, start: datetime, at: datetime) -> int:
    """Return how many items came on which the machine would have acted, by the hourly figures."""
    found = counts.bands(queue.queue_id, start, at, hourly=False)
    bands = [Item.Band.HARD] + ([Item.Band.PASS] if queue.spec.routes.pass_action else [])
    reasons = (Item.RouteReason.SCORE, Item.RouteReason.CONTROL, Item.RouteReason.FILTER)
    return sum(found.count(band=band, reason=reason) for band in bands for reason in reasons)
