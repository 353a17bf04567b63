"""The filter, between a score and what the machine does with it: what it doubts goes to people, but for a lot."""

from collections.abc import Sequence

import numpy as np
import structlog

from decisions.intake import ladder
from decisions.intake.ladder import FAULTS, Climb
from decisions.intake.parse import Row
from decisions.models import Item
from decisions.queues.live import Live
from decisions.routing import policy, sampling
from decisions.routing.policy import BoolArray, FloatArray
from decisions.routing.sampling import IntArray

REASON = Item.RouteReason.FILTER

log = structlog.get_logger(__name__)


def hold(climb: Climb, rows: Sequence[Row], live: Live) -> None:
    """Give the reason FILTER to what the queue's filter blocks; it looks at items only on which the machine would act.

    What it flags goes on with probability `let_through`, drawn by external id, so that a retry goes the same way and
    what was let through tells whether blocks are right. A filter that breaks blocks nothing.
    """
    cut = live.spec.filter.cut
    if live.filter is None or cut is None:
        return
    places = np.flatnonzero(_guarded(climb, live))
    doubts = _doubts(climb, rows, places, live)
    flagged = places[doubts >= cut]
    if not flagged.size:
        return
    climb.doubts[flagged], climb.filters[flagged] = doubts[doubts >= cut], live.filter
    _number, secret = sampling.newest_secret()
    names = [rows[i].external_id for i in flagged.tolist()]
    lots = sampling.u(secret, live.slug, names, sampling.Purpose.FILTER)
    climb.reasons[flagged[lots >= live.spec.filter.let_through]] = str(REASON)


def _guarded(climb: Climb, live: Live) -> BoolArray:
    """Tell on which items the machine would act: HARD, and PASS where that causes an action; no failed checks."""
    guarded = [Item.Band.HARD.value]
    if live.spec.routes.pass_action:
        guarded.append(Item.Band.PASS.value)
    band = policy.bands(climb.scores, live.cuts)
    return np.asarray(np.isin(band, guarded) & (climb.reasons == Item.RouteReason.SCORE), dtype=np.bool_)


def _doubts(climb: Climb, rows: Sequence[Row], places: IntArray, live: Live) -> FloatArray:
    """Return the filter's probability that the model errs, for the items at these places; NaN where it broke."""
    assert live.filter is not None
    nothing = np.full(len(places), np.nan)
    if not places.size:
        return nothing
    try:
        doubts = ladder.in_time(live.filter, [rows[i].payload for i in places.tolist()])
    except Exception as error:  # whatever breaks in the filter, its items go on without it
        code = f"filter:{FAULTS.get(type(error), 'error')}"
        log.warning("intake.filter_broke", queue=live.slug, code=code, items=len(places), exc_info=True)
        _note(climb, places, code)
        return nothing
    sound = (doubts >= 0) & (doubts <= 1)
    _note(climb, places[~sound], "filter:error")
    return np.where(sound, doubts, np.nan)


def _note(climb: Climb, places: IntArray, code: str) -> None:
    for place in places.tolist():
        climb.failures.setdefault(place, []).append(code)
