"""The policies of a queue: what was live when, publish and roll back."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import NotFound
from decisions.models import Policy, PolicyChange
from decisions.rights import Act
from decisions.routing import publish
from reviewqueue.api import auth, shapes
from reviewqueue.api.door import Door, answer, once, queue_named

PAGE = 1000  # policies are few; older ones are on the page of the queue's policies


class Policies(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(operation_id="list_policies", summary="Newest first", responses=shapes.Policies)
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        policies = Policy.objects.filter(queue=found).select_related("model", "author").order_by("-no")
        return answer({"policies": [_shown(policy) for policy in policies[:PAGE]]})


class Publish(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="publish_policy",
        summary="Let a draft route from now on",
        request=shapes.Why,
        responses=shapes.PolicyChange,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        found, why = queue_named(request, queue), shapes.read(shapes.Why, request)["why"]
        person = auth.of(request).user
        rights.require(person, Act.PUBLISH_POLICY, queue_id=found.pk)
        policy = Policy.objects.select_related("queue").filter(queue=found, no=no).first()
        if policy is None:
            raise NotFound
        change = publish.publish(policy=policy, by=person, why=why, at=timezone.now())
        return answer(_changed(change))


class RollBack(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="roll_back_policy",
        summary="Let the policy that was live before route again",
        request=shapes.Why,
        responses=shapes.PolicyChange,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found, why = queue_named(request, queue), shapes.read(shapes.Why, request)["why"]
        change = publish.roll_back(queue=found, by=auth.of(request).user, why=why, at=timezone.now())
        return answer(_changed(change))


def _shown(policy: Policy) -> dict[str, Any]:
    return {
        "no": policy.no,
        "state": policy.state,
        "model_version": policy.model.name if policy.model else None,
        **{name: getattr(policy, name) for name in shapes.TERMS},
        "author": str(policy.author) if policy.author else None,
    }


def _changed(change: PolicyChange) -> dict[str, Any]:
    return {
        "live": change.policy.no,
        "replaced": change.replaced.no if change.replaced else None,
        "why": change.why,
        "at": change.at,
    }
