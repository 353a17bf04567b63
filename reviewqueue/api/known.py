"""The contract on known data: what is promised and how policies did."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.measure import summary
from decisions.models import KnownCheck, KnownSet
from decisions.queues.spec import Spec
from decisions.rights import Act
from decisions.routing import known, promises
from reviewqueue.api import auth, shapes_contract
from reviewqueue.api.door import Door, answer, queue_named

CHECKS = 200


class Known(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="known_data",
        summary="What is promised on known data, and how policies did",
        responses=shapes_contract.Known,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        checks = KnownCheck.objects.filter(policy__queue=found).order_by("-pk")
        checks = checks.select_related("policy__model", "known_set", "queue_version")
        promise = found.spec.promise
        return answer(
            {
                "promise": {"precision": promise.precision, "recall": promise.recall},
                "known_set": _set(known.newest(found.pk)),
                "checks": [_check(made, found.spec) for made in checks[:CHECKS]],
            }
        )


def _set(known_set: KnownSet | None) -> dict[str, Any] | None:
    if known_set is None:
        return None
    names = ("rows", "positives", "note", "created_at")
    return {"sha256": known_set.name, **{name: getattr(known_set, name) for name in names}}


def _check(made: KnownCheck, spec: Spec) -> dict[str, Any]:
    return {
        "policy": made.policy.no,
        "model": made.policy.model.name if made.policy.model else None,
        "known_set": made.known_set.name,
        "queue_version": made.queue_version.no,
        "is_kept": made.is_kept,
        "missed": promises.missed(made.figures, summary.noun(spec)),
        "figures": made.figures,
        "at": made.at,
    }
