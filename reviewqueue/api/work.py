"""Claim, decide and leave tasks; undo and override."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from decisions.models import Decision, Item, PendingOverride, Task
from decisions.work import claim, decide, rule, second
from decisions.work.answer import Answer
from reviewqueue.api import auth, examples, shapes, shapes_record, shown
from reviewqueue.api import shapes_work as told
from reviewqueue.api.door import Door, answer, once, within


class Working(Door):
    scopes = frozenset({"review"})


class Claim(Working):
    @extend_schema(
        operation_id="claim_tasks",
        summary="Take the most urgent tasks that wait for you",
        request=told.Claim,
        responses={200: told.Claimed, 204: OpenApiResponse(description="Nothing waits for you.")},
        examples=examples.CLAIM,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        asked, found = shapes.read(told.Claim, request), auth.of(request).queue(queue)
        person = auth.of(request).user
        tasks = claim.next_tasks(queue_id=found.queue_id, person=person, count=asked["count"])
        if not tasks:
            return HttpResponse(status=204)
        return answer({"tasks": shown.tasks(tasks, queue=found, person=person)})


class Decide(Working):
    @extend_schema(
        operation_id="decide_task",
        summary="Answer a task that you hold",
        request=told.Decide,
        responses={201: told.Decided},
        examples=examples.DECIDE,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        step = _step(request, task, told.Decide)
        hold = {name: step.pop(name) for name in ("task_id", "lease", "person")}
        made = decide.decide(**hold, answer=Answer(**step))
        return answer({"decision": shown.own_decision(made), "ruling": shown.own_ruling(rule.of(made))}, 201)


class Release(Working):
    @extend_schema(operation_id="release_task", summary="Put it back", request=told.Lease, responses=told.Step)
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        return answer(shown.step(claim.release(**_step(request, task, told.Lease))))


class Extend(Working):
    @extend_schema(
        operation_id="extend_task",
        summary="Start the lease anew",
        request=told.Lease,
        responses=told.Step,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        return answer(shown.step(claim.extend(**_step(request, task, told.Lease))))


class Skip(Working):
    @extend_schema(
        operation_id="skip_task",
        summary="Leave it to somebody else",
        request=told.Skip,
        responses=told.Step,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        return answer(shown.step(claim.skip(**_step(request, task, told.Skip))))


class Escalate(Working):
    @extend_schema(
        operation_id="escalate_task",
        summary="Let an expert or a lead decide",
        description="Answers with the task that now waits for an expert where the queue has some, else for a lead.",
        request=told.Escalate,
        responses=told.Step,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        return answer(shown.step(claim.escalate(**_step(request, task, told.Escalate))))


class Hold(Working):
    @extend_schema(
        operation_id="hold_task",
        summary="Keep it without working on it",
        request=told.Hold,
        responses=told.Step,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        return answer(shown.step(claim.hold(**_step(request, task, told.Hold))))


class Undo(Working):
    @extend_schema(
        operation_id="undo_decision",
        summary="Take your decision back while its undo window is open",
        description="The task is yours again, under a new lease and in its next round.",
        request=shapes.Nothing,
        responses=told.Undone,
    )
    @once
    def post(self, request: Request, decision: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        within(request, Decision.objects.all(), decision)
        ruling = rule.undo(decision_id=decision, person=auth.of(request).user)
        task = Task.objects.get(decisions=decision)
        return answer({"task": shown.step(task), "ruling": shown.own_ruling(ruling)})


class Override(Working):
    @extend_schema(
        operation_id="override_item",
        summary="Replace a hard action, a pass or a ruling",
        request=shapes_record.Override,
        responses={201: shapes_record.Overridden, 202: shapes_record.OverrideWaits},
    )
    @once
    def post(self, request: Request, item: int) -> HttpResponse:
        asked = shapes.read(shapes_record.Override, request)
        within(request, Item.objects.all(), item)
        made = second.override(item_id=item, person=auth.of(request).user, answer=Answer(**asked))
        if isinstance(made, PendingOverride):
            return answer({"pending": shown.own_pending(made)}, 202)
        return answer({"ruling": shown.own_ruling(made)}, 201)


def _step(request: Request, task: int, shape: type[shapes.Shape]) -> dict[str, Any]:
    """Return what a step of a task is told: which task, under which lease, by whom, and what was sent."""
    asked = shapes.read(shape, request)
    within(request, Task.objects.all(), task)
    return {"task_id": task, "person": auth.of(request).user, **asked}
