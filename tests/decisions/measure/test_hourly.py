"""The backlog law hour by hour, against a plain recount of tasks and moves; and at what cost it is read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.exceptions import Invalid
from decisions.measure import accounts, floor, hourly, outlook, rollups, spread
from decisions.models import Move, Queue, Rollup, Shift, Task
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
END = NOON + HOUR * 4


@pytest.fixture
def queue() -> Queue:
    """A queue whose tasks came, were decided and expired at known times; counted at the end of each hour."""
    made = make_queue()
    Queue.objects.filter(pk=made.pk).update(created_at=NOON)
    person = make_user("reviewer", made)
    for n in range(24):
        at = NOON + MINUTE * (9 * n)
        purpose = "control" if n % 4 == 0 else "soft"
        task = make_task(made, make_item(made, arrived_at=at), purpose=purpose)
        if n % 3 == 0:
            Move.objects.create(task=task, kind="decided" if n % 2 else "expired", person=person, at=at + MINUTE * 30)
    for hour in range(1, 5):
        rollups.roll_up(NOON + HOUR * hour - MINUTE)
    return made


def recount(queue: Queue, start: datetime, purpose: str, *kinds: str) -> int:
    moves = Move.objects.filter(task__queue=queue, kind__in=kinds, at__gte=start, at__lt=start + HOUR)
    return moves.filter(task__purpose=purpose).count() if purpose else moves.count()


@pytest.mark.parametrize("purpose", ["", "soft", "control", "audit"])
def test_each_hour_is_a_plain_recount(queue: Queue, purpose: str) -> None:
    lines = hourly.table(queue.pk, END - MINUTE, purpose=purpose, count=4)
    for hour, line in enumerate(lines):
        start = NOON + HOUR * hour
        assert line.at == start
        assert line.opened == recount(queue, start, purpose, "opened")
        assert line.decided == recount(queue, start, purpose, "decided")
        assert line.ended == recount(queue, start, purpose, "expired")
    waiting = Task.objects.filter(queue=queue, state="waiting")
    waiting = waiting.filter(purpose=purpose) if purpose else waiting
    ages = sorted((END - MINUTE - task.opened_at).total_seconds() for task in waiting)
    assert lines[-1].waiting == len(ages)
    if ages:
        assert lines[-1].mean_age == pytest.approx(sum(ages) / len(ages))
        assert lines[-1].p90_age == pytest.approx(ages[-(-9 * len(ages) // 10) - 1], rel=spread.ERROR + 1e-6)


def test_capacity_is_that_of_the_shifts_at_the_pace_there_was(queue: Queue) -> None:
    add: Callable[..., Rollup] = Rollup.objects.create
    for figure, key, value in (("decisions", "soft", 12.0), ("worked", "", 1.0)):
        Rollup.objects.filter(queue=queue, figure=figure).delete()
        add(queue=queue, figure=figure, key=key, at=NOON, value=value, made_at=NOON)
    Shift.objects.create(queue=queue, starts_at=NOON, ends_at=NOON + HOUR * 1.5, people=2, made_by=make_user())
    first, second, third, _last = hourly.table(queue.pk, END - MINUTE, count=4)
    assert (first.capacity, second.capacity, third.capacity) == (24.0, 12.0, 0.0)
    assert first.utilisation == pytest.approx(first.opened / 24)
    assert first.time_to_empty == pytest.approx(3600 * (first.waiting or 0) / (24 - first.opened))
    assert third.is_endless
    assert third.time_to_empty is None
    assert first.queue_rate == 1.0


def test_what_nobody_knows_is_unknown() -> None:
    (line,) = hourly.table(make_queue().pk, NOON, count=1)
    assert (line.waiting, line.capacity, line.utilisation, line.mean_age, line.queue_rate) == (None,) * 5
    assert not line.is_endless


@pytest.mark.parametrize(
    ("given", "field"), [({"purpose": "fun"}, "purpose"), ({"count": 0}, "count"), ({"count": 169}, "count")]
)
def test_what_cannot_be_is_refused(queue: Queue, given: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        hourly.table(queue.pk, END, **given)  # type: ignore[arg-type]
    assert [fault.field for fault in refused.value.faults] == [field]


def test_the_pages_read_figures_and_never_count_items(queue: Queue) -> None:
    """The same at ten thousand items and at ten million: what grows with items is read by index, a row or an hour."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        floor.status(queue.pk, END)
        hourly.table(queue.pk, END, count=168)
        accounts.of(queue.pk, END)
        outlook.of(Queue.objects.get(pk=queue.pk), END)
    statements = [query["sql"] for query in asked.captured_queries]
    tables = ("decisions_item", "decisions_task", "decisions_move", "decisions_ruling", "decisions_intake")
    grown = [sql for sql in statements if any(table in sql for table in tables)]
    assert all("LIMIT 1" in sql for sql in grown)  # when the first item of a young queue came
    seen = [sql for sql in statements if "decisions_decision" in sql]
    assert all(">" in sql for sql in seen)  # who decided in the last hour
    assert len(statements) < 45
