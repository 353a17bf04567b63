"""The rights: the table in force, its versions, changing it with a second person; and the members of a queue.

In each address the queue may be `-`: the site as a whole.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import people, rights
from decisions.models import Membership, Queue, RightsVersion
from decisions.rights import Act, edit, stored
from decisions.rights.changes import Change
from reviewqueue.api import auth, shapes
from reviewqueue.api import shapes_rights as told
from reviewqueue.api.door import Door, answer, once, queue_named

SITE = "-"
READ = frozenset({"read", "manage", "audit"})
WRITE = frozenset({"manage"})


class Rights(Door):
    scopes = READ

    @extend_schema(operation_id="get_rights", summary="Who may do what: the table in force", responses=told.RightsShape)
    def get(self, request: Request, queue: str) -> HttpResponse:
        place = _seen(request, queue)
        current, waits = edit.in_force(place), edit.waiting(place)
        table = rights.table(place.pk if place else None)
        return answer(
            {
                "version": current.no if current else 0,
                "content": current.content if current else {},
                "table": stored.dump(edit.whole(table)),
                "waiting": _shown(waits) if waits else None,
            }
        )


class Versions(Door):
    scopes = READ

    @extend_schema(
        operation_id="rights_versions", summary="Every version, newest first", responses=told.RightsVersionsShape
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        place = _seen(request, queue)
        return answer({"versions": [_shown(version) for version in edit.versions(place)]})


class Preview(Door):
    scopes = WRITE

    @extend_schema(
        operation_id="preview_rights",
        summary="Who would gain and lose what",
        request=told.PreviewRights,
        responses=told.RightsPreviewShape,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        place, person = _place(request, queue), auth.of(request).user
        rights.require(person, Act.MANAGE_RIGHTS, queue_id=place.pk if place else None)
        said = shapes.read(told.PreviewRights, request)
        proposal = edit.preview(queue=place, cells=edit.cells_of(said["content"]), by=person)
        return answer(
            {
                "changes": [_changed(change) for change in proposal.changes],
                "waits": proposal.waits,
                "seconds": [str(second) for second in proposal.seconds],
            }
        )


class Propose(Door):
    scopes = WRITE

    @extend_schema(
        operation_id="propose_rights",
        summary="Change the rights: at once, or once a second person agreed where somebody gains",
        request=told.ProposeRights,
        responses={201: told.RightsVersionShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        place, person = _place(request, queue), auth.of(request).user
        rights.require(person, Act.MANAGE_RIGHTS, queue_id=place.pk if place else None)
        said = shapes.read(told.ProposeRights, request)
        cells = edit.cells_of(said.pop("content"))
        version = edit.propose(queue=place, cells=cells, by=person, at=timezone.now(), **said)
        return answer(_shown(version), status=201)


class RollBack(Door):
    scopes = WRITE

    @extend_schema(
        operation_id="roll_back_rights",
        summary="Bring back the rights that were in force before",
        request=told.AnswerRights,
        responses={201: told.RightsVersionShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        place, person = _place(request, queue), auth.of(request).user
        rights.require(person, Act.MANAGE_RIGHTS, queue_id=place.pk if place else None)
        said = shapes.read(told.AnswerRights, request)
        version = edit.roll_back(queue=place, by=person, why=said["why"], at=timezone.now())
        return answer(_shown(version), status=201)


class Answer(Door):
    scopes = WRITE

    def reply(self, request: Request, queue: str, no: int, verb: Callable[..., RightsVersion]) -> HttpResponse:
        place, person = _place(request, queue), auth.of(request).user
        rights.require(person, Act.MANAGE_RIGHTS, queue_id=place.pk if place else None)
        said = shapes.read(told.AnswerRights, request)
        version = edit.numbered(place, no)
        return answer(_shown(verb(version=version, by=person, why=said["why"], at=timezone.now())))


class Agree(Answer):
    @extend_schema(
        operation_id="agree_rights",
        summary="Let somebody else's change come into force",
        request=told.AnswerRights,
        responses=told.RightsVersionShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.reply(request, queue, no, edit.agree)


class TurnDown(Answer):
    @extend_schema(
        operation_id="turn_down_rights",
        summary="Refuse somebody else's change, or withdraw one's own",
        request=told.AnswerRights,
        responses=told.RightsVersionShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.reply(request, queue, no, edit.turn_down)


class Members(Door):
    scopes = READ

    @extend_schema(operation_id="members", summary="Who belongs to a queue, as what", responses=told.MembersShape)
    def get(self, request: Request, queue: str) -> HttpResponse:
        place = _seen(request, queue)
        return answer({"members": [_member(row) for row in people.members(place)]})


class ChangeMember(Door):
    scopes = WRITE

    @extend_schema(
        operation_id="change_member",
        summary="Give somebody a role on a queue, another one, or none",
        request=told.ChangeMember,
        responses=told.MemberChanged,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        place, by = _place(request, queue), auth.of(request).user
        rights.require(by, Act.MANAGE_PEOPLE, queue_id=place.pk if place else None)
        said = shapes.read(told.ChangeMember, request)
        user = people.find(pk=said.pop("person", None), email=said.pop("email", ""))
        return answer({"changed": people.change_role(user=user, queue=place, by=by, at=timezone.now(), **said)})


def _place(request: Request, slug: str) -> Queue | None:
    """Return the queue that an address names, None for the site; refuses what the token may not be used on."""
    if slug == SITE:
        auth.of(request).require(None)
        return None
    return queue_named(request, slug)


def _seen(request: Request, slug: str) -> Queue | None:
    place = _place(request, slug)
    rights.require(auth.of(request).user, Act.SEE_RIGHTS, queue_id=place.pk if place else None)
    return place


def _shown(version: RightsVersion) -> dict[str, Any]:
    state = edit.state(version)
    step = version.step if state not in ("waiting", "overtaken") else None
    return {
        "no": version.no,
        "state": state,
        "author": str(version.author),
        "why": version.why,
        "created_at": version.created_at,
        "restores": version.restores.no if version.restores else None,
        "answered_by": str(step.person) if step else None,
        "answer": step.why if step else "",
        "answered_at": step.at if step else None,
        "changes": [_changed(change) for change in edit.differences(version)],
    }


def _changed(change: Change) -> dict[str, Any]:
    return {
        "act": change.act,
        "role": change.role,
        "before": stored.limit_to(change.before),
        "after": stored.limit_to(change.after),
        "is_raised": change.is_raised,
        "is_lowered": change.is_lowered,
    }


def _member(row: Membership) -> dict[str, Any]:
    return {
        "person": row.user_id,
        "name": str(row.user),
        "kind": row.user.kind,
        "role": row.role,
        "value_limit": row.value_limit,
        "everywhere": row.queue_id is None,
    }
