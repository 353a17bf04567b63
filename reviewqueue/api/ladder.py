"""The ladder: which rung scored items, and what broke."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import ladder
from decisions.models import ModelVersion
from decisions.queues import live
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes_ladder
from reviewqueue.api.door import Door, answer, queue_named


class Ladder(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="ladder",
        summary="Which rung scored items, by hour and day, and what failed",
        description="Of the last 24 hours and 28 days, the last of each not over yet; days are the queue's.",
        responses=shapes_ladder.LadderShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        named = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=named.pk)
        force = live.of(named.slug)
        found = ladder.of(force, log.now())
        return answer(
            {
                "timezone": force.spec.timezone,
                "model": _name(found.model),
                "simpler": _name(found.simpler),
                "rules": found.rules,
                "hours": [asdict(span) for span in found.hours],
                "days": [asdict(span) for span in found.days],
                "failures": [_failure(one) for one in found.failures],
            }
        )


def _name(model: ModelVersion | None) -> str | None:
    return model.name if model else None


def _failure(one: ladder.Failure) -> dict[str, Any]:
    return {"code": one.code, "day": one.day, "month": one.month, "last_hour": one.last_hour}
