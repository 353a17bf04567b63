"""The backlog law hour by hour: what came, went and waited, what could be done, and how long things took."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.measure import capacity, spread, staff
from decisions.measure.counts import floor_hour
from decisions.measure.rollups import HOUR
from decisions.models import Rollup, Task

MOST = 7 * 24
FIGURES = ("arrivals", "flow", "backlog", "age", "aged", "handling", "timed", "handled", "worked", "counted")
OPENED, ENDED = frozenset({"opened", "reopened"}), frozenset({"escalated", "expired", "cancelled"})


@dataclass(frozen=True)
class Line:
    """One hour, of one purpose or of all. Times in seconds, None where they are not known.

    `waiting` and the ages are as last counted in the hour. `queue_rate` is the share of all items that went to people,
    only of all purposes. `capacity` is what the people who were planned (who worked, where nobody was) could decide at
    the pace of now; `utilisation` what opened per that. `time_to_empty` is how long the hour's own pace would take,
    `is_endless` where it never would.
    """

    at: datetime
    opened: float
    decided: float
    ended: float
    waiting: float | None
    queue_rate: float | None
    capacity: float | None
    utilisation: float | None
    time_to_empty: float | None
    is_endless: bool
    mean_age: float | None
    p90_age: float | None
    handling_seconds: float | None
    p90_handling_seconds: float | None


def table(queue_id: int, at: datetime, *, purpose: str = "", count: int = 24) -> list[Line]:
    """Return the last hours up to now, oldest first, the last one not over yet.

    Refuses what is no purpose, and more hours than a week has.
    """
    faults = []
    if purpose and purpose not in Task.Purpose.values:
        faults.append(Fault("purpose", "choice", _("There is no such purpose.")))
    if not 1 <= count <= MOST:
        faults.append(Fault("count", "range", _("From 1 to %(most)s hours.") % {"most": MOST}))
    if faults:
        raise Invalid(faults=faults)
    first = floor_hour(at) - HOUR * (count - 1)
    figures = _figures(queue_id, first, at, purpose)
    able = _able(queue_id, first, at, count)
    return [_line(first + HOUR * n, figures[first + HOUR * n], able[n], purpose) for n in range(count)]


Hour = dict[str, dict[str, float]]  # figure -> word after the purpose -> value


def _figures(queue_id: int, first: datetime, at: datetime, purpose: str) -> dict[datetime, Hour]:
    hours: dict[datetime, Hour] = defaultdict(lambda: defaultdict(lambda: defaultdict(float)))
    rows = Rollup.objects.filter(queue=queue_id, figure__in=FIGURES, at__gte=first, at__lte=at)
    for figure, key, hour, value in rows.values_list("figure", "key", "at", "value"):
        name, _colon, rest = key.partition(":")
        if figure == "arrivals":
            hours[hour][figure][key] += value
        elif figure in ("worked", "counted") or purpose in ("", name):
            hours[hour][figure][rest] += value
    return hours


def _able(queue_id: int, first: datetime, at: datetime, count: int) -> list[float | None]:
    """Return what could be decided in each hour; None where nobody knows how fast people are."""
    pace = staff.pace(queue_id, at)
    spans = staff.planned(queue_id, first, at + HOUR)
    worked = dict(
        Rollup.objects.filter(queue=queue_id, figure="worked", at__gte=first, at__lte=at).values_list("at", "value")
    )
    found: list[float | None] = []
    for n in range(count):
        start = first + HOUR * n
        if any(span.hours_in(start, start + HOUR) for span in spans):
            found.append(capacity.decisions(spans, start, start + HOUR, rate=pace or 0.0))
        else:
            found.append(None if pace is None else worked.get(start, 0.0) * pace)
    return found


def _line(at: datetime, of: Hour, able: float | None, purpose: str) -> Line:
    flow, routes = of["flow"], of["arrivals"]
    opened = sum(n for kind, n in flow.items() if kind in OPENED)
    waiting = sum(of["backlog"].values()) if of["counted"] else None
    gain = None if able is None else able - opened
    left = timedelta(hours=waiting / gain).total_seconds() if waiting and gain and gain > 0 else None
    items = sum(routes.values())
    return Line(
        at=at,
        opened=opened,
        decided=flow.get("decided", 0.0),
        ended=sum(n for kind, n in flow.items() if kind in ENDED),
        waiting=waiting,
        queue_rate=routes.get("soft", 0.0) / items if items and not purpose else None,
        capacity=able,
        utilisation=None if able is None else capacity.utilisation(opened, able),
        time_to_empty=0.0 if waiting == 0 else left,
        is_endless=bool(waiting) and gain is not None and gain <= 0,
        mean_age=sum(of["age"].values()) / waiting if waiting else None,
        p90_age=spread.quantile({int(place): n for place, n in of["aged"].items()}),
        handling_seconds=sum(of["handling"].values()) / n if (n := sum(of["timed"].values())) else None,
        p90_handling_seconds=spread.quantile({int(place): n for place, n in of["handled"].items()}),
    )
