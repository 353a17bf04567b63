"""Overload rules taken and released: by the figures, by hand, with an event each, and what they do."""

import json
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.intake import parse, submit
from decisions.measure import rollups
from decisions.measure.overload import Mode
from decisions.models import Alert, Draw, Event, Item, Policy, Queue, Rollup, Shift, Task, User
from decisions.queues import live
from decisions.queues.spec import Crowd, PolicySpec
from decisions.queues.spec_time import Overload, OverloadRule
from decisions.record import deep
from decisions.routing import frames
from decisions.watch import overload
from tests.decisions.work.makers import SPAM, answered, passed_item
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY, REST = timedelta(hours=1), timedelta(days=1), timedelta(minutes=15)
BOUNDED = PolicySpec(
    hard=0.9,
    soft=0.3,
    suggest=0.5,
    control_share=0.5,
    objective="Keep it clean",
    audit_budget=48,
    overload_soft=0.7,
    control_floor=0.1,
    audit_floor=24,
)
ALL = tuple(OverloadRule)


def busy(order: tuple[OverloadRule, ...] = ALL, **spec: Any) -> Queue:
    """Make a queue of last week with one person on shift and more due in three hours than they can do."""
    queue = make_queue(policy=BOUNDED, overload=Overload(order=order), **spec)
    Queue.objects.filter(pk=queue.pk).update(created_at=NOON - 7 * DAY)
    Shift.objects.create(
        queue=queue, made_by=make_user(), starts_at=NOON - DAY, ends_at=NOON + 9 * DAY, people=1, rate=2
    )
    for _ in range(9):
        make_task(queue, make_item(queue, arrived_at=NOON - DAY), due_at=NOON + 2.5 * HOUR)
    return queue


def at(steps: int) -> datetime:
    return NOON + REST * steps


def look(queue: Queue, when: datetime) -> None:
    rollups.roll_up(when)
    overload.relieve(queue.pk, when)
    queue.refresh_from_db()


def levels(queue: Queue) -> dict[str, int]:
    return {rule: kept["level"] for rule, kept in queue.overload.items() if kept["level"]}


def relax(queue: Queue) -> None:
    """Let all that waits be decided."""
    Task.objects.filter(queue=queue).update(state=Task.State.DECIDED)


def take(queue: Queue, *scores: float) -> list[Item]:
    """Let items with these scores arrive."""
    names = [f"new-{Item.objects.count()}-{n}" for n in range(len(scores))]
    payload = {"text": "hello", "words": 1, "kind": "mail"}
    body = b"\n".join(
        orjson.dumps({"external_id": name, "payload": payload, "score": score})
        for name, score in zip(names, scores, strict=True)
    )
    submit.many(queue=live.of(queue.slug), lines=parse.many(body), sender=make_user(), at=NOON)
    return [Item.objects.get(external_id=name) for name in names]


def force(queue: Queue, **forced: int) -> None:
    """Put rules at levels, whatever the figures say."""
    kept: dict[str, Any] = {"mode": "auto", "person": None, "why": "", "since": NOON.isoformat(), "figures": {}}
    Queue.objects.filter(pk=queue.pk).update(
        overload={rule: {**kept, "level": level} for rule, level in forced.items()}
    )


def test_rules_are_taken_in_their_order_and_given_back_in_reverse() -> None:
    queue = busy()
    seen = []
    for n in range(10):
        look(queue, at(n))
        seen.append(levels(queue))
    assert seen[:5] == [
        *({"threshold": n} for n in (1, 2, 3, 4)),
        {"threshold": 4, "crowd": 1},
    ]
    everything = {"threshold": 4, "crowd": 1, "stretch": 1, "seconds": 1, "control": 1, "audit": 1}
    assert seen[8] == seen[9] == everything
    relax(queue)
    look(queue, at(10))
    assert levels(queue) == {**{rule: n for rule, n in everything.items() if rule != "audit"}}
    for n in range(11, 20):
        look(queue, at(n))
    assert levels(queue) == {}
    events = Event.objects.filter(chain=queue.pk, kind__startswith="overload").order_by("seq")
    kinds = list(events.values_list("kind", flat=True))
    assert kinds == ["overload.taken"] * 9 + ["overload.released"] * 9


def test_steps_rest_between_each_other() -> None:
    queue = busy()
    look(queue, NOON)
    look(queue, NOON + REST - timedelta(seconds=1))
    assert levels(queue) == {"threshold": 1}
    look(queue, NOON + REST)
    assert levels(queue) == {"threshold": 2}


def test_each_step_says_what_it_was_taken_on() -> None:
    queue = busy()
    look(queue, NOON)
    event = Event.objects.get(chain=queue.pk, kind="overload.taken")
    entry = json.loads(event.entry)
    assert (event.actor, event.reason, event.at) == (None, "threshold", NOON)
    assert (entry["from"], entry["to"]) == (0, 1)
    # 9 are due in the hour until 15:00, in which one person does 6; none came lately
    assert entry["figures"] == {
        "load": 1.5, "at_risk": 3, "backlog": 9, "demand": 0.0, "capacity": 2.0, "utilisation": 0.0
    }  # fmt: skip
    alert = Alert.objects.get(queue=queue)
    assert (alert.kind, alert.key, alert.level) == ("overload", "rule:threshold", "warn")
    state = overload.states(queue)[0]
    assert (state.rule, state.level, state.most, state.mode, state.since) == ("threshold", 1, 4, Mode.AUTO, NOON)


def test_without_shifts_and_people_nothing_is_done() -> None:
    queue = busy()
    Shift.objects.all().delete()
    look(queue, NOON)
    assert levels(queue) == {}


def test_a_queue_without_rules_is_left_alone() -> None:
    queue = busy(order=())
    look(queue, NOON)
    assert (queue.overload, Event.objects.filter(kind__startswith="overload").exists()) == ({}, False)


def test_every_queue_is_looked_at() -> None:
    first, second, quiet = busy(), busy(), busy(order=())
    rollups.roll_up(NOON)
    assert overload.relieve_all(NOON) == 2
    assert [bool(levels(Queue.objects.get(pk=one.pk))) for one in (first, second, quiet)] == [True, True, False]


def test_a_policy_without_bounds_gives_its_rules_back_at_once() -> None:
    queue = busy()
    for n in range(6):
        look(queue, at(n))
    assert levels(queue)["threshold"] == 4
    Policy.objects.live().filter(queue=queue).update(state="retired")
    terms = {"model": None, "hard": 0.9, "soft": 0.3, "suggest": 0.5, "objective": "o", "why": "w"}
    Policy.objects.create(queue=queue, no=2, state="live", created_at=NOON, **terms)
    look(queue, at(6) - REST / 2)
    assert "threshold" not in levels(queue)


def manager(queue: Queue) -> User:
    return make_user("manager", queue)


def test_a_manager_switches_a_rule_and_the_machine_leaves_it_alone() -> None:
    queue = busy(order=(OverloadRule.THRESHOLD,))
    person = manager(queue)
    asked: dict[str, Any] = {"queue_id": queue.pk, "by": person, "at": NOON}
    state = overload.switch(rule="threshold", mode="on", why="peak", **asked)
    assert (state.level, state.mode, state.person, state.why) == (4, Mode.ON, person, "peak")
    event = Event.objects.get(chain=queue.pk, kind="overload.switched")
    assert (event.actor, event.reason, json.loads(event.entry)["to"]) == (person, "peak", 4)
    relax(queue)
    look(queue, NOON + DAY)
    assert levels(queue) == {"threshold": 4}
    overload.switch(rule="threshold", mode="auto", why="over", **asked)
    look(queue, NOON + DAY)
    assert levels(queue) == {"threshold": 3}
    assert overload.switch(rule="threshold", mode="off", why="risk", **asked).level == 0
    assert overload.switch(rule="crowd", mode="on", why="peak", **asked).is_listed is False


@pytest.mark.parametrize("wrong", [{"rule": "panic"}, {"mode": "maybe"}, {"why": "because"}])
def test_a_switch_that_says_nothing_known_is_refused(wrong: dict[str, str]) -> None:
    queue = busy()
    given = {"rule": "crowd", "mode": "on", "why": "peak", **wrong}
    with pytest.raises(Invalid):
        overload.switch(queue_id=queue.pk, by=manager(queue), at=NOON, **given)


def test_who_may_not_switch_is_refused() -> None:
    queue = busy()
    given = {"rule": "crowd", "mode": "on", "why": "peak"}
    with pytest.raises(Forbidden):
        overload.switch(queue_id=queue.pk, by=make_user("lead", queue), at=NOON, **given)
    with pytest.raises(NotFound):
        overload.switch(queue_id=queue.pk, by=manager(make_queue()), at=NOON, **given)


def test_a_rule_without_room_cannot_be_switched_on() -> None:
    queue = make_queue()
    with pytest.raises(Conflict):
        overload.switch(queue_id=queue.pk, rule="threshold", mode="on", why="peak", by=manager(queue), at=NOON)


def test_a_raised_cut_passes_items_with_their_level_and_the_record_holds() -> None:
    queue = busy()
    (before,) = take(queue, 0.4)
    force(queue, threshold=2)  # the cut is at .5
    spared, kept, low, high = take(queue, 0.4, 0.6, 0.1, 0.95)
    assert (before.route, before.overload_level) == ("soft", 0)
    assert (spared.band, spared.route, spared.reason, spared.overload_level) == ("soft", "pass", "overload", 2)
    assert (spared.propensity, spared.q is not None) == (None, True)
    assert (kept.route, kept.reason, kept.overload_level) == ("soft", "score", 2)
    assert (low.route, low.reason, low.q is not None) == ("pass", "score", True)
    assert high.band == "hard"
    assert not Task.objects.filter(item=spared).exists()
    ours = {item.pk for item in (before, spared, kept, low, high)} | {before.intake_id, spared.intake_id}
    assert [
        bad for bad in deep.verify() if bad.table in ("decisions_item", "decisions_intake") and bad.pk in ours
    ] == []


def test_a_frame_draws_from_what_overload_passed() -> None:
    queue = busy()
    force(queue, threshold=4)
    items = take(queue, *([0.4] * 30))
    assert {item.reason for item in items} == {"overload"}
    frames.close(queue.pk, NOON + HOUR, blind=())
    assert Draw.objects.filter(item__in=items).count() == 26  # of a budget of 48 a day, of which 13 hours have gone by
    assert Task.objects.filter(purpose="audit", item__in=items).count() == 26


def test_audits_and_controls_never_fall_below_their_floor() -> None:
    queue = busy()
    force(queue, audit=1, control=1)
    high = take(queue, *([0.95] * 60))
    assert {item.propensity for item in high} == {0.1}
    assert 0 < sum(item.reason == "control" for item in high) < 30
    take(queue, *([0.1] * 40))
    frames.close(queue.pk, NOON + HOUR, blind=())
    assert Draw.objects.count() == 13  # the floor's share of these hours


def test_stretched_deadlines_are_those_of_items_for_people_only() -> None:
    queue = busy(sla=timedelta(hours=10))
    force(queue, stretch=1)
    take(queue, 0.5, *([0.95] * 20))
    due = dict(Task.objects.filter(opened_at=NOON).values_list("purpose", "due_at"))
    assert due == {"soft": NOON + 20 * HOUR, "control": NOON + 10 * HOUR}


def test_the_crowd_is_called_for_items_up_to_its_value() -> None:
    queue = busy(crowd=Crowd(purposes=("audit",), up_to=100))
    force(queue, crowd=1)
    take(queue, 0.5, *([0.95] * 20))
    ranks = {(task.purpose, task.rank) for task in Task.objects.filter(opened_at=NOON)}
    assert ranks == {("soft", Task.Rank.REVIEWER), ("control", Task.Rank.REVIEWER)}  # no value is above all
    queue = busy(crowd=Crowd())
    force(queue, crowd=1)
    (item,) = take(queue, 0.5)
    assert Task.objects.get(item=item).rank == Task.Rank.CROWD


def test_no_second_opinion_is_opened_while_the_rule_holds() -> None:
    queue = make_queue(policy=BOUNDED)
    person = make_user("reviewer", queue)
    force(queue, seconds=1)
    make_task(queue, passed_item(queue), purpose="audit")
    answered(person, queue, SPAM)
    assert not Task.objects.filter(purpose="second").exists()
    force(queue)
    make_task(queue, passed_item(queue), purpose="audit")
    answered(person, queue, SPAM)
    assert Task.objects.filter(purpose="second").count() == 1


def test_what_passed_under_a_raised_cut_is_counted() -> None:
    queue = busy()
    force(queue, threshold=4)
    take(queue, 0.4, 0.4, 0.1, 0.8)
    rollups.roll_up(NOON + HOUR)
    assert overload.spared(queue.pk, NOON) == 2
    told = overload.figures(queue, NOON + HOUR)
    assert told.demand * 2 == pytest.approx(3)  # two spared and one for people, over two hours


def test_no_step_is_taken_on_the_pace_of_some_minutes() -> None:
    queue = busy()
    Shift.objects.filter(queue=queue).update(rate=None)
    for worked, expected in ((0.4, {}), (1.0, {"threshold": 1})):
        Rollup.objects.filter(queue=queue).delete()
        rollups.roll_up(NOON)
        for figure, value in (("worked", worked), ("decisions", 2 * worked)):
            hour: dict[str, Any] = {"queue": queue, "figure": figure, "at": NOON - timedelta(hours=1), "key": ""}
            Rollup.objects.update_or_create(**hour, defaults={"value": value, "made_at": NOON})
        overload.relieve(queue.pk, NOON)
        queue.refresh_from_db()
        assert levels(queue) == expected
