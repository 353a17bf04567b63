"""What comes, what waits and what can be done: the figures of a queue's floor."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from decisions.measure import accounts, capacity, intervals, spread, staff
from decisions.measure.capacity import Span
from decisions.measure.rollups import AGES, HOUR, OLDER
from decisions.models import Item, Rollup, Ruling

WINDOW = timedelta(hours=24)  # of arrivals, queue rate and throughput
BANDS = (*(name for name, _ in AGES), OLDER)
FIGURES = ("arrivals", "decisions", "overrides", "handling", "timed", "handled", "flow")
HOURLY = ("arrivals", "decisions", "backlog", "counted")
Figures = dict[str, dict[str, float]]  # figure -> key -> value


@dataclass(frozen=True)
class Hour:
    """One hour of the chart.

    Items that arrived for people, decisions made, and what waited at its end (None = not counted).
    """

    at: datetime
    arrived: float
    decided: float
    waiting: float | None


def status(queue_id: int, at: datetime) -> dict[str, Any]:
    """Return a queue's figures at a time. Rates are per hour over the last 24 hours, times in seconds; None = unknown.

    `time_to_empty` follows the shifts entered from now on; without shifts, the people seen in the last hour.
    `mean_age` and `p90_age` are of what waits, as counted; `expected_wait` is Little's law. What nine in ten do not
    pass is within 4.5 %.
    """
    counts = _sums(queue_id, at - WINDOW, at, FIGURES)
    backlog = _backlog(queue_id, at)
    hours = _observed_hours(queue_id, at)
    routed = counts["arrivals"]
    people_items, all_items = routed.get("soft", 0.0), sum(routed.values())
    arrivals, decided = people_items / hours, sum(counts["decisions"].values()) / hours
    spans, source = staff.ahead(queue_id, at)
    pace = staff.pace(queue_id, at)
    possible = capacity.decisions(spans, at, at + HOUR, rate=pace or 0.0)
    today = capacity.decisions(spans, at, at + WINDOW, rate=pace or 0.0)
    waiting = sum(backlog["by_purpose"].values())
    empty = capacity.time_to_empty(waiting, arrivals=arrivals, spans=spans, rate=pace or 0.0, at=at)
    wait = capacity.expected_wait(waiting, decided)
    ages = backlog.pop("ages")
    return {
        "at": at,
        "fresh_at": backlog["fresh_at"],
        "window_hours": hours,
        "backlog": {"total": waiting, **backlog},
        "arrivals_per_hour": {route: n / hours for route, n in sorted(routed.items())},
        "queue_rate": {
            "per_hour": arrivals,
            "share": people_items / all_items if all_items else None,
            "interval": intervals.wilson(people_items, all_items) if all_items else None,
            "items": int(people_items),
            "of": int(all_items),
        },
        "decisions_per_hour": decided,
        "overrides": _overrides(counts),
        "handling_seconds": _ratio(sum(counts["handling"].values()), sum(counts["timed"].values())),
        "p90_handling_seconds": spread.quantile(_bins(counts["handled"])),
        "capacity": {
            "per_hour": possible,
            "next_24_hours": today,
            "people": sum(span.people for span in spans if span.starts_at <= at < span.ends_at),
            "pace": pace,
            "source": source,
        },
        "utilisation": capacity.utilisation(arrivals * 24, today),
        "time_to_empty": empty.total_seconds() if empty is not None else None,
        "mean_age": _ratio(sum(ages["age"].values()), sum(backlog["by_purpose"].values())),
        "p90_age": spread.quantile(_bins(ages["aged"])),
        "expected_wait": wait.total_seconds() if wait is not None else None,
        "purposes": _purposes(counts, backlog["by_purpose"], ages, hours),
        "accounts": accounts.of(queue_id, at),
    }


def _purposes(
    counts: Figures, waiting: Mapping[str, float], ages: Figures, hours: float
) -> dict[str, dict[str, float | None]]:
    """Return by purpose what waits, what opened, was decided and ended otherwise an hour, and how long things take."""
    flows = counts["flow"]
    names = sorted({*waiting, *(key.partition(":")[0] for key in flows), *counts["timed"]})

    def rate(purpose: str, *kinds: str) -> float:
        return sum(flows.get(f"{purpose}:{kind}", 0.0) for kind in kinds) / hours

    return {
        name: {
            "waiting": waiting.get(name, 0.0),
            "opened_per_hour": rate(name, "opened", "reopened"),
            "decided_per_hour": rate(name, "decided"),
            "ended_per_hour": rate(name, "escalated", "expired", "cancelled"),
            "mean_age": _ratio(ages["age"].get(name, 0.0), waiting.get(name, 0.0)),
            "p90_age": spread.quantile(_bins(ages["aged"], name)),
            "handling_seconds": _ratio(counts["handling"].get(name, 0.0), counts["timed"].get(name, 0.0)),
            "p90_handling_seconds": spread.quantile(_bins(counts["handled"], name)),
        }
        for name in names
    }


def _bins(counts: Mapping[str, float], purpose: str = "") -> dict[int, float]:
    """Return the bins of a purpose, or of all together, from keys such as "soft:41"."""
    bins: dict[int, float] = defaultdict(float)
    for key, n in counts.items():
        name, _colon, place = key.partition(":")
        if purpose in ("", name):
            bins[int(place)] += n
    return bins


def hours(queue_id: int, at: datetime, *, count: int = 24) -> list[Hour]:
    """Return the last hours up to `at`, oldest first, each with what arrived for people, was decided and waited."""
    first = at.replace(minute=0, second=0, microsecond=0) - HOUR * (count - 1)
    figures: dict[tuple[str, datetime], float] = defaultdict(float)
    counted = set()
    rows = Rollup.objects.filter(queue=queue_id, figure__in=HOURLY, at__gte=first, at__lte=at)
    for figure, key, hour, value in rows.values_list("figure", "key", "at", "value"):
        if figure == "counted":
            counted.add(hour)
        elif figure != "arrivals" or key == "soft":
            figures[figure, hour] += value
    marks = [first + HOUR * n for n in range(count)]
    return [
        Hour(t, figures["arrivals", t], figures["decisions", t], figures["backlog", t] if t in counted else None)
        for t in marks
    ]


def _overrides(counts: Figures) -> dict[str, int]:
    """Return how many decisions differed from what the machine did or suggested; overrides past the queue are apart."""
    differed = {source: n for source, n in counts["overrides"].items() if source != Ruling.Source.OVERRIDE}
    return {"count": int(sum(differed.values())), "of": int(sum(counts["decisions"].values()))}


def _sums(queue_id: int, start: datetime, end: datetime, figures: Sequence[str]) -> Figures:
    sums: Figures = defaultdict(dict)
    rows = Rollup.objects.filter(queue=queue_id, figure__in=figures, at__gt=start - HOUR, at__lte=end)
    for row in rows.values("figure", "key").annotate(total=Sum("value")):
        sums[row["figure"]][row["key"]] = row["total"]
    return sums


def _observed_hours(queue_id: int, at: datetime) -> float:
    """Return the hours that the figures of the window cover: whole ones, so that up to an hour more than it is long.

    A young queue's begin with its first item, so that its rates are not watered down.
    """
    begins = (at - WINDOW).replace(minute=0, second=0, microsecond=0)
    if Rollup.objects.filter(queue=queue_id, figure="arrivals", at__lt=begins).exists():
        return (at - begins) / HOUR
    ours = Item.objects.filter(queue=queue_id, arrived_at__gte=begins).exclude(reason=Item.RouteReason.IMPORTED)
    first = ours.order_by("arrived_at").values_list("arrived_at", flat=True).first()
    return max(1 / 12, (at - max(first or begins, begins)) / HOUR)


def _backlog(queue_id: int, at: datetime) -> dict[str, Any]:
    latest = Rollup.objects.filter(queue=queue_id, figure="counted", at__lte=at).order_by("-at").first()
    by_purpose: dict[str, float] = defaultdict(float)
    by_state: dict[str, float] = defaultdict(float)
    by_age: dict[str, dict[str, float]] = {band: defaultdict(float) for band in BANDS}
    overdue = 0.0
    ages: Figures = {"age": {}, "aged": {}}
    if latest:
        for row in Rollup.objects.filter(queue=queue_id, figure__in=("backlog", "overdue", *ages), at=latest.at):
            if row.figure == "overdue":
                overdue = row.value
                continue
            if row.figure in ages:
                ages[row.figure][row.key] = row.value
                continue
            purpose, state, band = row.key.split(":")
            by_purpose[purpose] += row.value
            by_state[state] += row.value
            by_age[band][purpose] += row.value
    return {
        "fresh_at": latest.made_at if latest else None,
        "by_purpose": dict(by_purpose),
        "by_state": dict(by_state),
        "by_age": {band: dict(purposes) for band, purposes in by_age.items()},
        "overdue": overdue,
        "ages": ages,
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def supply(queue_id: int, at: datetime) -> tuple[list[Span], float]:
    """Return who works from now on, and the decisions per person and worked hour: 0 where nobody decided."""
    return staff.ahead(queue_id, at)[0], staff.pace(queue_id, at) or 0.0


def opened_per_hour(queue_id: int, at: datetime) -> dict[str, float]:
    """Return by purpose how many tasks an hour were opened in the last 24 hours."""
    flows, hours = _sums(queue_id, at - WINDOW, at, ("flow",))["flow"], _observed_hours(queue_id, at)
    opened = ((key.partition(":"), n) for key, n in flows.items())
    return {purpose: n / hours for (purpose, _colon, kind), n in opened if kind == "opened"}
