"""What if: people, handling time and the backlog."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.measure import rollups
from decisions.measure.supposed import terms
from decisions.measure.supposed.terms import Terms
from decisions.models import Rollup
from decisions.queues import live as in_force
from tests.decisions.measure.test_what_if import asked
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_item, make_queue

pytestmark = pytest.mark.django_db


def test_people_and_handling_time_are_as_measured() -> None:
    queue = busy_queue(items=20, audits=0)
    for figure, value in (("worked", 56.0), ("handling", 1500.0), ("timed", 50.0)):
        Rollup.objects.create(
            queue=queue, figure=figure, key="soft", at=NOON - timedelta(hours=30), value=value, made_at=NOON
        )
    found: Terms = terms.standing(in_force.of(queue.slug), NOON)
    assert (found.people, found.hours, found.handling_seconds) == (1.0, 8.0, 30.0)


def test_fewer_people_break_a_deadline_sooner_and_a_higher_threshold_later() -> None:
    queue = busy_queue()
    slot = NOON.replace(minute=0, second=0, microsecond=0)
    Rollup.objects.filter(queue=queue, figure__in=("backlog", "due")).delete()
    Rollup.objects.create(queue=queue, figure="backlog", key="soft:waiting:1h", at=slot, value=300, made_at=NOON)
    end = int((NOON + timedelta(hours=20)).timestamp())
    Rollup.objects.create(queue=queue, figure="due", key=f"soft:{end}", at=slot, value=300, made_at=NOON)
    many, few = (asked(queue, people=n, hours=10.0, handling_seconds=60.0).row("breach").new for n in (5.0, 0.5))
    assert many.why == "never"
    assert few.value is not None
    assert few.value == 20 * 3600  # 300 wait and are due then, and 250 can be done by then
    relieved = asked(queue, people=0.62, hours=10.0, handling_seconds=60.0)
    higher = asked(queue, people=0.62, hours=10.0, handling_seconds=60.0, soft=0.85, suggest=0.9)
    assert (higher.fans[1].middle[-1] <= relieved.fans[1].middle[-1]).all()


def test_the_backlog_of_the_live_column_is_the_one_of_its_own_arrivals() -> None:
    queue = busy_queue()
    answer = asked(queue, people=2.0, hours=8.0)
    live, new = answer.fans
    assert len(answer.now.edges) == len(live.middle) + 1 == len(new.middle) + 1
    assert answer.now.share.sum() == pytest.approx(7.0)
    assert (live.low <= live.high).all()
    assert answer.row("backlog").live.value == pytest.approx(float(live.middle[-1]))


def test_before_the_first_whole_hour_a_day_stands_for_the_days_to_come() -> None:
    queue = make_queue()
    for n in range(30):
        make_item(queue, arrived_at=NOON - timedelta(minutes=n), score=0.6, p=0.6)
    rollups.roll_up(NOON)
    answer = asked(queue, people=0.0)
    assert answer.row("backlog").new.value == pytest.approx(7 * (answer.row("people").new.value or 0), rel=0.1)
    assert answer.row("breach").new.value is not None


def test_more_people_work_a_backlog_off() -> None:
    queue = busy_queue()
    slot = NOON.replace(minute=0)
    Rollup.objects.filter(queue=queue, figure="backlog").delete()
    Rollup.objects.create(queue=queue, figure="backlog", key="soft:waiting:1h", at=slot, value=500, made_at=NOON)
    slow = asked(queue, people=1.0, hours=0.1)
    fast = asked(queue, people=10.0, hours=8.0)
    assert slow.backlog == 500
    assert slow.row("drain").new.why == "never"
    assert (slow.row("backlog").new.value or 0) > 500
    assert fast.row("backlog").new.value == 0
    assert fast.row("drain").new.value is not None
    assert (slow.row("utilisation").new.value or 0) > 1 > (fast.row("utilisation").new.value or 9)


def test_nobody_at_work_is_no_division_by_zero() -> None:
    answer = asked(busy_queue(), people=0.0)
    assert answer.row("capacity").new.value == 0
    assert answer.row("drain").new.value in (0.0, None)
    assert not [row for row in answer.rows if row.key == "utilisation"]


def test_moving_a_slider_reads_no_items() -> None:
    queue = busy_queue()
    asked(queue)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        asked(queue, soft=0.2)
    assert not [query for query in caught if "decisions_item " in query["sql"] or "decisions_draw" in query["sql"]]
