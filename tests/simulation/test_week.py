"""What the floor says of an office's day, or week, is what a plain recount of all that happened says."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from decisions.measure import deadlines, floor, rollups, spread, staff
from decisions.models import Decision, Item, Move, Rollup
from decisions.record import deep, proof
from tests import clock
from tests.databases import Clone
from tests.simulation import office, recount
from tests.simulation.office import Office, Plan

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # midnight on the queue's wall; its clocks change on Sunday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIGURES = ("arrivals", "routed", "decisions", "overrides", "worked", "timed", "expired", "answered", "flow")


@pytest.fixture
def at_work(pretended_db: Clone, settings: Settings, tmp_path: Path) -> Iterator[Office]:
    settings.DATA_DIR = tmp_path
    with clock.pretended(MONDAY) as wall:
        yield office.found(wall, seed=4)


def close(told: Any, counted: Any, where: str = "") -> None:
    """Hold figures against their recount, in all their parts; a time that nine in ten do not pass is told in bins."""
    if isinstance(counted, dict):
        assert set(told) == set(counted), where
        for key, value in counted.items():
            close(told[key], value, f"{where}.{key}")
    elif isinstance(counted, float) and ".p90" in where and counted >= 1:
        assert told == pytest.approx(counted, rel=spread.ERROR + 1e-9), where
    elif isinstance(counted, float | tuple):
        assert told == pytest.approx(counted, rel=1e-9, abs=1e-6), where
    else:
        assert told == counted, where


def check(office: Office) -> None:
    """Count the figures now, and hold every one of them against a recount."""
    at, queue = office.clock.at, office.queue
    rollups.roll_up(at)
    told = floor.status(queue.pk, at)
    accounts = told.pop("accounts")
    close(told, recount.status(queue, at))
    books = recount.Books.of(queue, at)
    check_states(books)
    check_hours(office, books)
    check_deadlines(office, books)
    check_presence(office, books)
    assert accounts is None or accounts["missing"] == 0
    assert accounts is None or accounts["accepted"] == arrived(books, accounts["since"], accounts["checked_to"])


def arrived(books: recount.Books, start: datetime, end: datetime) -> int:
    return sum(start <= item.arrived_at < end for item in books.items)


def check_states(books: recount.Books) -> None:
    """What the moves say of each task is what it is; and everything accepted is somewhere."""
    states = books.states()
    assert states == {pk: task.state for pk, task in books.tasks.items()}
    before_people = {books.tasks[pk].item_id for pk in states}
    ruled = {ruling.item_id for ruling in books.rulings}
    assert len(books.items) == books.accepted
    assert all(item.route != "soft" or item.pk in before_people | ruled for item in books.items)


def check_hours(office: Office, books: recount.Books) -> None:
    """The hourly figures, what forecasts are made from among them, and the chart of the last day."""
    rows = Rollup.objects.filter(queue=office.queue, figure__in=FIGURES).exclude(value=0)
    stored = {(row.figure, row.key, row.at): row.value for row in rows}
    counted = {key: n for key, n in recount.hourly(books).items() if n}
    assert stored.keys() == counted.keys()
    assert stored == pytest.approx(counted)
    for hour in floor.hours(office.queue.pk, books.at):
        end = hour.at + HOUR
        soft = [i for i in books.items if i.route == "soft" and hour.at <= i.arrived_at < end]
        assert hour.arrived == len(soft)
        assert hour.decided == sum(hour.at <= decision.at < end for decision in books.decisions)
        made = Rollup.objects.filter(queue=office.queue, figure="counted", at=hour.at).first()
        if made is None:
            assert hour.waiting is None
        else:
            states = books.states(made.made_at).values()
            assert hour.waiting == sum(state in recount.OPEN for state in states)


def check_deadlines(office: Office, books: recount.Books) -> None:
    """What was in time, late, and ended by the queue's rule, by purpose, in seven days."""
    week = books.since(recount.hour_of(books.at - DAY * 7))
    kept = Counter((d.purpose, d.at <= d.task.due_at) for d in week.decisions)
    ended = Counter(books.tasks[move.task_id].purpose for move in week.moves if move.kind == "expired")
    told = deadlines.shares(office.queue.pk, books.at)
    for purpose in {purpose for purpose, _met in kept} | set(ended):
        counted = (kept[purpose, True], kept[purpose, False], ended[purpose])
        assert (told[purpose].met, told[purpose].late, told[purpose].ended) == counted
    assert (told[""].of) == sum(kept.values()) + sum(ended.values())
    late = [task for pk, task in books.tasks.items() if task.state in recount.OPEN and task.due_at < books.at]
    assert deadlines.pressure(office.queue, books.at).late == len(late)


def check_presence(office: Office, books: recount.Books) -> None:
    """What was planned in each hour, and who came."""
    for hour in staff.presence(office.queue.pk, books.at):
        mine = {(d.person_id, d.at.timestamp() // 300) for d in books.decisions if hour.at <= d.at < hour.at + HOUR}
        assert hour.came == pytest.approx(len(mine) / 12)
        spans = [(max(s.starts_at, hour.at), min(s.ends_at, hour.at + HOUR), s.people) for s in books.shifts]
        assert hour.planned == pytest.approx(sum(n * max(0.0, (end - start) / HOUR) for start, end, n in spans))


def check_whole(office: Office) -> None:
    """The record holds, and the office did all that offices do: nothing of it was left out above."""
    assert proof.verify().bad == ()
    assert list(deep.verify()) == []
    kinds = set(Move.objects.values_list("kind", flat=True))
    assert {"opened", "claimed", "released", "skipped", "held", "lapsed", "escalated", "decided", "reopened"} <= kinds
    assert {"soft", "audit"} <= set(Decision.objects.values_list("purpose", flat=True))
    assert {"soft", "pass"} <= set(Item.objects.filter(queue=office.queue).values_list("route", flat=True))
    roles = Decision.objects.values_list("person__memberships__role", flat=True)
    assert {"crowd", "reviewer", "expert", "lead"} == set(roles)


@pytest.mark.slow
def test_the_floor_of_a_day_is_a_recount_of_it(at_work: Office) -> None:
    at_work.open(Plan(per_hour=6, peaks=((11, 60),), hours=24))
    for hours in (10, 13.5, 24):
        at_work.run(MONDAY + HOUR * hours)
        check(at_work)
    check_whole(at_work)


@pytest.mark.proof
def test_the_floor_of_a_week_is_a_recount_of_it(at_work: Office) -> None:
    at_work.open(Plan(per_hour=8, peaks=((11, 120), (62, 150), (106, 200)), hours=168))
    for hours in (9, 12, 30.25, 63, 64.5, 100, 107, 110, 133.75, 158, 168):
        at_work.run(MONDAY + HOUR * hours)
        check(at_work)
    check_whole(at_work)
