"""What comes, what waits and what can be done: the figures of a queue's floor."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from decisions.measure import capacity, intervals
from decisions.measure.capacity import Span
from decisions.measure.rollups import AGES, HOUR, OLDER
from decisions.models import Decision, Item, Rollup, Ruling, Shift

WINDOW = timedelta(hours=24)  # of arrivals, queue rate and throughput
PACE_WINDOW = timedelta(days=7)  # of the pace per person
BANDS = (*(name for name, _ in AGES), OLDER)
FIGURES = ("arrivals", "decisions", "overrides", "worked", "handling", "timed", "backlog", "counted")


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
    """
    counts = _sums(queue_id, at - WINDOW, at)
    backlog = _backlog(queue_id, at)
    hours = _observed_hours(queue_id, at)
    routed = counts["arrivals"]
    people_items, all_items = routed.get("soft", 0.0), sum(routed.values())
    arrivals, decided = people_items / hours, sum(counts["decisions"].values()) / hours
    spans, source = _spans(queue_id, at)
    pace = _pace(queue_id, at)
    possible = capacity.decisions(spans, at, at + HOUR, rate=pace or 0.0)
    today = capacity.decisions(spans, at, at + WINDOW, rate=pace or 0.0)
    waiting = sum(backlog["by_purpose"].values())
    empty = capacity.time_to_empty(waiting, arrivals=arrivals, spans=spans, rate=pace or 0.0, at=at)
    age = capacity.mean_age(waiting, decided)
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
        "capacity": {
            "per_hour": possible,
            "next_24_hours": today,
            "people": sum(span.people for span in spans if span.starts_at <= at < span.ends_at),
            "pace": pace,
            "source": source,
        },
        "utilisation": capacity.utilisation(arrivals * 24, today),
        "time_to_empty": empty.total_seconds() if empty is not None else None,
        "mean_age": age.total_seconds() if age is not None else None,
    }


def hours(queue_id: int, at: datetime, *, count: int = 24) -> list[Hour]:
    """Return the last hours up to `at`, oldest first, each with what arrived for people, was decided and waited."""
    first = at.replace(minute=0, second=0, microsecond=0) - HOUR * (count - 1)
    figures: dict[tuple[str, datetime], float] = defaultdict(float)
    counted = set()
    for row in _rows(queue_id, first, at):
        if row.figure == "counted":
            counted.add(row.at)
        elif row.figure != "arrivals" or row.key == "soft":
            figures[row.figure, row.at] += row.value
    marks = [first + HOUR * n for n in range(count)]
    return [
        Hour(t, figures["arrivals", t], figures["decisions", t], figures["backlog", t] if t in counted else None)
        for t in marks
    ]


def _overrides(counts: dict[str, dict[str, float]]) -> dict[str, int]:
    """Return how many decisions differed from what the machine did or suggested; overrides past the queue are apart."""
    differed = {source: n for source, n in counts["overrides"].items() if source != Ruling.Source.OVERRIDE}
    return {"count": int(sum(differed.values())), "of": int(sum(counts["decisions"].values()))}


def _rows(queue_id: int, start: datetime, end: datetime) -> Iterable[Rollup]:
    return Rollup.objects.filter(queue=queue_id, figure__in=FIGURES, at__gt=start - HOUR, at__lte=end)


def _sums(queue_id: int, start: datetime, end: datetime) -> dict[str, dict[str, float]]:
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in _rows(queue_id, start, end):
        sums[row.figure][row.key] += row.value
    return sums


def _observed_hours(queue_id: int, at: datetime) -> float:
    """Return the hours that the figures of the window cover: whole ones, so that up to an hour more than it is long.

    A young queue's begin with its first item, so that its rates are not watered down.
    """
    begins = (at - WINDOW).replace(minute=0, second=0, microsecond=0)
    first = Item.objects.filter(queue=queue_id).order_by("arrived_at").values_list("arrived_at", flat=True).first()
    return max(1 / 12, (at - max(first or begins, begins)) / HOUR)


def _backlog(queue_id: int, at: datetime) -> dict[str, Any]:
    latest = Rollup.objects.filter(queue=queue_id, figure="counted", at__lte=at).order_by("-at").first()
    by_purpose: dict[str, float] = defaultdict(float)
    by_state: dict[str, float] = defaultdict(float)
    by_age: dict[str, dict[str, float]] = {band: defaultdict(float) for band in BANDS}
    overdue = 0.0
    if latest:
        for row in Rollup.objects.filter(queue=queue_id, figure__in=("backlog", "overdue"), at=latest.at):
            if row.figure == "overdue":
                overdue = row.value
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
    }


def _pace(queue_id: int, at: datetime) -> float | None:
    """Return decisions per person and worked hour in the last week, or None where nobody decided."""
    counts = _sums(queue_id, at - PACE_WINDOW, at)
    return _ratio(sum(counts["decisions"].values()), sum(counts["worked"].values()))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _spans(queue_id: int, at: datetime) -> tuple[list[Span], str]:
    """Return who works from now on: the shifts entered, else the people seen in the last hour, as if they stayed."""
    planned = Shift.objects.filter(queue=queue_id, ends_at__gt=at).order_by("starts_at")
    if planned:
        return [Span(s.starts_at, s.ends_at, s.people, s.rate) for s in planned], "shifts"
    seen = Decision.objects.filter(queue=queue_id, at__gt=at - HOUR, at__lte=at).values("person").distinct().count()
    return [Span(at, at + capacity.HORIZON, seen)], "seen"
