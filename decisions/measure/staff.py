"""Who is planned, who came, and how fast they decide: the one place where capacity reads the plan of people."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum

from decisions.measure import capacity
from decisions.measure.capacity import Away, Named, Span
from decisions.measure.counts import floor_hour
from decisions.models import Absence, Decision, Rollup, Shift

HOUR = timedelta(hours=1)
PACE_WINDOW = timedelta(days=7)
IMPORTED_WINDOW = timedelta(weeks=8)
SURE = 1.0  # hours of work from which on people's own pace counts for more than an imported one
SHIFTS, SEEN = "shifts", "seen"


@dataclass(frozen=True)
class Presence:
    """One hour of the past: the hours of work that were planned in it, and those in which people decided."""

    at: datetime
    planned: float
    came: float


def planned(queue_id: int, start: datetime, end: datetime) -> list[Span]:
    """Return who was or is planned in [start, end), in order: numbers, names that fill them, without who is away."""
    found = Shift.objects.filter(queue=queue_id, starts_at__lt=end, ends_at__gt=start).order_by("starts_at", "pk")
    shifts = list(found)
    counts = [Span(one.starts_at, one.ends_at, one.people, one.rate) for one in shifts if one.person_id is None]
    named = [Named(one.person_id, one.starts_at, one.ends_at, one.rate) for one in shifts if one.person_id]
    persons = {one.person for one in named}
    gone = Absence.objects.filter(person__in=persons, starts_at__lt=end, ends_at__gt=start) if persons else ()
    return capacity.staffed(counts, named, [Away(one.person_id, one.starts_at, one.ends_at) for one in gone])


def ahead(queue_id: int, at: datetime) -> tuple[list[Span], str]:
    """Return who works from now on: the shifts entered, else the people seen in the last hour, as if they stayed."""
    spans = planned(queue_id, at, at + capacity.HORIZON)
    if spans:
        return spans, SHIFTS
    seen = Decision.objects.filter(queue=queue_id, at__gt=at - HOUR, at__lte=at).values("person").distinct().count()
    return [Span(at, at + capacity.HORIZON, seen)], SEEN


def pace(queue_id: int, at: datetime) -> float | None:
    """Return decisions per person and worked hour in the last week, or None where nobody decided.

    Before they worked for an hour: what imported handling times would allow, at most eight weeks ago, if there are any.
    """
    sums = _sums(queue_id, at - PACE_WINDOW, at)
    told = None if sums["worked"] >= SURE else _imported(queue_id, at)
    if told:
        return 3600.0 / told
    return sums["decisions"] / sums["worked"] if sums["worked"] else None


def is_sure(queue_id: int, spans: Sequence[Span], at: datetime) -> bool:
    """Tell whether the pace rests on more than minutes: an hour's work, what was imported, a shift's rate."""
    if any(span.rate is not None for span in spans):
        return True
    return _sums(queue_id, at - PACE_WINDOW, at)["worked"] >= SURE or _imported(queue_id, at) is not None


def handling(queue_id: int, at: datetime) -> float | None:
    """Return the mean active seconds of a decision in the last week, else as imported; None: not known."""
    sums = _sums(queue_id, at - PACE_WINDOW, at)
    return sums["handling"] / sums["timed"] if sums["timed"] else _imported(queue_id, at)


def _imported(queue_id: int, at: datetime) -> float | None:
    sums = _sums(queue_id, at - IMPORTED_WINDOW, at, ("imported_handling", "imported_timed"))
    return sums["imported_handling"] / sums["imported_timed"] if sums["imported_timed"] else None


def presence(queue_id: int, at: datetime, *, days: int = 7) -> list[Presence]:
    """Return the whole hours of the last days, oldest first: what was planned and what came."""
    end = floor_hour(at)
    start = end - timedelta(days=days)
    spans = planned(queue_id, start, end)
    worked = Rollup.objects.filter(queue=queue_id, figure="worked", at__gte=start, at__lt=end)
    came = dict(worked.values_list("at", "value"))
    hours = [start + HOUR * n for n in range(days * 24)]
    return [
        Presence(hour, sum(one.people * one.hours_in(hour, hour + HOUR) for one in spans), came.get(hour, 0.0))
        for hour in hours
    ]


def _sums(
    queue_id: int, start: datetime, end: datetime, figures: Sequence[str] = ("decisions", "worked", "handling", "timed")
) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    rows = Rollup.objects.filter(queue=queue_id, figure__in=figures, at__gt=start - HOUR, at__lte=end)
    for row in rows.values("figure").annotate(total=Sum("value")):
        sums[row["figure"]] = row["total"]
    return sums
