"""A queue with one of everything, and how each call about items, work, policies, rights and alerts succeeds on it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from decisions.learning import labels
from decisions.models import Action, DataSet, Decision, Item, Queue
from decisions.queues.spec import Confirm
from decisions.rights import Act, Limit, edit
from decisions.routing import publish
from decisions.work import claim, decide
from decisions.work.answer import Answer
from reviewqueue.api import ops
from tests.decisions.learning.stored import make_model
from tests.decisions.learning.world import labelled_queue
from tests.decisions.watch.alerting import make_alert
from tests.factories import (
    NOON,
    make_data_set,
    make_item,
    make_pending,
    make_queue,
    make_run,
    make_shadow,
    make_task,
    make_user,
)
from tests.reviewqueue.api import contract
from tests.reviewqueue.api.caller import Caller, caller

FAR = str(10**17)  # an id that nothing has
UNKNOWN = ("task", "decision", "person", "exclusion", "shift", "absence", "handover_id")


class World:
    """A queue with one of everything, and a manager, who may do nearly everything, or somebody in another role."""

    def __init__(self, role: str = "manager") -> None:
        self.queue: Queue = make_queue(undo=timedelta(hours=1))
        self.person: Caller = caller(role, self.queue)
        self.passed: Item = make_item(self.queue, route="pass", band="pass", score=0.1, propensity=None)
        self.alert = make_alert(self.queue)
        self.pending = make_pending(make_item(self.queue, route="hard", band="hard", score=0.95))
        self.run = make_run(self.queue)
        self.draft = publish.draft(queue=self.queue, changes={"hard": 0.95}, by=None, why="stricter", at=NOON)
        times = {"due_at": NOON, "next_at": NOON, "created_at": NOON, "delivered_at": NOON}
        self.told = Action.objects.create(
            queue=self.queue, item=self.passed, name="deliver", body=b"{}", state="delivered", attempts=1, **times
        )

    def claimed(self) -> Any:
        make_task(self.queue)
        (task,) = claim.next_tasks(queue_id=self.queue.pk, person=self.person.user)
        return task

    def decided(self) -> Decision:
        task = self.claimed()
        return decide.decide(task_id=task.pk, lease=1, person=self.person.user, answer=Answer("spam"))

    def call(self, operation: str, **ids: object) -> tuple[str, str]:
        """Return method and path of a call, with ids that exist unless others are given."""
        method, path, _operation = contract.operations()[operation]
        known = {"queue": self.queue.slug, "item": self.passed.pk, "action": self.told.pk, "no": self.draft.no}
        known |= {"data_set": "0" * 64, "alert": self.alert.pk, "pending": self.pending.pk, "run": self.run.pk}
        if "{shadow}" in path and "shadow" not in ids:
            known |= {"shadow": make_shadow(self.queue).pk}
        path = path.format(**{**dict.fromkeys(UNKNOWN, FAR), **known, **ids})
        asks_for_queue = operation.startswith(("list_", "stream_")) and "queue" not in path and operation != QUEUES
        slug = ids.get("queue", self.queue.slug)
        return method, f"{path}?queue={slug}" if asks_for_queue else path

    def send(self, operation: str, data: object = None, **ids: object) -> Any:
        method, path = self.call(operation, **ids)
        return self.person.post(path, data) if method == "POST" else self.person.get(path)


QUEUES = "list_queues"
ITEM = {"external_id": "m-1", "payload": {"text": "hello"}, "score": 0.6}
SNOOZE = {"until": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
CLOSE = {"end": "false_alarm", "lesson": "x"}


def submit_item(world: World) -> None:
    world.send("submit_item", ITEM)
    world.send("submit_item", ITEM)


def submit_batch(world: World) -> None:
    _method, path = world.call("submit_batch")
    world.person.lines(path, ITEM, {})


def filter_switched(world: World) -> None:
    content = world.queue.version.content if world.queue.version else {}
    asked = {"cut": 0.5, "let_through": 0.1, "cost_block": 1.0, "cost_error": 9.0, "min_labels": 200}
    no = world.queue.versions.count() + 1
    version = world.queue.versions.create(no=no, content={**content, "filter": asked}, created_at=NOON)
    Queue.objects.filter(pk=world.queue.pk).update(version=version)
    world.send("switch_filter", {"is_on": False, "why": "risk"})
    world.send("ladder")


def claim_tasks(world: World) -> None:
    world.send("claim_tasks")
    make_task(world.queue)
    world.send("claim_tasks")


def decide_task(world: World) -> None:
    world.send("decide_task", {"lease": 1, "outcome": "spam"}, task=world.claimed().pk)


def step(operation: str, **said: str) -> Callable[[World], None]:
    return lambda world: world.send(operation, {"lease": 1, **said}, task=world.claimed().pk)


def filed(world: World) -> None:
    said = {"statement": "It was an invoice", "reference": "ticket-1"}
    world.send("file_appeal", said)
    world.send("file_appeal", said)


def told(world: World) -> None:
    said = {"queue": world.queue.slug, "external_id": world.passed.external_id, "source": "crm"}
    truth = {**said, "outcome": "spam", "occurred_at": "2026-03-02T12:00:00Z"}
    world.send("tell_truth", truth)
    world.send("tell_truth", truth)
    _method, path = world.call("tell_truth")
    world.person.lines(path, truth, {**said, "kind": "feedback", "right": True, "occurred_at": "2026-03-02T12:00:00Z"})


def frozen(world: World) -> None:
    told(world)
    labels.feed_due(timezone.now() + timedelta(days=1))
    world.send("freeze_data_set")
    world.send("freeze_data_set")


def of_data_set(operation: str) -> Callable[[World], None]:
    def read(world: World) -> None:
        frozen(world)
        answer = world.send(operation, data_set=DataSet.objects.filter(queue=world.queue).latest("pk").name)
        assert b"".join(answer)  # a file is closed when it was read

    return read


def taken(world: World) -> None:
    of_data_set("download_data_set")(world)
    world.send("download_data_set", data_set=make_data_set(world.queue).name)


def overridden(world: World) -> None:
    world.send("override_item", {"outcome": "spam", "reason": "content"})
    queue = make_queue(confirm=Confirm(reverse_hard=0.0))
    world.person = caller("lead", queue)
    item = make_item(queue, route="hard", band="hard", score=0.95)
    world.send("override_item", {"outcome": "ham", "reason": "content"}, item=item.pk)


def undo_decision(world: World) -> None:
    world.send("undo_decision", task=0, decision=world.decided().pk)


def listed(operation: str) -> Callable[[World], None]:
    def read(world: World) -> None:
        world.decided()
        rows = world.send(operation).json()["results"]
        assert rows

    return read


def readyz(world: World) -> None:
    world.send("readyz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops, "_leaves", lambda: (("decisions", "9999_future"),))
        world.send("readyz")


def canary(world: World) -> Any:
    world.send("approve_policy", {"why": "read it"})
    return world.send("start_canary", {"why": "carefully", "share": 0.1})


def published(world: World) -> Any:
    world.send("approve_policy", {"why": "read it"})
    return world.send("publish_policy", {"why": "ready"})


def member_changed(world: World) -> None:
    as_admin("change_member", {"person": make_user().pk, "role": "lead"})(world)


LESS = {"content": {"export": {"manager": None}}, "why": "x"}
MORE = {"content": {"export": {"lead": {}}}, "why": "x"}


def started(world: World) -> None:
    queue = labelled_queue(5)
    world.person = caller("manager", queue)
    world.send("start_training_run", {"why": "x"}, queue=queue.slug)


def as_admin(operation: str, data: object = None, **ids: object) -> Callable[[World], Any]:
    """Let an administrator of the queue call; `no` is that of a version which another one proposed."""

    def call(world: World) -> Any:
        other = caller("admin", world.queue)
        world.person = caller("admin", world.queue)
        edit.propose(queue=world.queue, cells={Act.VERIFY: {"auditor": None}}, by=other.user, why="x", at=NOON)
        if "no" in ids:
            edit.propose(queue=world.queue, cells={Act.EXPORT: {"lead": Limit()}}, by=other.user, why="x", at=NOON)
        return world.send(operation, data, **ids)

    return call


def answered_proposal(world: World) -> Any:
    """Let people override what was suggested just above the threshold, and take that up."""
    person = make_user()
    for k in range(40):
        score = 0.52
        item = make_item(world.queue, score=score, arrived_at=timezone.now())
        task = make_task(world.queue, item, state="decided")
        Decision.objects.create(
            queue=world.queue,
            item=item,
            task=task,
            round=1,
            purpose="soft",
            queue_version=item.queue_version,
            person=person,
            outcome="ham" if k < 36 else "spam",
            suggested="spam",
            was_shown=True,
            claimed_at=timezone.now(),
            at=timezone.now(),
        )
    return world.send("answer_proposal", {"kind": "threshold", "key": "0.5|0.55", "is_taken": True})


WORKS: dict[str, Callable[[World], Any]] = {
    "submit_item": submit_item,
    "submit_batch": submit_batch,
    "claim_tasks": claim_tasks,
    "decide_task": decide_task,
    "release_task": step("release_task"),
    "extend_task": step("extend_task"),
    "skip_task": step("skip_task", reason="unclear"),
    "escalate_task": step("escalate_task", reason="expert"),
    "hold_task": step("hold_task"),
    "undo_decision": undo_decision,
    "override_item": overridden,
    "file_appeal": filed,
    "tell_truth": told,
    "list_data_sets": of_data_set("list_data_sets"),
    "freeze_data_set": frozen,
    "get_data_set": of_data_set("get_data_set"),
    "download_data_set": taken,
    "list_appeals": lambda world: world.send("list_appeals"),
    "list_overrides": listed("list_overrides"),
    "confirm_override": lambda world: world.send("confirm_override"),
    "turn_down_override": lambda world: world.send("turn_down_override", {"why": "x"}),
    "get_item": lambda world: world.send("get_item", item=world.decided().item_id),
    "record_result": lambda world: world.send("record_result", {"result": "done"}),
    "draft_policy": lambda world: world.send("draft_policy", {"why": "stricter", "hard": 0.97}),
    "approve_policy": lambda world: world.send("approve_policy", {"why": "read it"}),
    "withdraw_policy": lambda world: world.send("withdraw_policy", {"why": "no need"}),
    "start_canary": canary,
    "stop_canary": lambda world: (canary(world), world.send("stop_canary", {"why": "enough"})),
    "get_canary": lambda world: (world.send("get_canary"), canary(world), world.send("get_canary")),
    "publish_policy": published,
    "roll_back_policy": lambda world: (published(world), world.send("roll_back_policy", {"why": "no"})),
    "list_decisions": listed("list_decisions"),
    "list_rulings": listed("list_rulings"),
    "list_events": listed("list_events"),
    "list_actions": listed("list_actions"),
    "stream_labels": lambda world: world.send("stream_labels"),
    "list_frames": lambda world: world.send("list_frames"),
    "close_frame": lambda world: world.send("close_frame"),
    "list_training_runs": lambda world: world.send("list_training_runs"),
    "start_training_run": started,
    "get_training_run": lambda world: world.send("get_training_run"),
    "cancel_training_run": lambda world: world.send("cancel_training_run"),
    "list_alerts": listed("list_alerts"),
    "get_alert": lambda world: world.send("get_alert"),
    "acknowledge_alert": lambda world: world.send("acknowledge_alert"),
    "snooze_alert": lambda world: world.send("snooze_alert", SNOOZE),
    "diagnose_alert": lambda world: world.send("diagnose_alert", {"cause": "x"}),
    "close_alert": lambda world: world.send("close_alert", CLOSE),
    "get_rights": as_admin("get_rights"),
    "rights_versions": as_admin("rights_versions"),
    "preview_rights": as_admin("preview_rights", {"content": MORE["content"]}),
    "propose_rights": as_admin("propose_rights", LESS),
    "roll_back_rights": as_admin("roll_back_rights", {"why": "x"}),
    "agree_rights": as_admin("agree_rights", {"why": "x"}, no=2),
    "turn_down_rights": as_admin("turn_down_rights", {"why": "x"}, no=2),
    "members": as_admin("members"),
    "change_member": member_changed,
    "list_queues": lambda world: world.send("list_queues"),
    "list_policies": lambda world: world.send("list_policies"),
    "list_models": lambda world: world.send("list_models"),
    "list_shadows": lambda world: world.send("list_shadows"),
    "start_shadow": lambda world: (
        make_model(world.queue, "kept"),
        world.send("start_shadow", {"model": "kept", "why": "to compare"}),
    ),
    "stop_shadow": lambda world: world.send("stop_shadow", {"why": "seen enough"}),
    "compare_models": lambda world: (
        world.send("compare_models"),
        make_shadow(world.queue),
        world.send("compare_models"),
    ),
    "queue_status": lambda world: world.send("queue_status"),
    "queue_overload": lambda world: (
        world.send("switch_overload", {"rule": "stretch", "mode": "on", "why": "peak"}),
        world.send("queue_overload"),
    ),
    "switch_overload": lambda world: world.send("switch_overload", {"rule": "crowd", "mode": "on", "why": "peak"}),
    "queue_deadlines": lambda world: world.send("queue_deadlines"),
    "operating_point": lambda world: world.send("operating_point"),
    "known_data": lambda world: world.send("known_data"),
    "ladder": lambda world: world.send("ladder"),
    "switch_filter": filter_switched,
    "queue_value": lambda world: world.send("queue_value"),
    "queue_trust": lambda world: world.send("queue_trust"),
    "my_trust": lambda world: world.send("my_trust"),
    "answer_proposal": answered_proposal,
    "queue_drift": lambda world: world.send("queue_drift"),
    "queue_segments": lambda world: world.send("queue_segments"),
    "queue_fairness": lambda world: world.send("queue_fairness"),
    "inventory": lambda world: world.send("inventory"),
    "what_if": lambda world: world.send("what_if"),
    "advice": lambda world: world.send("advice"),
    "metrics": lambda world: world.send("metrics"),
    "livez": lambda world: world.send("livez"),
    "readyz": readyz,
}
