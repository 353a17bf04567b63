"""How each call about people succeeds: their team, their hours, what is handed over, and how good their answers are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from decisions.models import Queue
from decisions.queues.spec import Need
from tests.decisions.work.makers import claimed, decided_item, gold_item
from tests.decisions.work.test_disputes import disputed
from tests.factories import make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller
from tests.reviewqueue.api.test_matrix import away, excluded, handed_over, planned
from tests.reviewqueue.api.test_quality import paused
from tests.reviewqueue.api.worlds import World

LEADS = ("adjudications", "list_gold", "mark_gold", "retire_gold", "queue_quality", "lift_pause")
TIMES = [f"{timezone.now() + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (1, 2)]
SPAN = dict(zip(("starts_at", "ends_at"), TIMES, strict=True))
SAID: dict[str, dict[str, Any]] = {
    "assign_task": {"person": 1, "reason": "urgent"},
    "give_back_task": {"reason": "load"},
    "preview_handover": {"kind": "balance"},
    "hand_over": {"kind": "balance", "digest": "x", "reason": "load"},
    "set_skills": {"skills": ["kind=chat"]},
    "exclude": {"kind": "item", "name": "m-7", "why": "own"},
    "opt_out": {"categories": ["kind=chat"]},
    "set_zone": {"timezone": "Asia/Tokyo"},
    "enter_shift": {**SPAN, "people": 3},
    "enter_absence": {**SPAN, "person": 1},
    "mark_gold": {"outcome": "ham", "reason": "outside"},
    "retire_gold": {"reason": "known"},
}


def said(operation: str, **ids: Callable[[Queue], object]) -> Callable[[World], Any]:
    """Call with what is usually said, and with the ids of rows made for it."""

    def call(world: World) -> Any:
        made = {name: make(world.queue) for name, make in ids.items()}
        return world.send(operation, SAID.get(operation), **made)

    return call


def held(world: World) -> tuple[int, int]:
    """Return a task and who holds it."""
    person = make_user("reviewer", world.queue)
    make_task(world.queue)
    return claimed(person, world.queue).pk, person.pk


def team(world: World) -> None:
    held(world)
    assign_task(world)
    assert [len(one["held"] + one["kept"]) for one in world.send("team").json()["members"]].count(1) == 2


def colleague(world: World) -> None:
    task, person = held(world)
    told = world.send("colleague", person=person).json()
    assert [one["id"] for one in told["tasks"]] == [task]


def assign_task(world: World) -> None:
    other = make_user("reviewer", world.queue).pk
    world.send("assign_task", {**SAID["assign_task"], "person": other}, task=make_task(world.queue).pk)


def give_back_task(world: World) -> None:
    world.send("give_back_task", SAID["give_back_task"], task=held(world)[0])


def handover(world: World) -> None:
    _task, person = held(world)
    asked = {"kind": "release", "person": person}
    plan = world.send("preview_handover", asked).json()
    assert plan["steps"]
    world.send("hand_over", {**asked, "digest": plan["digest"], "reason": "absence"})


def with_kinds(operation: str) -> Callable[[World], Any]:
    """Call on a queue that asks for skills and has a sensitive category."""

    def call(world: World) -> Any:
        world.queue = make_queue(needs=(Need(field="kind"),), sensitive=(Need(field="kind", values=("chat",)),))
        world.person = caller("manager", world.queue)
        return world.send(operation, SAID.get(operation), person=make_user("reviewer", world.queue).pk)

    return call


def schedule(world: World) -> None:
    enter_absence(world)
    world.send("enter_shift", SAID["enter_shift"])
    told = world.send("schedule").json()
    assert (len(told["shifts"]), len(told["absences"])) == (1, 1)


def enter_absence(world: World) -> None:
    person = make_user("reviewer", world.queue).pk
    world.send("enter_absence", {**SAID["enter_absence"], "person": person})


def list_gold(world: World) -> None:
    gold_item(world.queue)
    assert world.send("list_gold").json()["results"]


def queue_quality(world: World) -> None:
    paused(make_user("reviewer", world.queue), world.queue)
    decided_item(world.queue)
    assert world.send("queue_quality").json()["people"]


def adjudications(world: World) -> None:
    disputed(world.queue, make_user("reviewer", world.queue), make_user("reviewer", world.queue))
    assert world.send("adjudications").json()["tasks"]


WORKS: dict[str, Callable[[World], Any]] = {
    "team": team,
    "colleague": colleague,
    "assign_task": assign_task,
    "give_back_task": give_back_task,
    "preview_handover": handover,
    "hand_over": handover,
    "undo_handover": said("undo_handover", handover_id=lambda queue: handed_over(queue).pk),
    "set_skills": with_kinds("set_skills"),
    "exclude": said("exclude", person=lambda queue: make_user("reviewer", queue).pk),
    "lift_exclusion": said("lift_exclusion", exclusion=lambda queue: excluded(queue).pk),
    "own_work": with_kinds("own_work"),
    "opt_out": with_kinds("opt_out"),
    "set_zone": said("set_zone"),
    "schedule": schedule,
    "enter_shift": said("enter_shift"),
    "remove_shift": said("remove_shift", shift=lambda queue: planned(queue).pk),
    "enter_absence": enter_absence,
    "remove_absence": said("remove_absence", absence=lambda queue: away(queue).pk),
    "hours": said("hours"),
    "forecast": said("forecast"),
    "list_gold": list_gold,
    "mark_gold": said("mark_gold", item=lambda queue: decided_item(queue).pk),
    "retire_gold": said("retire_gold", item=lambda queue: gold_item(queue).pk),
    "queue_quality": queue_quality,
    "my_quality": said("my_quality"),
    "lift_pause": said("lift_pause", person=lambda queue: paused(make_user("reviewer", queue), queue).person_id),
    "adjudications": adjudications,
}
