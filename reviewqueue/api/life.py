"""An item and its whole life, redacted for who asks."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import redact, rights
from decisions.exceptions import NotFound
from decisions.learning import weights
from decisions.models import (
    Action,
    Decision,
    Delivery,
    Event,
    Evidence,
    Intake,
    Item,
    Label,
    Move,
    Ruling,
    Score,
    Task,
    User,
)
from decisions.queues import live
from decisions.record import history, log
from decisions.record.history import Step, What
from decisions.redact import Sight
from decisions.rights import Act, Case
from decisions.work import alike
from reviewqueue.api import auth, shapes_record, shown
from reviewqueue.api.door import Door, answer, within


class ItemLife(Door):
    scopes = frozenset({"review", "read", "audit"})

    @extend_schema(
        operation_id="get_item",
        summary="An item and all that happened to it",
        description="Reviewers see the items that they hold or decided. What is hidden from you is left out.",
        responses=shapes_record.Life,
    )
    def get(self, request: Request, item: int) -> HttpResponse:
        user = auth.of(request).user
        within(request, Item.objects.all(), item)
        found = (
            Item.objects.select_related("queue", "body", "policy", "model", "intake__sender").filter(pk=item).first()
        )
        if found is None:
            raise NotFound
        case = Case(own=_is_theirs(found, user))
        stands = rights.require(user, Act.READ_RECORD, queue_id=found.queue_id, case=case, item_id=found.pk)
        spec = live.of(found.queue.slug).spec
        sight = redact.for_person(found, standing=stands, user=user, spec=spec)
        steps = [step for step in history.life(found) if redact.is_seen(step, sight, user=user)]
        return answer(
            {
                "item": redact.item(found, sight, spec=spec),
                "similar": [
                    shown.alike(one)
                    for one in alike.to(found, sight=sight, standing=stands, user=user, spec=spec, at=log.now())
                ],
                "ruling": _holds(found, sight, user),
                "life": [_told(step, sight, user) for step in steps],
            }
        )


def _is_theirs(item: Item, user: User) -> bool:
    """Return whether a person holds the item or answered it."""
    is_held = Task.objects.open().filter(item=item, holder=user).exists()
    return is_held or Decision.objects.filter(item=item, person=user).exists()


def _holds(item: Item, sight: Sight, user: User) -> dict[str, Any] | None:
    last = Ruling.objects.filter(item=item).select_related("item__policy", "item__model", "person").order_by("-no")
    ruling = last.first()
    return shown.ruling(ruling, sight, user=user) if ruling and ruling.outcome else None


def _told(step: Step, sight: Sight, user: User) -> dict[str, Any]:
    return {
        "at": step.at,
        "what": step.what,
        "person": step.person.pk if step.person else None,
        "person_name": str(step.person) if step.person else None,
        "details": DETAILS[step.what](step.row, sight, user),
    }


Detail = Callable[[Any, Sight, User], dict[str, Any]]


def _arrived(row: Intake, _sight: Sight, _user: User) -> dict[str, Any]:
    return {"intake": row.pk, "app_version": row.app_version}


def _routed(row: Item, _sight: Sight, _user: User) -> dict[str, Any]:
    return {"route": row.route, "band": row.band, "reason": row.reason}


def _scored(row: Score, _sight: Sight, _user: User) -> dict[str, Any]:
    return {"model_version": row.model.name, "score": row.score, "p": row.p}


def _moved(row: Move, sight: Sight, _user: User) -> dict[str, Any]:
    purpose = redact.purpose(row.task, sight)
    return {"task": row.task_id, "purpose": purpose, "kind": row.kind, "lease": row.lease, "reason": row.reason}


def _decided(row: Decision, sight: Sight, user: User) -> dict[str, Any]:
    return redact.decision(row, sight, user=user) or {}


def _ruled(row: Ruling, sight: Sight, user: User) -> dict[str, Any]:
    return redact.ruling(row, sight, user=user) or {}


def _heard(row: Evidence, sight: Sight, _user: User) -> dict[str, Any]:
    return redact.evidence(row, sight)


def _planned(row: Action, _sight: Sight, _user: User) -> dict[str, Any]:
    return {"action": row.pk, "name": row.name, "state": row.state, "ruling": row.ruling_id, "due_at": row.due_at}


def _delivered(row: Delivery, _sight: Sight, _user: User) -> dict[str, Any]:
    return {"action": row.action_id, "attempt": row.attempt, "status": row.status, "error": row.error}


def _answered(row: Action, _sight: Sight, _user: User) -> dict[str, Any]:
    return {"action": row.pk, "result": row.result, "detail": row.result_detail}


def _labelled(row: Label, _sight: Sight, _user: User) -> dict[str, Any]:
    names = ("no", "value", "outcome", "propensity", "provenance")
    return {
        **{name: getattr(row, name) for name in names},
        "weight": weights.of(row),
        "replaces": row.replaces.no if row.replaces else None,
        "corrects": row.is_correction,
    }


def _noted(row: Event, sight: Sight, _user: User) -> dict[str, Any]:
    return {"seq": row.seq, "kind": row.kind, "reason": row.reason, "entry": redact.entry(row, sight)}


DETAILS: dict[What, Detail] = {
    What.ARRIVED: _arrived,
    What.ROUTED: _routed,
    What.SCORED: _scored,
    What.MOVED: _moved,
    What.DECIDED: _decided,
    What.RULED: _ruled,
    What.HEARD: _heard,
    What.TOLD: _planned,
    What.DELIVERED: _delivered,
    What.ANSWERED: _answered,
    What.LABELLED: _labelled,
    What.NOTED: _noted,
}
