"""Thresholds, shares and people tried out on recent traffic, and what the numbers speak for."""

from dataclasses import asdict, replace
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid
from decisions.measure import what_if
from decisions.measure.supposed import recent, recommend, terms
from decisions.measure.supposed.recommend import Recommendation
from decisions.measure.what_if import Answer
from decisions.models import Policy
from decisions.queues import live as in_force
from decisions.queues.live import Live
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, examples_what_if, shapes, shapes_what_if
from reviewqueue.api.door import Door, answer, once, queue_named

DAYS = 28
NO_POLICY = {"policy": None, "target": None, "currency": "", "hard": None, "soft": None, "control": None}


class WhatIf(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(
        operation_id="what_if",
        summary="Volumes, precision, recall, work and money under other terms, against the live policy",
        request=shapes_what_if.WhatIf,
        responses=shapes_what_if.Tried,
        examples=examples_what_if.WHAT_IF,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        live, at = auth.of(request).queue(queue), log.now()
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=live.queue_id)
        asked = shapes.read(shapes_what_if.WhatIf, request)
        days, standing = int(asked.pop("days", DAYS)), terms.standing(live, at)
        stored = _stored(live, asked.pop("policy", None))
        new = replace(standing.under(stored) if stored else standing, **asked)
        found = what_if.ask(live, standing, new, days=days, at=at, stored=stored)
        return answer({**_nothing(live), "live": asdict(standing), "what_if": asdict(new), **_tried(found)})


class Advice(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(
        operation_id="advice",
        summary="Advised thresholds and control share, from 28 days",
        responses=shapes_what_if.Advised,
        examples=examples_what_if.ADVICE,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, at = queue_named(request, queue), log.now()
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        try:
            live = in_force.of(queue)
        except Conflict:
            return answer(NO_POLICY)
        seen = recent.read(live, days=DAYS, at=at)
        return answer(_advised(live, recommend.of(live, terms.standing(live, at), seen) if seen else None))


def _stored(live: Live, no: int | None) -> Policy | None:
    """Return the policy that is to be tried out; refuses a number that none has."""
    if no is None:
        return None
    found = Policy.objects.select_related("model").filter(queue=live.queue_id, no=no).first()
    if found is None:
        raise Invalid(faults=[Fault("policy", "reference", _("There is no such thing in this queue."))])
    return found


def _nothing(live: Live) -> dict[str, Any]:
    """Return what is said of a window in which nothing came."""
    return {
        "policy": live.policy.no,
        "start": None,
        "end": None,
        "items_per_day": None,
        "other_model_items": None,
        "scored": None,
        "labels_used": 0,
        "currency": live.spec.value.currency,
        "lines": [],
    }


def _tried(found: Answer | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "start": found.recent.start,
        "end": found.recent.end,
        "items_per_day": found.items,
        "other_model_items": found.recent.elsewhere,
        "scored": _scored(found),
        "labels_used": found.recent.labels,
        "lines": [
            {
                "key": row.key,
                "unit": row.unit,
                "limits": row.limits,
                "live": asdict(row.live),
                "what_if": asdict(row.new),
                "difference": asdict(row.gap),
            }
            for row in found.rows
        ],
    }


def _scored(found: Answer) -> dict[str, Any] | None:
    if found.scored is None or found.tried.model is None:
        return None
    return {"model": found.tried.model.name, "items": found.scored.items, "of": found.scored.of}


def _advised(live: Live, advised: Recommendation | None) -> dict[str, Any]:
    about = {"policy": live.policy.no, "target": live.policy.precision_target, "currency": live.spec.value.currency}
    told: dict[str, Any] = {**NO_POLICY, **about}
    if advised is None:
        return told
    if hard := advised.hard:
        told["hard"] = {
            **{name: getattr(hard, name) for name in ("threshold", "at", "precision", "low", "needed")},
            "verdict": hard.verdict.value,
            "labels_used": hard.labels,
            "sentence": advised.sentence,
        }
    if soft := advised.soft:
        names = ("threshold", "available", "mean", "volume", "shadow_price")
        told["soft"] = {"bound": soft.bound.value, **{name: getattr(soft, name) for name in names}}
    if control := advised.control:
        told["control"] = {
            "share": control.share,
            "wanted": control.labels,
            "given": control.given,
            "is_enough": control.enough,
            "review_cost": advised.control_review,
            "delay_cost": control.cost,
        }
    return told
