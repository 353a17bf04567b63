"""What the model really does: the operating point of a queue."""

import re
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Fault, Invalid
from decisions.measure import estimates, operating, summary
from decisions.measure.operating import Asked, OperatingPoint
from decisions.measure.reviewers import Shown
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, examples_measured, shapes_measured
from reviewqueue.api.door import Door, answer, queue_named

WINDOW = re.compile(r"([1-9][0-9]{0,2})d")
LONGEST = 90  # days
DAYS = 28
LONGEST_POLICY = 9  # digits
QUERY = [
    OpenApiParameter("window", str, description=f"Whole days, `1d` to `{LONGEST}d`; {DAYS}d unless said otherwise."),
    OpenApiParameter("model", str, description="Only what this model version scored, by its name."),
    OpenApiParameter("policy", int, description="Only what this policy version routed, by its number."),
    OpenApiParameter("segment", str, description="Only this segment; empty: items without one."),
]


class Measured(Door):
    scopes = frozenset({"read"})
    refusals = ("400",)

    @extend_schema(
        operation_id="operating_point",
        summary="Precision and recall with intervals, and the sentence to show",
        parameters=QUERY,
        responses=shapes_measured.OperatingPoint,
        examples=examples_measured.OPERATING_POINT,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        query = request.query_params
        point = operating.point(
            found.pk,
            log.now(),
            days=days(query.get("window")),
            model=query.get("model") or None,
            policy=number(query.get("policy")),
            segment=query.get("segment"),
        )
        return answer(shown(point, found.spec))


def days(text: str | None) -> int:
    """Return how many days a window such as `28d` has; refuses what is none or too long."""
    match = WINDOW.fullmatch(text or f"{DAYS}d")
    if match is None or int(match[1]) > LONGEST:
        detail = _("Write a window as days, from 1d to %(most)sd.") % {"most": LONGEST}
        raise Invalid(faults=[Fault("window", "format", detail)])
    return int(match[1])


def number(text: str | None) -> int | None:
    """Return a policy's number; refuses what is none."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_POLICY):
        raise Invalid(faults=[Fault("policy", "type", _("A policy has a number."))])
    return int(text)


def shown(point: OperatingPoint, spec: Spec) -> dict[str, Any]:
    """Return an operating point as JSON has it."""
    return {
        "sentence": summary.sentence(point, spec),
        "sentences": {
            "precision": summary.precision(point, spec),
            "recall": summary.recall(point, spec),
            "missed": summary.missed(point, spec),
            "harm": summary.harm(point, spec),
        },
        "advice": summary.advice(point),
        "at": point.at,
        "fresh_at": point.fresh_at,
        "window": {"start": point.start, "end": point.end},
        "measured": [{"start": start, "end": end} for start, end in point.measured],
        "model": point.filters.model,
        "policy": point.filters.policy,
        "segment": point.filters.segment,
        "items": point.items,
        "hard_items": point.hard_items,
        "precision": {"hard": _estimate(point.hard, "control"), "soft": _estimate(point.soft, "census")},
        "recall": _estimate(point.recall, "audit"),
        "caught": point.caught,
        "missed": _missed(point, spec),
        "apart": [
            {"reason": one.reason, "items": one.items, "precision": _estimate(one.share, "census")}
            for one in point.apart
        ],
        "labels": {
            "total": point.labels,
            "simulated": point.simulated,
            "soft": _asked(point.soft_asked),
            "control": _asked(point.control),
            "audit": _asked(point.audits),
        },
    }


def _missed(point: OperatingPoint, spec: Spec) -> dict[str, Any]:
    return {
        "passes": point.passes,
        "settled": _estimate(point.missed, "audit"),
        "harm": _estimate(point.harm, "audit") if point.harm else None,
        "currency": spec.value.currency,
        "first_answers": _estimate(point.errors.first, "audit"),
        "corrected": _estimate(point.errors.corrected, "audit"),
        "false_positives": _estimate(point.errors.false_positives, "audit"),
        "sensitivity": _estimate(point.errors.sensitivity, "audit"),
        "second_opinions": _source(point.errors.second, "audit"),
        "gold": _source(point.errors.gold, "gold"),
        "is_divided": point.errors.is_divided,
    }


def _source(one: Shown, sampled: str) -> dict[str, Any]:
    return {
        "false_positives": _estimate(one.false_positives, sampled),
        "sensitivity": _estimate(one.sensitivity, sampled),
    }


def _estimate(one: estimates.Estimate, sampled: str) -> dict[str, Any]:
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "level": one.level,
        "labels": one.n,
        "effective_labels": one.n_eff,
        "found": one.found,
        "response": one.response,
        "sampled": sampled,
        "why": one.why,
    }


def _asked(one: Asked) -> dict[str, int]:
    return {
        "items": one.items,
        "answered": one.answered,
        "cant_tell": one.cant_tell,
        "waiting": one.waiting,
        "expired": one.expired,
    }
