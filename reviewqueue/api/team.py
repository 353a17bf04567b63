"""A queue's team: who is at work, what each has, and handing work over."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import people, rights
from decisions.models import Handover, Task
from decisions.rights import Act
from decisions.work import handover, team
from decisions.work.handover import Plan
from reviewqueue.api import auth, shapes
from reviewqueue.api import shapes_team as told
from reviewqueue.api.door import Door, answer, once, queue_named, within


class Managing(Door):
    scopes = frozenset({"manage"})


class Team(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(operation_id="team", summary="Who is at work and what each of them has", responses=told.Team)
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, at = queue_named(request, queue), timezone.now()
        rights.require(auth.of(request).user, Act.SEE_TEAM, queue_id=found.pk)
        return answer({"at": at, "members": [_member(member) for member in team.of(found, at)]})


class Assign(Managing):
    @extend_schema(
        operation_id="assign_task",
        summary="Keep a task for a person",
        description="Whoever has it now loses it. It is theirs alone until the time said, then everybody's again.",
        request=told.Assign,
        responses=told.AssignedTask,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        asked = shapes.read(told.Assign, request)
        within(request, Task.objects.all(), task)
        to = asked.pop("person")
        return answer(_assigned(handover.assign(task_id=task, to=to, by=auth.of(request).user, **asked)))


class GiveBack(Managing):
    @extend_schema(
        operation_id="give_back_task",
        summary="Take a task from who has it, for everybody",
        request=told.GiveBack,
        responses=told.AssignedTask,
    )
    @once
    def post(self, request: Request, task: int) -> HttpResponse:
        asked = shapes.read(told.GiveBack, request)
        within(request, Task.objects.all(), task)
        return answer(_assigned(handover.give_back(task_id=task, by=auth.of(request).user, **asked)))


class Preview(Managing):
    @extend_schema(
        operation_id="preview_handover",
        summary="What would go from whom to whom",
        description="`release`: a person's work back to everybody; `move`: over the others at work; `balance`: what is"
        " assigned and not begun, levelled over those at work.",
        request=told.PreviewHandover,
        responses=told.HandoverPlan,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        return answer(_planned(_plan(request, queue, shapes.read(told.PreviewHandover, request))))


class Carry(Managing):
    @extend_schema(
        operation_id="hand_over",
        summary="Do what was previewed",
        request=told.DoHandover,
        responses={201: told.HandoverDone},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        asked, found = shapes.read(told.DoHandover, request), queue_named(request, queue)
        by, plan = auth.of(request).user, _plan(request, queue, asked)
        done = handover.carry_out(plan, queue=found, by=by, reason=asked["reason"], seen=asked["digest"])
        said = {"id": done.pk, "kind": done.kind, "tasks": len(done.steps), "at": done.at}
        return answer({**said, "undo_until": done.at + handover.WINDOW}, 201)


class Undo(Managing):
    @extend_schema(
        operation_id="undo_handover",
        summary="Put back what was handed over",
        description="Within ten minutes, and only what nobody has touched since.",
        request=shapes.Nothing,
        responses=told.HandoverUndone,
    )
    @once
    def post(self, request: Request, handover_id: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        within(request, Handover.objects.all(), handover_id)
        done, count = handover.undo(handover_id=handover_id, by=auth.of(request).user)
        return answer({"id": done.pk, "tasks": count})


def _plan(request: Request, slug: str, asked: dict[str, Any]) -> Plan:
    queue, by = queue_named(request, slug), auth.of(request).user
    rights.require(by, Act.ASSIGN, queue_id=queue.pk)
    person = people.find(pk=asked["person"]) if asked.get("person") else None
    return handover.plan(asked["kind"], queue=queue, by=by, at=timezone.now(), person=person)


def _planned(plan: Plan) -> dict[str, Any]:
    steps = [
        {"task": step.task, "external_id": step.external_id, "whose": step.source, "to": step.to} for step in plan.steps
    ]
    return {"kind": plan.kind, "digest": plan.digest, "steps": steps}


def _assigned(task: Task) -> dict[str, Any]:
    return {"id": task.pk, "state": task.state, "person": task.only_for_id, "until": task.only_until}


def _member(member: team.Member) -> dict[str, Any]:
    return {
        "person": member.user.pk,
        "name": str(member.user),
        "role": member.role,
        "skills": member.skills,
        "is_at_work": member.is_at_work,
        "place": member.place,
        "held": [held(task) for task in member.held],
        "kept": [held(task) for task in member.kept],
    }


def held(task: Task) -> dict[str, Any]:
    until = task.lease_until or task.only_until
    said = {"id": task.pk, "external_id": task.item.external_id, "state": task.state}
    return {**said, "due_at": task.due_at, "until": until}
