"""A person's place on a queue: skills, what they do not judge; and one's own: what one would rather not see."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.models import Exclusion, Queue, User
from decisions.queues import needs
from decisions.rights import Act
from decisions.work import fitness, mine, shifts, team
from reviewqueue.api import auth, shapes
from reviewqueue.api import shapes_team as told
from reviewqueue.api.door import Door, answer, once, queue_named, within
from reviewqueue.api.team import Managing, held


class One(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(operation_id="colleague", summary="A person's place on a queue", responses=told.Colleague)
    def get(self, request: Request, queue: str, person: int) -> HttpResponse:
        found, by = queue_named(request, queue), auth.of(request).user
        if by.pk != person:
            rights.require(by, Act.SEE_TEAM, queue_id=found.pk)
        row = fitness.member(found, person)
        return answer(
            {
                "person": row.user_id,
                "name": str(row.user),
                "role": row.role,
                "value_limit": row.value_limit,
                "skills": row.skills,
                "known_skills": list(needs.skills(found.spec)),
                "tasks": [held(task) for task in team.had_by(found.pk, [person])],
                "exclusions": _exclusions(found, person),
            }
        )


class SetSkills(Managing):
    @extend_schema(
        operation_id="set_skills",
        summary="Say which skills a person has",
        request=told.SetSkills,
        responses=told.Skills,
    )
    @once
    def post(self, request: Request, queue: str, person: int) -> HttpResponse:
        asked, found = shapes.read(told.SetSkills, request), queue_named(request, queue)
        by = auth.of(request).user
        has = fitness.set_skills(queue=found, person_id=person, skills=asked["skills"], by=by)
        return answer({"skills": sorted(has)})


class Exclude(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="exclude",
        summary="Keep a person from judging a subject or an item",
        description="Everybody may say so of themselves.",
        request=told.Exclude,
        responses={201: told.ExclusionShape},
    )
    @once
    def post(self, request: Request, queue: str, person: int) -> HttpResponse:
        asked, found = shapes.read(told.Exclude, request), queue_named(request, queue)
        by = auth.of(request).user
        if by.pk != person:
            rights.require(by, Act.MANAGE_TEAM, queue_id=found.pk)
        return answer(_excluded(fitness.exclude(queue=found, person_id=person, by=by, **asked)), 201)


class Lift(Managing):
    @extend_schema(
        operation_id="lift_exclusion",
        summary="Let a person judge it again",
        request=shapes.Nothing,
        responses={204: None},
    )
    @once
    def post(self, request: Request, exclusion: int) -> HttpResponse:
        shapes.read(shapes.Nothing, request)
        within(request, Exclusion.objects.all(), exclusion)
        fitness.lift(exclusion_id=exclusion, by=auth.of(request).user)
        return HttpResponse(status=204)


class Own(Door):
    scopes = frozenset({"review"})

    @extend_schema(operation_id="own_work", summary="What you leave out and have seen", responses=told.OwnWork)
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = _own(request, queue)
        return answer(_shown(auth.of(request).user, found))


class OptOut(Door):
    scopes = frozenset({"review"})

    @extend_schema(
        operation_id="opt_out",
        summary="Say what you would rather not see",
        description="In place of what you said before. Nobody else is told, and no event says so.",
        request=told.OptOuts,
        responses=told.OwnWork,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        asked, found = shapes.read(told.OptOuts, request), _own(request, queue)
        person = auth.of(request).user
        fitness.opt_out(queue=found, person=person, tags=asked["categories"])
        return answer(_shown(person, found))


class Zone(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="set_zone",
        summary="Say on which clock your shifts and absences are read",
        description="An IANA time zone, such as Europe/Madrid; empty: that of each queue.",
        request=told.Zone,
        responses=told.Zone,
    )
    @once
    def post(self, request: Request) -> HttpResponse:
        asked, person = shapes.read(told.Zone, request), auth.of(request).user
        shifts.set_zone(person=person, zone=asked["timezone"])
        return answer({"timezone": asked["timezone"]})


def _own(request: Request, slug: str) -> Queue:
    """Return the queue; refuse who is given nothing there."""
    queue = queue_named(request, slug)
    fitness.member(queue, auth.of(request).user.pk)
    return queue


def _shown(person: User, queue: Queue) -> dict[str, Any]:
    at = timezone.now()
    strain = mine.strain(person, queue, at)
    return {
        "opt_outs": sorted(fitness.opted_out(queue, person)),
        "categories": list(needs.sensitive(queue.spec)),
        "seen_today": strain.seen,
        "seen_last_hour": strain.lately,
        "at_it_since": strain.since,
        "is_break_due": strain.needs_break(at),
        "exclusions": _exclusions(queue, person.pk),
    }


def _exclusions(queue: Queue, person_id: int) -> list[dict[str, Any]]:
    return [_excluded(row) for row in fitness.exclusions(queue.pk, person_id)]


def _excluded(row: Exclusion) -> dict[str, Any]:
    said = {"id": row.pk, "kind": row.kind, "key": row.key}
    return {**said, "why": row.why, "by": row.by_id, "at": row.at}
