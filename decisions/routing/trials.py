"""What a canary and the live policy did with the same traffic, counted ahead by the hour so that looking costs little.

Both get items by the same hash, so whatever differs between them is the policies' doing. Items that the canary could
not have routed, because the score that came with them is another model's, count for neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Max, Sum

from decisions.intake.checks import WRONG_MODEL
from decisions.models import Policy, PolicyChange, Rollup

HOUR = timedelta(hours=1)
ROUTED, OVERRIDDEN = "canary_routed", "canary_overridden"  # figures; the key is start:policy:what

WRITE = """
INSERT INTO decisions_rollup (queue_id, figure, key, at, value, made_at)
SELECT %(queue)s, %(figure)s, %(change)s || ':' || policy_id || ':' || told.what, hour, told.value, %(at)s
FROM ({counted}) counted, LATERAL (VALUES ('of', counted.total), ('hits', counted.hits)) told (what, value)
ON CONFLICT (queue_id, figure, at, key) DO UPDATE SET value = EXCLUDED.value, made_at = EXCLUDED.made_at
"""
ITEMS = """
    SELECT policy_id, date_trunc('hour', arrived_at, 'UTC') AS hour, count(*) AS total,
           count(*) FILTER (WHERE route = 'hard' OR reason = 'control') AS hits
    FROM decisions_item
    WHERE queue_id = %(queue)s AND arrived_at >= %(start)s AND arrived_at < %(at)s AND policy_id = ANY(%(policies)s)
      AND NOT %(wrong)s = ANY(failures) AND (%(model)s IS NULL OR rung <> 'sent' OR model_id = %(model)s)
    GROUP BY 1, 2
"""
# The first answer to what was routed SOFT by its score: whether it was another than the one suggested.
ANSWERS = """
    SELECT i.policy_id, date_trunc('hour', r.at, 'UTC') AS hour, count(*) AS total,
           count(*) FILTER (WHERE r.is_override) AS hits
    FROM decisions_ruling r JOIN decisions_item i ON i.id = r.item_id
    WHERE r.queue_id = %(queue)s AND r.at >= %(start)s AND r.at < %(at)s AND r.no = 1 AND r.source = 'decision'
      AND i.arrived_at >= %(since)s AND i.policy_id = ANY(%(policies)s) AND i.route = 'soft' AND i.reason = 'score'
    GROUP BY 1, 2
"""
# The truth that holds for each answered item of the canary's control group, by when it became known.
CONTROL = """
SELECT truth FROM (
    SELECT DISTINCT ON (r.item_id) r.truth, min(r.at) OVER (PARTITION BY r.item_id) AS known_at, r.item_id
    FROM decisions_ruling r JOIN decisions_item i ON i.id = r.item_id
    WHERE r.queue_id = %(queue)s AND r.at >= %(since)s AND r.final_at <= %(at)s AND r.source <> 'expiry'
      AND i.policy_id = %(canary)s AND i.reason = 'control'
    ORDER BY r.item_id, r.no DESC
) answered WHERE truth IN ('positive', 'negative') ORDER BY known_at, item_id
"""


@dataclass(frozen=True)
class Count:
    """So many `hits` of so many."""

    hits: int = 0
    of: int = 0

    @property
    def share(self) -> float | None:
        """The share in [0, 1], None where there was nothing."""
        return self.hits / self.of if self.of else None


@dataclass(frozen=True)
class Trial:
    """A canary beside the live policy since it was started; `fresh_at` is up to when it was counted."""

    canary: Policy
    live: Policy
    start: PolicyChange
    fresh_at: datetime | None
    hard: tuple[Count, Count]  # of items routed: the canary's, the live policy's
    overrides: tuple[Count, Count]  # of answers to what was routed SOFT


def running(queue_id: int) -> Trial | None:
    """Return the trial that runs on a queue, with what is counted of it so far."""
    policies = Policy.objects.filter(queue=queue_id, state__in=(Policy.State.CANARY, Policy.State.LIVE))
    found = {policy.state: policy for policy in policies.select_related("model", "queue__version")}
    canary, live = found.get(Policy.State.CANARY), found.get(Policy.State.LIVE)
    if canary is None or live is None:
        return None
    start = canary.changes.select_related("person").filter(kind=PolicyChange.Kind.CANARY).latest("pk")
    rows = Rollup.objects.filter(queue=queue_id, figure__in=(ROUTED, OVERRIDDEN), key__startswith=f"{start.pk}:")
    sums = {
        (row["figure"], row["key"]): int(row["sum"]) for row in rows.values("figure", "key").annotate(sum=Sum("value"))
    }
    fresh = rows.aggregate(at=Max("made_at"))["at"]

    def pair(figure: str) -> tuple[Count, Count]:
        one, other = (
            Count(*(sums.get((figure, f"{start.pk}:{policy.pk}:{what}"), 0) for what in ("hits", "of")))
            for policy in (canary, live)
        )
        return one, other

    return Trial(canary, live, start, fresh, pair(ROUTED), pair(OVERRIDDEN))


def count(trial: Trial, at: datetime) -> None:
    """Bring the counts of a trial up to `at`; repeating it changes nothing."""
    queue_id = trial.canary.queue_id
    given: dict[str, Any] = {
        "queue": queue_id,
        "change": trial.start.pk,
        "policies": [trial.canary.pk, trial.live.pk],
        "model": trial.canary.model_id,
        "wrong": WRONG_MODEL,
        "since": trial.start.at,
        "at": at,
    }
    with connection.cursor() as cursor:
        for figure, counted in ((ROUTED, ITEMS), (OVERRIDDEN, ANSWERS)):
            given["figure"], given["start"] = figure, _counted_to(queue_id, figure, trial.start)
            cursor.execute(WRITE.format(counted=counted), given)


def control(trial: Trial, at: datetime) -> npt.NDArray[np.float64]:
    """Return what people said of the canary's control group, 1 or 0, in the order in which it became known."""
    given: dict[str, Any] = {
        "queue": trial.canary.queue_id,
        "since": trial.start.at,
        "at": at,
        "canary": trial.canary.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(CONTROL, given)
        truths: Sequence[str] = [truth for (truth,) in cursor.fetchall()]
    return np.array([truth == "positive" for truth in truths], dtype=np.float64)


def _counted_to(queue_id: int, figure: str, start: PolicyChange) -> datetime:
    """Return from when to count: a little before the last hour counted, for calls commit late, or the start."""
    rows = Rollup.objects.filter(queue=queue_id, figure=figure, key__startswith=f"{start.pk}:")
    last = rows.aggregate(at=Max("at"))["at"]
    return max(start.at, last - HOUR) if last else start.at
