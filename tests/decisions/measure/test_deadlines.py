"""How deadlines are kept, against what was put in."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.exceptions import Forbidden, Invalid
from decisions.measure import deadlines, rollups
from decisions.measure.deadlines import By
from decisions.models import Decision, Queue, Rollup, Shift, Task
from decisions.queues.spec_time import Expiry, Lapsed
from decisions.work import sweep
from tests.decisions.work.makers import answered, desk
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def old_queue(**spec: object) -> Queue:
    """Make a queue of a month ago."""
    queue = make_queue(**spec)
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - 30 * DAY)
    return queue


def ended(queue: Queue, at: datetime, *, due: datetime, purpose: str = "soft") -> Decision:
    """Store a task of a purpose that was decided at a time."""
    task = make_task(queue, purpose=purpose, due_at=due, state="decided")
    return Decision.objects.create(
        queue=queue,
        item=task.item,
        task=task,
        round=1,
        purpose=purpose,
        queue_version_id=task.item.queue_version_id,
        person=make_user("reviewer", queue),
        outcome="spam",
        claimed_at=at,
        at=at,
    )


def test_what_ended_is_in_time_late_or_ended_by_the_rule() -> None:
    queue = old_queue(expiry=Expiry(soft=Lapsed.PASS))
    for minutes in (-10, 0, 10):  # before, at and after the deadline
        ended(queue, NOON + timedelta(minutes=minutes), due=NOON)
    ended(queue, NOON - HOUR, due=NOON, purpose="control")
    make_task(queue, due_at=NOON)
    sweep.expire(NOON + HOUR)
    rollups.roll_up(NOON + HOUR * 2)
    kept = deadlines.shares(queue.pk, NOON + HOUR * 2)
    soft = kept["soft"]
    assert (soft.met, soft.late, soft.expired, soft.share) == (2, 1, {"pass": 1}, 0.5)
    assert soft.interval is not None
    assert soft.interval[0] < 0.5 < soft.interval[1]
    assert (kept["control"].met, kept[""].of) == (1, 5)


def test_a_day_is_one_of_the_queues_own() -> None:
    queue = old_queue(timezone="Asia/Tokyo")
    for hour in (14, 15):  # 23:00 and 00:00 in Tokyo
        ended(queue, NOON.replace(hour=hour), due=NOON + 9 * DAY)
    at = NOON.replace(hour=20)
    rollups.roll_up(at)
    by_day = deadlines.history(queue, at)
    assert [one.kept.met for one in by_day[-2:]] == [1, 1]
    assert by_day[-1].at == NOON.replace(hour=15)
    assert len(by_day) == deadlines.DAYS
    by_hour = {one.at: one.kept.met for one in deadlines.history(queue, at, by=By.HOUR)}
    assert (by_hour[NOON.replace(hour=14)], by_hour[NOON.replace(hour=16)], len(by_hour)) == (1, 0, deadlines.HOURS)
    assert sum(one.kept.of for one in deadlines.history(queue, at, purpose="audit")) == 0


def shift(queue: Queue, people: int, rate: float, hours: float = 24) -> None:
    Shift.objects.create(
        queue=queue, made_by=make_user(), starts_at=NOON, ends_at=NOON + HOUR * hours, people=people, rate=rate
    )


def waiting(queue: Queue, hours: float, count: int = 4, purpose: str = "soft") -> list[Task]:
    due = NOON + HOUR * hours
    return [
        make_task(queue, make_item(queue, arrived_at=NOON - 2 * DAY), purpose=purpose, due_at=due) for _ in range(count)
    ]


def test_what_will_be_late_follows_the_shifts() -> None:
    queue = old_queue()
    shift(queue, people=1, rate=2)
    for hours in (1.5, 3.5, 9.5):
        waiting(queue, hours)
    waiting(queue, 24 * 20, 3)
    rollups.roll_up(NOON)
    found = deadlines.pressure(queue, NOON)
    assert [(risk.by - NOON) / HOUR for risk in found.risks] == [2, 4, 10]
    assert [risk.breaching for risk in found.risks] == [0, 0, 0]
    assert (found.first_at, found.at_risk, found.later, found.late) == (None, 0, 3, 0)
    waiting(queue, 1.5)
    waiting(queue, -1, 1, purpose="control")
    rollups.roll_up(NOON)
    found = deadlines.pressure(queue, NOON)
    assert [risk.breaching for risk in found.risks] == [5, 4, 0]  # 9 in front of 4 decisions, 13 in front of 8
    assert (found.first_at, found.at_risk, found.late, dict(found.by_purpose)) == (
        NOON + HOUR * 2,
        9,
        1,
        {"control": 1},
    )


def test_only_the_newest_counts_are_kept() -> None:
    queue = old_queue()
    waiting(queue, 1.5)
    rollups.roll_up(NOON - HOUR)
    rollups.roll_up(NOON)
    assert [row.at for row in Rollup.objects.filter(queue=queue, figure="due")] == [NOON]


def test_nothing_counted_is_nothing_known() -> None:
    queue = make_queue()
    found = deadlines.pressure(queue, NOON)
    assert (found.fresh_at, found.late, found.risks, found.first_at) == (None, 0, [], None)
    assert deadlines.shares(queue.pk, NOON) == {}


def test_the_tasks_at_risk_are_listed_by_deadline_page_by_page() -> None:
    queue = old_queue()
    auditor = make_user("auditor", queue)
    late = waiting(queue, -2, 2)
    waiting(queue, 1.5, 1)  # will be done
    shift(queue, people=1, rate=3, hours=2)
    at_risk = waiting(queue, 5.5, 5)
    rollups.roll_up(NOON)
    pressure = deadlines.pressure(queue, NOON)
    assert [(risk.by - NOON) / HOUR for risk in pressure.breaching] == [6]
    seen, after = [], None
    for _ in range(4):
        page = deadlines.listed(queue, pressure, NOON, person=auditor, after=after, count=2)
        seen += [task.pk for task in page.tasks]
        after = page.next
    assert seen == [task.pk for task in [*late, *at_risk]]
    assert after is None


def test_who_may_be_asked_is_not_told_which_tasks_are_audits() -> None:
    queue = old_queue()
    waiting(queue, -2, 1)
    waiting(queue, -1, 2, purpose="audit")
    pressure = deadlines.pressure(queue, NOON)
    lead, auditor = make_user("lead", queue), make_user("auditor", queue)
    told = deadlines.listed(queue, pressure, NOON, person=lead)
    assert ([task.purpose for task in told.tasks], told.hidden) == (["soft"], 2)
    assert deadlines.listed(queue, pressure, NOON, person=auditor).hidden == 0


def test_the_list_is_for_those_who_may_read_the_record() -> None:
    queue, other = old_queue(), make_queue()
    pressure = deadlines.pressure(queue, NOON)
    with pytest.raises(Forbidden):
        deadlines.listed(queue, pressure, NOON, person=make_user("reviewer", queue))
    elsewhere = make_task(other)
    with pytest.raises(Invalid):
        deadlines.listed(queue, pressure, NOON, person=make_user("lead", queue), after=elsewhere.pk)


def test_a_page_of_tasks_asks_the_index_of_open_ones() -> None:
    queue = old_queue()
    waiting(queue, -2, 3)
    pressure = deadlines.pressure(queue, NOON)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        deadlines.listed(queue, pressure, NOON, person=make_user("auditor", queue), count=2)
    (statement,) = [one["sql"] for one in asked if '"decisions_task"."due_at" >=' in one["sql"]]
    assert "LIMIT 3" in statement
    assert 'ORDER BY "decisions_task"."due_at" ASC' in statement


def test_a_decision_in_the_queue_is_counted_where_it_belongs() -> None:
    queue, person = desk()
    make_task(queue, due_at=datetime(2100, 1, 1, tzinfo=UTC))
    at = answered(person, queue).at
    rollups.roll_up(at + timedelta(seconds=1))
    assert deadlines.shares(queue.pk, at + timedelta(seconds=1))["soft"].met == 1
