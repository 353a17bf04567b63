"""What would keep the deadlines: how many more people, or which soft threshold; both worked out, neither guessed."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from decisions.exceptions import Conflict, NotFound
from decisions.measure import fan
from decisions.measure.outlook import Outlook
from decisions.measure.supposed import recent
from decisions.measure.supposed.terms import score_range
from decisions.models import Queue
from decisions.queues import live as in_force
from decisions.queues.live import Live
from decisions.routing import simulate
from decisions.routing.policy import Cuts
from decisions.routing.simulate import PEOPLE, Kind, Stream

DAYS = 7  # of traffic on which a threshold is tried
CAP = 20_000  # items that are routed again: the floor is asked for every minute
GRID = 100  # thresholds between the ends of the model's scores


@dataclass(frozen=True)
class Remedies:
    """Either would do alone: `people` more at work, or a soft threshold at `threshold`.

    They work whenever anybody does; while nobody does, whenever the queue is open. None: it cannot be done so. `was` is
    the soft threshold now.
    """

    people: int | None = None
    threshold: float | None = None
    was: float | None = None


def of(queue: Queue, found: Outlook) -> Remedies:
    """Return what would keep the deadlines in nine futures of ten; nothing where they are kept as it is."""
    if found.fan is None or found.fan.breach() is None:
        return Remedies()
    people = fan.people_needed(found.work, found.plan.one_more(found.edges, queue.spec))
    try:
        live = in_force.of_id(queue.pk)
    except (Conflict, NotFound):
        return Remedies(people)
    return Remedies(people, _threshold(live, found, found.at), live.policy.soft)


def _threshold(live: Live, found: Outlook, at: datetime) -> float | None:
    """Return the lowest soft threshold that holds back as much as has to stay away.

    Under it what people get by its score is at most the share that fits; control, failed checks, audits and second
    opinions come under any.
    """
    stream, days = recent.some(live, days=DAYS, at=at, cap=CAP)
    volumes = simulate.routes(stream, Cuts.of(live.policy, live.spec)).volumes(stream.weight)
    soft, people = volumes[Kind.SOFT], sum(volumes[kind] for kind in PEOPLE)
    if not soft:
        return None
    audits = min(live.policy.audit_budget * days, volumes[Kind.PASS])
    share = fan.share_that_fits(found.work, fixed=1.0 - soft / (people + audits))
    return None if share is None else threshold_for(live, stream, share)


def threshold_for(live: Live, stream: Stream, share: float) -> float | None:
    """Return the lowest soft threshold under which at most `share` of what people get by score now still comes."""
    low, high = score_range(live)
    cuts = Cuts.of(live.policy, live.spec)
    most = high if cuts.hard is None else cuts.hard
    grid = low + (high - low) * np.arange(1, GRID + 1) / GRID
    grid = np.append(grid[(grid > (low if cuts.soft is None else cuts.soft)) & (grid < most)], most)

    def volume(at: Cuts) -> float:
        return simulate.routes(stream, at).volumes(stream.weight)[Kind.SOFT]

    allowed = share * volume(cuts)
    first, last = 0, len(grid)
    while first < last:
        middle = (first + last) // 2
        fits = volume(replace(cuts, soft=float(grid[middle]))) <= allowed
        first, last = (first, middle) if fits else (middle + 1, last)
    return float(grid[first]) if first < len(grid) else None
