"""The models of a queue: how each one stands, where it came from, and which score beside the live one."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Fault, Invalid
from decisions.learning import lineage, shadows
from decisions.learning.lineage import Known
from decisions.models import ModelVersion, Queue, Shadow
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes, shapes_models
from reviewqueue.api.door import Door, answer, once, queue_named

PAGE = 100


class Models(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="list_models",
        summary="Every model version of a queue, newest first, with its lineage",
        responses=shapes_models.Models,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        return answer({"models": [_known(one) for one in lineage.of_queue(found, log.now())]})


class Shadows(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="list_shadows",
        summary="Models that score beside the live one, those that were stopped too, newest first",
        responses=shapes_models.Shadows,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        rows = Shadow.objects.filter(queue=found).select_related("model", "person", "ender").order_by("-pk")
        return answer({"shadows": [_shadow(one) for one in rows[:PAGE]]})


class StartShadow(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="start_shadow",
        summary="Let a model score what arrives beside the live one",
        description="It routes nothing. What people saw in the last days is scored afterwards. At most three at once.",
        request=shapes_models.StartShadow,
        responses={201: shapes_models.ShadowShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found, said = queue_named(request, queue), shapes.read(shapes_models.StartShadow, request)
        person = auth.of(request).user
        rights.require(person, Act.RUN_SHADOW, queue_id=found.pk)
        model = _named(found, said.pop("model"))
        made = shadows.start(queue=found, model=model, by=person, at=log.now(), **said)
        return answer(_shadow(made), status=201)


class StopShadow(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="stop_shadow",
        summary="Take a model out of shadow; its scores stay",
        request=shapes_models.StopShadow,
        responses=shapes_models.ShadowShape,
    )
    @once
    def post(self, request: Request, queue: str, shadow: int) -> HttpResponse:
        found, person = queue_named(request, queue), auth.of(request).user
        rights.require(person, Act.RUN_SHADOW, queue_id=found.pk)
        said = shapes.read(shapes_models.StopShadow, request)
        stopped = shadows.stop(shadow=shadows.one(found, shadow), by=person, why=said["why"], at=log.now())
        return answer(_shadow(stopped))


def _named(queue: Queue, name: str) -> ModelVersion:
    model = ModelVersion.objects.filter(queue=queue, name=name).first()
    if model is None:
        raise Invalid(faults=[Fault("model", "reference", _("There is no such model in this queue."))])
    return model


def _known(one: Known) -> dict[str, Any]:
    model = one.model
    return {
        **{name: getattr(model, name) for name in ("name", "kind", "metrics", "parameters", "sha256", "app_version")},
        "standing": one.standing.value,
        "data_set": model.data_set,
        "is_data_set_here": one.data_set is not None,
        "score_low": model.score_low,
        "score_high": model.score_high,
        "file": {"state": one.file.code, "key": one.file.key, "detail": one.file.detail},
        "policies": [{"no": policy.no, "state": policy.state} for policy in one.policies],
        "items": one.items,
        "shadow": one.shadow.pk if one.shadow else None,
        "made_by": str(one.maker) if one.maker else None,
        "event": one.made.seq if one.made else None,
        "created_at": model.created_at,
    }


def _shadow(one: Shadow) -> dict[str, Any]:
    waiting = shadows.behind(one) if one.is_running else None
    return {
        "id": one.pk,
        "model": one.model.name,
        "person": one.person_id,
        "why": one.why,
        "started_at": one.started_at,
        "back_days": one.back_days,
        "backfilled": one.backfilled,
        "backfilled_at": one.backfilled_at,
        "scored": one.scored,
        "failed": one.failed,
        "last_failure": one.last_failure,
        "behind": waiting.items if waiting else 0,
        "behind_since": waiting.since if waiting else None,
        "is_behind_more": waiting.is_more if waiting else False,
        "reached_at": one.reached_at,
        "ended_at": one.ended_at,
        "ending": one.ending,
        "end_why": one.end_why,
    }
