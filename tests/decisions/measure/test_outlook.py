"""What is told of the days to come, from figures that were put in; and remedies that do what they say."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from decisions.measure import fan, foretold, outlook, remedies, rollups, staff
from decisions.measure.outlook import Outlook
from decisions.measure.remedies import Remedies
from decisions.measure.supposed import recent
from decisions.models import Queue, Rollup, Shift
from decisions.queues import live
from decisions.queues.spec_time import Calendar
from decisions.routing import simulate
from decisions.routing.policy import Cuts
from decisions.routing.simulate import Kind
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)  # NOON is a Monday
PACE = 10.0
OPEN = ("08:00-18:00",)


def told(*, weeks: float = 3, rate: float = 20.0, waiting: int = 0, pace: float | None = PACE, **spec: object) -> Queue:
    """Make a queue with so many tasks in each hour of the weeks before noon, and people who decide so many an hour."""
    queue = make_queue(**{"timezone": "Europe/Berlin", "sla": timedelta(hours=8), **spec})
    hours = [NOON - HOUR * n for n in range(1, round(weeks * 168) + 2)]
    rows = [("arrivals", "soft", hour, rate) for hour in hours] + [
        ("flow", "soft:opened", hour, rate) for hour in hours
    ]
    if pace is not None:
        rows += [("decisions", "soft", NOON - HOUR, pace), ("worked", "", NOON - HOUR, 1.0)]
    rows += [("counted", "", NOON, 1.0), ("due", f"soft:{int(NOON.timestamp()) + 8 * 3600}", NOON, waiting)]
    Rollup.objects.bulk_create(
        Rollup(queue=queue, figure=figure, key=key, at=at, value=value, made_at=NOON) for figure, key, at, value in rows
    )
    return queue


def shift(queue: Queue, start: datetime, hours: float, people: int, rate: float | None = None) -> None:
    end = start + timedelta(hours=hours)
    Shift.objects.create(queue=queue, starts_at=start, ends_at=end, people=people, rate=rate, made_by=make_user())


def said(queue: Queue) -> tuple[Outlook, Remedies, str]:
    found = outlook.of(queue, NOON)
    cure = remedies.of(queue, found)
    return found, cure, foretold.sentence(found, cure, queue.spec)


def test_enough_people_keep_the_deadlines() -> None:
    queue = told()
    shift(queue, NOON - HOUR, 200, people=3)
    found, cure, text = said(queue)
    assert found.fan is not None
    assert found.fan.risk == 0
    assert cure == Remedies()
    assert text == "Keeps its deadlines until Monday 9 Mar 13:00, in nine futures of ten."  # noon UTC is 13 h in Berlin
    assert found.arrivals.forecast.middle[0] == 20


def test_it_names_the_hour_and_the_fewest_people_that_keep_it() -> None:
    queue = told(waiting=100)
    shift(queue, NOON, 72, people=1)
    found, cure, text = said(queue)
    # 100 wait and 20 come an hour, 10 are done: what waits now is done in ten hours and was due in eight.
    assert found.breach_at == NOON + HOUR * 8
    assert found.backlog == 100
    assert cure.people == 2
    assert text == "Breaches its deadline on Monday 21:00 unless 2 more people."
    for more, is_kept in ((cure.people, True), (cure.people - 1, False)):
        Shift.objects.filter(queue=queue).update(people=1 + more)
        again = outlook.of(queue, NOON)
        assert again.fan is not None
        assert (again.fan.risk <= fan.TOLERATED) is is_kept


def test_a_threshold_that_would_do_alone_is_named_beside_people() -> None:
    queue = told(rate=20.0)
    for n in range(200):  # what came: as many at each score from soft to hard
        make_item(queue, score=0.3 + 0.6 * n / 200, p=0.5, arrived_at=NOON - HOUR * (n % 24 + 1))
    Rollup.objects.create(queue=queue, figure="banded", key=banded(queue), at=NOON - DAY, value=200, made_at=NOON)
    shift(queue, NOON, 24 * 7, people=1)
    found, cure, text = said(queue)
    assert cure.threshold is not None
    assert cure.threshold == pytest.approx(0.6, abs=0.06)  # half may come: 20 an hour against 10
    assert text == f"Breaches its deadline on Tuesday 04:00 unless 1 more person or threshold {cure.threshold:g}."
    soft = volume(queue, None), volume(queue, cure.threshold)
    assert fan.run(shrunk(found, soft[1] / soft[0])).risk <= fan.TOLERATED


def banded(queue: Queue) -> str:
    policy = queue.policies.get()
    return f"{policy.pk}:{policy.model_id}:soft:soft:score"


def volume(queue: Queue, soft: float | None) -> float:
    seen = recent.read(live.of(queue.slug), days=7, at=NOON)
    assert seen is not None
    cuts = Cuts.of(queue.policies.get(), queue.spec)
    cuts = cuts if soft is None else replace(cuts, soft=soft)
    return simulate.routes(seen.stream, cuts).volumes(seen.stream.weight)[Kind.SOFT]


def shrunk(found: Outlook, share: float) -> fan.Work:
    return replace(found.work, arrivals=found.work.arrivals * share)


def test_where_nothing_helps_it_says_so() -> None:
    queue = told(waiting=500, sla=timedelta(hours=8))
    shift(queue, NOON + HOUR * 20, 40, people=1)  # what waits is due long before anybody comes
    _found, cure, text = said(queue)
    assert cure.people is None
    assert text == "Breaches its deadline on Monday 21:00, and neither more people nor a threshold would keep it."


def test_no_more_is_told_than_is_planned() -> None:
    queue = told(rate=1)
    shift(queue, NOON, 30, people=1)
    found = outlook.of(queue, NOON)
    assert found.edges[-1] == NOON + HOUR * 30
    assert foretold.plan_note(found, queue.spec) == "Shifts are planned until Tuesday 19:00; past that nothing is told."


def test_without_shifts_the_people_of_the_last_hour_stay() -> None:
    queue = told()
    found = outlook.of(queue, NOON)
    assert found.plan.source == staff.SEEN
    assert "nobody was seen at work" in foretold.plan_note(found, queue.spec)


def test_a_queue_without_history_or_without_decisions_says_what_is_missing() -> None:
    new, idle = make_queue(), told(pace=None)
    assert said(new)[2].startswith("Nothing can be told ahead yet: it takes one whole hour")
    assert said(idle)[2].startswith("Nothing can be told ahead yet: nobody has decided here")
    shift(idle, NOON, 24 * 8, people=3, rate=12.0)  # a rate that is planned will do
    assert said(idle)[2].startswith("Keeps its deadlines")


def test_what_is_overdue_already_is_said_apart() -> None:
    queue = told(rate=1)
    Rollup.objects.create(queue=queue, figure="due", key="soft:late", at=NOON, value=3, made_at=NOON)
    shift(queue, NOON, 24 * 8, people=3)
    assert said(queue)[2].startswith("3 tasks are past their deadline already; no other will be")


def test_short_and_long_histories_say_what_they_rest_on() -> None:
    short, long = outlook.of(told(weeks=3 / 7), NOON), outlook.of(told(weeks=10), NOON)
    assert (
        foretold.basis(short) == "Rests on less than a week: the same hours of 3 days, whatever day of the week it was."
    )
    assert foretold.held(short).startswith("How often such forecasts hold is not known yet")
    assert foretold.basis(long) == "Rests on the same weekday and hour of 8 weeks."
    assert foretold.held(long) == (
        "Over the last 8 weeks, 1,344 of 1,344 hours came within the band that was told before (100 %); "
        "0 came above it."
    )


def test_an_hour_that_has_begun_counts_for_what_is_left_of_it() -> None:
    queue = told()
    shift(queue, NOON, 48, people=1)
    at = NOON + timedelta(minutes=45)
    found = outlook.of(queue, at)
    assert found.edges[:2] == (at, NOON + HOUR)
    assert found.work.arrivals[:, 0].mean() == pytest.approx(5, rel=0.1)
    assert found.work.capacity[0] == pytest.approx(PACE / 4)


def test_history_and_deadlines_are_those_of_a_plain_recount() -> None:
    queue = make_queue(sla=timedelta(hours=5))
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - HOUR * 10)
    came = [9, 6, 6, 6, 5, 2, 1.5, 1.2]
    for ago in came:
        make_task(queue, make_item(queue, arrived_at=NOON - HOUR * ago))
    rollups.roll_up(NOON)
    past = outlook.history(queue.pk, NOON)
    assert past.count.tolist() == [0, 0, 3, 1, 0, 0, 3, 0][-len(past.count) :]
    found = outlook.of(queue, NOON)
    assert (found.overdue, found.backlog) == (4, 8)  # due at noon is not late yet
    assert found.work.owed[:6].tolist() == [1, 0, 0, 3, 0, 0]
    assert outlook.due_steps(queue.spec, list(found.edges))[:3].tolist() == [4, 5, 6]


def test_planned_hours_and_hours_that_came() -> None:
    queue = told()
    shift(queue, NOON - HOUR * 3, 2.5, people=4)
    shift(queue, NOON - DAY * 30, 1, people=9)
    rows = staff.presence(queue.pk, NOON)
    assert len(rows) == 168
    assert [(row.planned, row.came) for row in rows[-4:]] == [(0, 0), (4, 0), (4, 0), (2, 1.0)]


def test_waiting_for_the_same_deadline_twice_gives_the_same_answer() -> None:
    queue = told(waiting=30)
    shift(queue, NOON, 48, people=2)
    one, other = (outlook.of(queue, NOON) for _ in range(2))
    assert one.fan is not None
    assert other.fan is not None
    assert np.array_equal(one.fan.high, other.fan.high)


def test_where_nobody_is_seen_one_more_is_at_work_while_the_queue_is_open() -> None:
    queue = told(rate=1.0, calendar=Calendar(mon=OPEN, tue=OPEN, wed=OPEN, thu=OPEN, fri=OPEN))
    found, cure, text = said(queue)
    assert [span.people for span in found.plan.spans] == [0]
    one_more = found.plan.one_more(found.edges, queue.spec)
    # 13 to 18 h in Berlin, then closed until 8 h of the next day.
    assert one_more[:20].tolist() == [PACE] * 5 + [0.0] * 14 + [PACE]
    assert cure.people == 1
    assert "unless 1 more person" in text
