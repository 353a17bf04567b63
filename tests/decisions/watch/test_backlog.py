"""A surge of arrivals: told before the first deadline is missed, and what the rules for overload do meanwhile."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import orjson
import pytest

from decisions.intake import parse, submit
from decisions.measure import rollups, surge
from decisions.models import Alert, Draw, Event, Item, Queue, Rollup, Shift, Task, User
from decisions.queues import live
from decisions.queues.spec import PolicySpec
from decisions.queues.spec_time import Overload, OverloadRule
from decisions.routing import frames
from decisions.watch import backlog, overload
from decisions.work import claim, decide
from tests import clock
from tests.databases import Clone
from tests.decisions.work.makers import SPAM
from tests.factories import NOON, make_item, make_queue, make_task, make_user

HOUR, QUARTER, WEEK = timedelta(hours=1), timedelta(minutes=15), timedelta(weeks=1)
SLA = 4 * HOUR
USUAL, PEAK = 12, 36  # items for people an hour
ABLE = 15  # decisions an hour, all together
RULES = (OverloadRule.THRESHOLD, OverloadRule.STRETCH, OverloadRule.SECONDS)


def measured(**spec: object) -> Queue:
    """Make a queue with four weeks behind it in which as much came each hour, and people for it."""
    policy = PolicySpec(
        hard=0.9, soft=0.3, suggest=0.5, control_share=0.25, objective="o", audit_budget=24, overload_soft=0.85
    )
    queue = make_queue(policy=policy, sla=SLA, cap=20, **spec)
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - 4 * WEEK)
    hours = [NOON - HOUR * n for n in range(1, 4 * 168)]
    given = {"queue": queue, "made_at": NOON}
    rows = [Rollup(figure="flow", key="soft:opened", at=hour, value=USUAL, **given) for hour in hours]
    rows += [Rollup(figure="arrivals", key="soft", at=hour, value=USUAL, **given) for hour in hours]
    rows.append(Rollup(figure="counted", key="", at=NOON - HOUR, value=1, **given))
    Rollup.objects.bulk_create(rows)
    shift = {"starts_at": NOON - HOUR, "ends_at": NOON + 72 * HOUR, "people": 2, "rate": ABLE / 2}
    Shift.objects.create(queue=queue, made_by=make_user(), **shift)
    return queue


def arrive(queue: Queue, at: datetime, count: int, sender: User) -> None:
    """Let so many items come that the score sends to people, half as many passes and a quarter as many HARD ones."""
    scores = [*np.linspace(0.31, 0.89, count), *([0.1] * (count // 2)), *([0.95] * (count // 4))]
    names = [f"{at:%d-%H%M}-{n}" for n in range(len(scores))]
    payload = {"text": "hello", "words": 1, "kind": "mail"}
    body = b"\n".join(
        orjson.dumps({"external_id": name, "payload": payload, "score": float(score)})
        for name, score in zip(names, scores, strict=True)
    )
    submit.many(queue=live.of(queue.slug), lines=parse.many(body), sender=sender, at=at)


def work(queue: Queue, person: User, count: int) -> None:
    """Let so many tasks be decided, in the order of the queue."""
    for task in claim.next_tasks(queue_id=queue.pk, person=person, count=count):
        decide.decide(task_id=task.pk, lease=task.lease, person=person, answer=SPAM)


def quarters(queue: Queue, hours: int, now: clock.Clock, *, has_rules: bool) -> Iterator[datetime]:
    """Live through some hours of the peak, a quarter of an hour at a time, as the worker would."""
    person, sender = make_user("reviewer", queue), make_user()
    able = 0.0
    while now.at < NOON + HOUR * hours:
        arrive(queue, now.at, PEAK // 4, sender)
        now.pass_(QUARTER)
        able += ABLE / 4
        work(queue, person, int(able))
        able -= int(able)
        rollups.roll_up(now.at)
        queue.refresh_from_db()
        backlog.check(queue, now.at)
        if has_rules:
            overload.relieve(queue.pk, now.at)
        yield now.at


def late(queue: Queue, at: datetime) -> Counter[str]:
    """Return by purpose the tasks that missed their deadline: open ones, and those that were decided after it."""
    found: Counter[str] = Counter(
        Task.objects.open().filter(queue=queue, due_at__lt=at).values_list("purpose", flat=True)
    )
    for task in Task.objects.filter(queue=queue, state="decided").prefetch_related("decisions"):
        found[task.purpose] += any(decision.at > task.due_at for decision in task.decisions.all())
    return +found


def test_three_times_as_much_is_told_before_the_first_deadline_is_missed(pretended_db: Clone) -> None:
    said: dict[datetime, Alert] = {}
    with clock.pretended(NOON) as now:
        queue = measured()
        for at in quarters(queue, 12, now, has_rules=False):
            said |= {alert.opened_at: alert for alert in Alert.objects.filter(queue=queue) if not said}
            if late(queue, at):
                break
    (alert,) = said.values()
    assert (alert.kind, alert.figures["usual"]) == ("backlog", USUAL)
    assert alert.opened_at <= NOON + HOUR + QUARTER
    assert now.at >= NOON + SLA  # hours later the first deadline is missed
    assert abs(datetime.fromisoformat(alert.figures["first_breach"]) - now.at) <= 2 * HOUR  # and it had said when


def test_the_rules_take_it_in_and_keep_control_and_audits_alive(pretended_db: Clone) -> None:
    with clock.pretended(NOON) as now:
        queue = measured(overload=Overload(order=RULES, begin_load=0.7))
        for at in quarters(queue, 12, now, has_rules=True):
            assert not late(queue, at)["control"]
        frames.close(queue.pk, now.at, blind=())
        rollups.roll_up(now.at)
        events = Event.objects.filter(chain=queue.pk, kind="overload.taken").order_by("seq")
        assert [event.reason for event in events][:4] == ["threshold"] * 4
        assert late(queue, now.at).total() < PEAK  # less than one hour's worth, of twelve such hours
    items = Item.objects.filter(queue=queue)
    hard = items.filter(band="hard")
    assert set(hard.values_list("propensity", flat=True)) == {0.25}
    controls = Task.objects.filter(queue=queue, purpose="control")
    assert controls.count() == hard.filter(reason="control").count() > 0
    assert controls.filter(state="decided").count() >= controls.count() - 4  # those of the last quarter may wait
    assert Draw.objects.filter(item__queue=queue).count() == 24  # the day's budget, to the unit
    assert Draw.objects.filter(item__reason="overload").exists()
    assert overload.spared(queue.pk, NOON) == items.filter(reason="overload", route="pass", band="soft").count() > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seen", "high", "expected"),
    [
        (30, 8, True),
        (30, 25, False),  # chance can do that
        (8, 8, False),
        (0, 0, False),
        (3000, 2700, True),  # where counts are great, small surges are certain too
        (3000, 2900, False),
    ],
)
def test_only_what_chance_cannot_do_is_a_surge(seen: int, high: float, expected: bool) -> None:
    assert surge.is_beyond(seen, high) is expected


@pytest.mark.django_db
def test_a_surge_that_people_can_take_opens_nothing() -> None:
    queue = measured()
    Shift.objects.update(people=20)
    for n in range(2 * PEAK):
        make_task(queue, make_item(queue, arrived_at=NOON), due_at=NOON + SLA + QUARTER * n)
    at = NOON + HOUR + QUARTER
    rollups.roll_up(at)
    found = surge.find(queue, at)
    assert found is not None
    assert (found.since, found.seen, found.usual, found.breach_by) == (NOON, 2 * PEAK, USUAL, None)
    assert backlog.check(queue, at) is None
    assert not Alert.objects.exists()


@pytest.mark.django_db
def test_a_great_backlog_is_no_surge_and_a_young_queue_has_no_usual() -> None:
    queue = measured()
    for _ in range(30):
        make_task(queue, due_at=NOON + SLA)
    rollups.roll_up(NOON)
    assert surge.find(queue, NOON) is None
    assert backlog.check_all(NOON) == 0
    young = make_queue()
    rollups.roll_up(NOON)
    assert surge.find(young, NOON) is None
