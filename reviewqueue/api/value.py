"""What a queue's routes, policies and models won and lost, in money."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import value_words, valued
from decisions.measure.value import Money, Route
from decisions.measure.valued import Valued, Version
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, days, shapes_value
from reviewqueue.api.door import Door, answer, queue_named

QUERY = days.parameters(valued.MOST_DAYS)


class Value(Door):
    scopes = frozenset({"read", "manage", "audit"})
    refusals = ("400",)

    @extend_schema(
        operation_id="queue_value",
        summary="Money won and lost by route, policy and model, with intervals",
        parameters=QUERY,
        responses=shapes_value.Value,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        at = log.now()
        span = days.asked(request, found, at, most=valued.MOST_DAYS)
        worth = valued.read(found, span.start, span.end, at=at)
        window = {"at": at, "start": span.start, "end": span.end}
        return answer(_shown(worth) if worth else {**NOTHING, **window})


NOTHING: dict[str, Any] = {
    "currency": "",
    "fresh_at": None,
    "routes": [],
    "total": None,
    "checks": None,
    "people": None,
    "policies": [],
    "models": [],
    "over_time": [],
    "left_out": None,
    "labels": 0,
    "simulated": 0,
}


def _shown(worth: Valued) -> dict[str, Any]:
    currency, people, left = worth.currency, worth.people, worth.left
    return {
        "currency": currency,
        "at": worth.at,
        "fresh_at": worth.fresh_at,
        "start": worth.start,
        "end": worth.end,
        "routes": _routes(worth.routes, currency),
        "total": _won(worth.total, currency),
        "checks": {"value": worth.checks.value, "why": worth.checks.why},
        "people": {
            "seconds": worth.seconds,
            "cost": people.cost,
            "sensitivity": people.sensitivity.value if people.has_rates else None,
            "false_positives": people.false_positives.value if people.has_rates else None,
        },
        "policies": [_version(one, currency) for one in worth.policies],
        "models": [_version(one, currency) for one in worth.models],
        "over_time": [
            {"start": one.start, "end": one.end, "total": _won(one.total, currency)} for one in worth.moments
        ],
        "left_out": {
            "waiting": left.waiting,
            "expired": left.expired,
            "cant_tell": left.cant_tell,
            "apart": left.apart,
            "imported": left.imported,
        },
        "labels": worth.labels,
        "simulated": worth.simulated,
    }


def _version(one: Version, currency: str) -> dict[str, Any]:
    return {"name": one.name, "routes": _routes(one.routes, currency), "total": _won(one.total, currency)}


def _routes(routes: dict[Route, Money], currency: str) -> list[dict[str, Any]]:
    return [{"route": route, **_won(money, currency, route)} for route, money in routes.items()]


def _won(money: Money, currency: str, route: Route | None = None) -> dict[str, Any]:
    told = {
        beside.value: {
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "why": figure.why,
            "sentence": value_words.sentence(money, beside, currency, route),
        }
        for beside, figure in money.beside.items()
    }
    return {"items": money.items, "labels": money.labels, "effective_labels": money.n_eff, **told}
