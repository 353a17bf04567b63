"""The ladder: which rung scored items, and what broke."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import ladder
from decisions.measure.estimates import Share
from decisions.measure.filtered import Blocks
from decisions.models import ModelVersion
from decisions.queues import live
from decisions.queues.live import Live
from decisions.record import log
from decisions.rights import Act
from decisions.watch import filters
from reviewqueue.api import auth, shapes, shapes_ladder
from reviewqueue.api.door import Door, answer, once, queue_named


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
        at = log.now()
        found = ladder.of(force, at)
        return answer(
            {
                "timezone": force.spec.timezone,
                "model": _name(found.model),
                "simpler": _name(found.simpler),
                "rules": found.rules,
                "filter": _filter(force, at),
                "hours": [asdict(span) for span in found.hours],
                "days": [asdict(span) for span in found.days],
                "failures": [_failure(one) for one in found.failures],
            }
        )


class Switch(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="switch_filter",
        summary="Turn the filter on or off",
        description="Only a person turns it on again after the machine turned it off. Answers 409 where the queue asks "
        "for no filter, or where it is so already.",
        request=shapes_ladder.SwitchFilter,
        responses=shapes_ladder.FilterShape,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        named, at = queue_named(request, queue), log.now()
        said = shapes.read(shapes_ladder.SwitchFilter, request)
        filters.switch(queue_id=named.pk, **said, by=auth.of(request).user, at=at)
        return answer(_filter(live.of(named.slug), at))


def _filter(force: Live, at: datetime) -> dict[str, Any] | None:
    found, asked = filters.state(force, at), force.spec.filter
    if found is None:
        return None
    return {
        "model": _name(found.model),
        "is_on": found.is_on,
        "since": found.since,
        "person": found.person.pk if found.person else None,
        "why": found.why,
        "cut": asked.cut,
        "let_through": asked.let_through,
        "cost_block": asked.cost_block,
        "cost_error": asked.cost_error,
        "even": asked.even,
        "blocks": _blocks(found.blocks) if found.blocks else None,
    }


def _blocks(blocks: Blocks) -> dict[str, Any]:
    told = {name: getattr(blocks, name) for name in ("start", "guarded", "blocked", "let_on", "verdict")}
    return {**told, "precision": _share(blocks.precision), "let_on_errors": _share(blocks.missed)}


def _share(share: Share) -> dict[str, Any]:
    limits = {name: getattr(share, name) for name in ("value", "low", "high", "why")}
    return {**limits, "labels": share.n, "effective_labels": share.n_eff}


def _name(model: ModelVersion | None) -> str | None:
    return model.name if model else None


def _failure(one: ladder.Failure) -> dict[str, Any]:
    return {"code": one.code, "day": one.day, "month": one.month, "last_hour": one.last_hour}
