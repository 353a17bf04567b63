"""Whether more comes than is usual, for certain, and when deadlines will be missed if that goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy import stats

from decisions.measure import fan, floor, forecast, outlook
from decisions.measure.counts import floor_hour
from decisions.measure.fan import Work
from decisions.measure.rollups import HOUR
from decisions.models import Queue, Rollup, Shift
from decisions.routing.policy import FloatArray

SPANS = (1, 3)  # whole hours that are looked at: a jump shows in the short span, a slope in the long one
AHEAD = timedelta(hours=48)
CHANCE = 1e-3  # that a count so high is chance where its rate is the high end of the usual band


@dataclass(frozen=True)
class Surge:
    """What came for people since `since`, what would have been usual, and when the first deadline will be missed.

    `seen` and `usual` are tasks an hour; `breach_by` is the end of the hour, None where it can be taken.
    """

    since: datetime
    seen: float
    usual: float
    breach_by: datetime | None


def is_beyond(seen: float, high: float) -> bool:
    """Tell whether a count is beyond a high one for certain: by the lower limit of its Poisson rate (Garwood 1936)."""
    return seen > 0 and float(stats.chi2.ppf(CHANCE, 2 * seen) / 2) > high


def find(queue: Queue, at: datetime) -> Surge | None:
    """Return the surge there is: in the shortest span that shows one; None where what comes is as usual, or unknown.

    Spans are whole hours, so that an hour whose items come at its beginning is none. Usual is what the forecast says of
    them, made from the weeks before; a count has to be beyond the high end of its band. What is still to come is the
    forecast times how much more came.
    """
    end = floor_hour(at)
    for hours in SPANS:
        start = end - HOUR * hours
        known = outlook.history(queue.pk, start).before(start.timestamp())
        marks = start.timestamp() + np.arange(hours + AHEAD / HOUR + 1) * HOUR.total_seconds()
        told = forecast.predict(known, marks, queue.spec.zone)
        usual, high = float(told.middle[:hours].sum()), float(told.high[:hours].sum())
        seen = _opened(queue.pk, start, end)
        if not np.isnan(high) and is_beyond(seen, high):
            by = _breach(queue, at, told.middle[hours:] * seen / max(usual, 0.5))
            return Surge(start, seen / hours, usual / hours, by)
    return None


def _opened(queue_id: int, start: datetime, end: datetime) -> float:
    """Return the tasks that came, from the counts by the hour."""
    kinds = "|".join(outlook.ARRIVED)
    rows = Rollup.objects.filter(queue=queue_id, figure="flow", key__regex=f":({kinds})$", at__gte=start, at__lt=end)
    return float(sum(rows.values_list("value", flat=True)))


def _breach(queue: Queue, at: datetime, to_come: FloatArray) -> datetime | None:
    """Return the end of the hour in which the first deadline is missed, where so much comes each hour from now on."""
    last = Shift.objects.filter(queue=queue, ends_at__gt=at).order_by("-ends_at").values_list("ends_at", flat=True)
    edges = outlook.steps(at, min(at + AHEAD, last[0]) if last else at + AHEAD)
    count = len(edges) - 1
    spans, rate = floor.supply(queue.pk, at)
    overdue, waiting = outlook.owed(queue.pk, edges)
    arrivals = outlook.begun(to_come[None, :count], edges)
    possible = outlook.Plan(tuple(spans), "", rate, None).decisions(edges)
    step = fan.run(Work(overdue, waiting, arrivals, outlook.due_steps(queue.spec, edges), possible)).breach()
    return None if step is None else edges[step + 1]
