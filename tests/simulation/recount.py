"""The figures of a queue's floor counted anew, plainly, from its items, moves, decisions and rulings."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from decisions.models import Decision, Intake, Item, Move, Queue, Ruling, Shift, Task

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What a task is after each kind of move.
AFTER = {
    **dict.fromkeys(("opened", "released", "skipped", "lapsed", "assigned", "returned"), "waiting"),
    **dict.fromkeys(("claimed", "extended", "resumed", "reopened"), "claimed"),
    "held": "held",
    **{kind: kind for kind in ("decided", "escalated", "expired", "cancelled")},
}
OPEN = ("waiting", "claimed", "held")
BANDS = (("1h", HOUR), ("4h", HOUR * 4), ("1d", DAY), ("3d", DAY * 3))
OPENING, ENDING = ("opened", "reopened"), ("escalated", "expired", "cancelled")


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass
class Books:
    """All that happened on a queue before a time."""

    at: datetime
    items: list[Item]
    tasks: dict[int, Task]
    moves: list[Move]
    decisions: list[Decision]
    rulings: list[Ruling]
    shifts: list[Shift]
    accepted: int

    @classmethod
    def of(cls, queue: Queue, at: datetime) -> "Books":
        moves = Move.objects.filter(task__queue=queue, at__lt=at).order_by("pk")
        return cls(
            at,
            list(Item.objects.filter(queue=queue, arrived_at__lt=at)),
            Task.objects.filter(queue=queue).in_bulk(),
            list(moves),
            list(Decision.objects.filter(queue=queue, at__lt=at).select_related("task")),
            list(Ruling.objects.filter(queue=queue, at__lt=at)),
            list(Shift.objects.filter(queue=queue)),
            sum(Intake.objects.filter(queue=queue, at__lt=at).values_list("accepted", flat=True)),
        )

    def states(self, at: datetime | None = None) -> dict[int, str]:
        """Return in which state each task is, from its moves alone."""
        return {move.task_id: AFTER[move.kind] for move in self.moves if at is None or move.at < at}

    def since(self, start: datetime) -> "Books":
        """Return what happened from a time on."""
        return Books(
            self.at,
            [item for item in self.items if item.arrived_at >= start],
            self.tasks,
            [move for move in self.moves if move.at >= start],
            [decision for decision in self.decisions if decision.at >= start],
            [ruling for ruling in self.rulings if ruling.at >= start],
            self.shifts,
            self.accepted,
        )


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def nine_in_ten(values: Iterable[float]) -> float | None:
    """Return the time that nine in ten do not pass: the ceil(.9 n)-th smallest."""
    ordered = sorted(values)
    return ordered[math.ceil(round(0.9 * len(ordered), 9)) - 1] if ordered else None


def seconds(decisions: Iterable[Decision]) -> list[float]:
    return [min(d.active_seconds, 3600.0) for d in decisions if d.active_seconds is not None]


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return Wilson's interval at 95 %: the shares p with (part/whole - p)^2 = z^2 p (1 - p) / whole."""
    z = 1.959963984540054
    a, b, c = 1 + z * z / whole, -(2 * part / whole + z * z / whole), (part / whole) ** 2
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def work_in(books: Books, start: datetime, end: datetime, pace: float) -> float:
    """Return how many decisions the shifts allow in a span, minute by minute."""
    total, at = 0.0, start
    while at < end:
        here = [shift for shift in books.shifts if shift.starts_at <= at < shift.ends_at]
        total += sum(shift.people * (pace if shift.rate is None else shift.rate) for shift in here) / 60
        at += timedelta(minutes=1)
    return total


def empty_after(books: Books, waiting: float, arrivals: float, pace: float) -> float | None:
    """Return after how many seconds nothing is left, in steps of fifteen minutes; None: not in 28 days."""
    left, at, step = waiting, books.at, timedelta(minutes=15)
    for n in range(28 * 96):
        gain = work_in(books, at, at + step, pace) - arrivals / 4
        if gain >= left:
            return (n + (left / gain if left else 0.0)) * 900
        left, at = left - gain, at + step
    return None


def status(queue: Queue, at: datetime) -> dict[str, Any]:
    """Return what `floor.status` should say; `accounts` apart."""
    books = Books.of(queue, at)
    begins = hour_of(at - DAY)
    day = books.since(begins)
    hours = max(1 / 12, (at - max(min(item.arrived_at for item in books.items), begins)) / HOUR)
    routes = Counter(item.route for item in day.items)
    whole, people = sum(routes.values()), routes["soft"]
    open_ = [books.tasks[pk] for pk, state in books.states().items() if state in OPEN]
    pace = pace_of(books)
    differs = [r for r in day.rulings if r.is_override and r.source != "override"]
    today = work_in(books, at, at + DAY, pace or 0.0)
    return {
        "at": at,
        "fresh_at": at,
        "window_hours": hours,
        "backlog": backlog(books),
        "arrivals_per_hour": {route: n / hours for route, n in routes.items()},
        "queue_rate": {
            "per_hour": people / hours,
            "share": people / whole,
            "interval": wilson(people, whole),
            "items": people,
            "of": whole,
        },
        "decisions_per_hour": len(day.decisions) / hours,
        "overrides": {"count": len(differs), "of": len(day.decisions)},
        "handling_seconds": mean(seconds(day.decisions)),
        "p90_handling_seconds": nine_in_ten(seconds(day.decisions)),
        "capacity": {
            "per_hour": work_in(books, at, at + HOUR, pace or 0.0),
            "next_24_hours": today,
            "people": sum(shift.people for shift in books.shifts if shift.starts_at <= at < shift.ends_at),
            "pace": pace,
            "source": "shifts",
        },
        "utilisation": people / hours * 24 / today,
        "time_to_empty": empty_after(books, len(open_), people / hours, pace or 0.0),
        "mean_age": mean(ages(open_, at)),
        "p90_age": nine_in_ten(ages(open_, at)),
        "expected_wait": len(open_) / (len(day.decisions) / hours) * 3600
        if day.decisions
        else (None if open_ else 0.0),
        "purposes": {purpose: of_purpose(books, day, purpose, hours) for purpose in purposes(books, day)},
    }


def pace_of(books: Books) -> float | None:
    """Return decisions per worked hour in a week; who decided within five minutes worked them."""
    week = [d for d in books.decisions if d.at >= hour_of(books.at - DAY * 7)]
    slots = {(d.person_id, d.at.timestamp() // 300) for d in week}
    return len(week) / (len(slots) / 12) if slots else None


def ages(tasks: Iterable[Task], at: datetime) -> list[float]:
    return [(at - task.opened_at).total_seconds() for task in tasks]


def backlog(books: Books) -> dict[str, Any]:
    states = {pk: state for pk, state in books.states().items() if state in OPEN}
    by_age: dict[str, Counter[str]] = {name: Counter() for name in (*(name for name, _ in BANDS), "older")}
    for pk in states:
        task = books.tasks[pk]
        band = next((name for name, most in BANDS if books.at - task.opened_at < most), "older")
        by_age[band][task.purpose] += 1
    return {
        "total": len(states),
        "fresh_at": books.at,
        "by_purpose": dict(Counter(books.tasks[pk].purpose for pk in states)),
        "by_state": dict(Counter(states.values())),
        "by_age": {band: dict(some) for band, some in by_age.items()},
        "overdue": sum(books.tasks[pk].due_at < books.at for pk in states),
    }


def purposes(books: Books, day: Books) -> list[str]:
    """Return the purposes of which something waits, or opened, ended or was answered within the day."""
    waiting = {books.tasks[pk].purpose for pk, state in books.states().items() if state in OPEN}
    moved = {books.tasks[m.task_id].purpose for m in day.moves if m.kind in (*OPENING, "decided", *ENDING)}
    return sorted(waiting | moved | {d.purpose for d in day.decisions})


def of_purpose(books: Books, day: Books, purpose: str, hours: float) -> dict[str, float | None]:
    mine = [books.tasks[pk] for pk, s in books.states().items() if s in OPEN and books.tasks[pk].purpose == purpose]
    kinds = Counter(move.kind for move in day.moves if books.tasks[move.task_id].purpose == purpose)
    timed = seconds(d for d in day.decisions if d.purpose == purpose)
    return {
        "waiting": len(mine),
        "opened_per_hour": sum(kinds[kind] for kind in OPENING) / hours,
        "decided_per_hour": kinds["decided"] / hours,
        "ended_per_hour": sum(kinds[kind] for kind in ENDING) / hours,
        "mean_age": mean(ages(mine, books.at)),
        "p90_age": nine_in_ten(ages(mine, books.at)),
        "handling_seconds": mean(timed),
        "p90_handling_seconds": nine_in_ten(timed),
    }


def hourly(books: Books) -> dict[tuple[str, str, datetime], float]:
    """Return what the hourly figures should be: by figure, key and hour."""
    found: Counter[tuple[str, str, datetime]] = Counter()
    for item in books.items:
        found["arrivals", item.route, hour_of(item.arrived_at)] += 1
        found["routed", f"{item.policy_id}:{item.route}", hour_of(item.arrived_at)] += 1
    for decision in books.decisions:
        hour, purpose = hour_of(decision.at), decision.purpose
        found["decisions", purpose, hour] += 1
        found["timed", purpose, hour] += decision.active_seconds is not None
        found["answered", f"{purpose}:{'met' if decision.at <= decision.task.due_at else 'late'}", hour] += 1
    for move in books.moves:
        task = books.tasks[move.task_id]
        if move.kind in (*OPENING, "decided", *ENDING):
            found["flow", f"{task.purpose}:{move.kind}", hour_of(move.at)] += 1
        if move.kind == "expired":
            found["expired", f"{task.purpose}:{move.reason}", hour_of(move.at)] += 1
    for ruling in books.rulings:
        found["overrides", ruling.source, hour_of(ruling.at)] += ruling.is_override
    slots = {(hour_of(d.at), d.person_id, d.at.timestamp() // 300) for d in books.decisions}
    return {**found, **{("worked", "", hour): n / 12 for hour, n in Counter(hour for hour, *_ in slots).items()}}
