"""The schedule of a queue: shifts and absences of the next four weeks, entered and taken out."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure.capacity import HORIZON
from decisions.models import Absence, Shift
from decisions.rights import Act
from decisions.work import shifts
from reviewqueue.api import auth, shapes
from reviewqueue.api import shapes_team as told
from reviewqueue.api.door import Door, answer, once, queue_named
from reviewqueue.api.team import Managing


class Schedule(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(operation_id="schedule", summary="Who is planned and who is away", responses=told.Schedule)
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, at = queue_named(request, queue), timezone.now()
        rights.require(auth.of(request).user, Act.SEE_TEAM, queue_id=found.pk)
        plan = shifts.plan(found, at, at + HORIZON)
        return answer({"shifts": list(map(_shift, plan.shifts)), "absences": list(map(_absence, plan.absences))})


class Shifts(Managing):
    @extend_schema(
        operation_id="enter_shift",
        summary="Plan so many people, or one by name",
        request=told.EnterShift,
        responses={201: told.ShiftShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        asked, found = shapes.read(told.EnterShift, request), queue_named(request, queue)
        person = asked.pop("person", None)
        made = shifts.enter(queue_id=found.pk, by=auth.of(request).user, person_id=person, **asked)
        return answer(_shift(made), 201)


class RemoveShift(Managing):
    @extend_schema(
        operation_id="remove_shift", summary="Take it out of the plan", request=shapes.Nothing, responses={204: None}
    )
    @once
    def post(self, request: Request, queue: str, shift: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        shifts.remove(queue_id=queue_named(request, queue).pk, shift_id=shift, by=auth.of(request).user)
        return HttpResponse(status=204)


class Absences(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="enter_absence",
        summary="Say that a person is away",
        description="On all queues. Everybody may say so of themselves.",
        request=told.EnterAbsence,
        responses={201: told.AbsenceShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        asked, found = shapes.read(told.EnterAbsence, request), queue_named(request, queue)
        by, person = auth.of(request).user, asked.pop("person")
        if by.pk != person:
            rights.require(by, Act.MANAGE_SHIFTS, queue_id=found.pk)
        return answer(_absence(shifts.enter_absence(queue=found, person_id=person, by=by, **asked)), 201)


class RemoveAbsence(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(operation_id="remove_absence", summary="Take it back", request=shapes.Nothing, responses={204: None})
    @once
    def post(self, request: Request, queue: str, absence: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        shifts.remove_absence(queue=queue_named(request, queue), absence_id=absence, by=auth.of(request).user)
        return HttpResponse(status=204)


def _shift(row: Shift) -> dict[str, Any]:
    span = {"starts_at": row.starts_at, "ends_at": row.ends_at}
    return {"id": row.pk, "person": row.person_id, "people": row.people, "rate": row.rate, **span}


def _absence(row: Absence) -> dict[str, Any]:
    return {"id": row.pk, "person": row.person_id, "starts_at": row.starts_at, "ends_at": row.ends_at}
