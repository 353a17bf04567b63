"""The policies of a queue: drafts, each step of a policy's life, and how a canary stands."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Prefetch
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Fault, Invalid
from decisions.measure import recalibrate
from decisions.measure.intervals import Limits
from decisions.models import ModelVersion, Policy, PolicyChange, Queue
from decisions.rights import Act
from decisions.routing import guard, publish, trials
from decisions.routing.guard import Check
from decisions.routing.trials import Count
from reviewqueue.api import auth, shapes
from reviewqueue.api import shapes_policies as told
from reviewqueue.api.door import Door, answer, once, queue_named

Verb = Callable[..., PolicyChange]
PAGE = 1000  # policies are few; older ones are on the page of the queue's policies
STEPS = Prefetch("changes", PolicyChange.objects.select_related("person").order_by("pk"))


class Policies(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(operation_id="list_policies", summary="Newest first", responses=told.Policies)
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        policies = Policy.objects.filter(queue=found).select_related("model", "author").prefetch_related(STEPS)
        return answer({"policies": [_shown(policy) for policy in policies.order_by("-no")[:PAGE]]})


class Drafts(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="draft_policy",
        summary="Store a draft: the live policy with your changes",
        request=told.PolicyDraft,
        responses={201: told.PolicyShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found, said = queue_named(request, queue), shapes.read(told.PolicyDraft, request)
        person = auth.of(request).user
        rights.require(person, Act.DRAFT_POLICY, queue_id=found.pk)
        why, objective, at = said.pop("why"), said.pop("objective", ""), timezone.now()
        is_new, changes = said.pop("recalibrate", False), _changes(found, said)
        if is_new:
            changes = recalibrate.into(changes, found, at)
        policy = publish.draft(queue=found, changes=changes, by=person, why=why, objective=objective, at=at)
        return answer(_shown(policy), status=201)


class Step(Door):
    """A step of one policy's life. `act` is the right that it needs."""

    scopes = frozenset({"manage"})
    act: ClassVar[Act]

    def take(self, request: Request, queue: str, no: int, said: dict[str, Any], verb: Verb) -> HttpResponse:
        """Take the step with a policy in the state in which the caller saw it, if the caller may."""
        found, person = queue_named(request, queue), auth.of(request).user
        rights.require(person, self.act, queue_id=found.pk)
        policy = publish.numbered(found, no, said.pop("state", ""))
        return answer(_changed(verb(policy=policy, by=person, at=timezone.now(), **said)))


class Approve(Step):
    act = Act.APPROVE_POLICY

    @extend_schema(
        operation_id="approve_policy",
        summary="Let somebody else's draft be tried and go live",
        request=told.TakeStep,
        responses=told.PolicyChangeShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.take(request, queue, no, shapes.read(told.TakeStep, request), publish.approve)


class Withdraw(Step):
    act = Act.DRAFT_POLICY

    @extend_schema(
        operation_id="withdraw_policy",
        summary="Give up a policy that was never live",
        request=told.TakeStep,
        responses=told.PolicyChangeShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.take(request, queue, no, shapes.read(told.TakeStep, request), publish.withdraw)


class StartCanary(Step):
    act = Act.PUBLISH_POLICY

    @extend_schema(
        operation_id="start_canary",
        summary="Let an approved policy route a share of the traffic",
        request=told.StartCanary,
        responses=told.PolicyChangeShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.take(request, queue, no, shapes.read(told.StartCanary, request), publish.canary)


class StopCanary(Step):
    act = Act.ROLL_BACK_POLICY

    @extend_schema(
        operation_id="stop_canary",
        summary="Let the live policy route everything again",
        request=told.TakeStep,
        responses=told.PolicyChangeShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.take(request, queue, no, shapes.read(told.TakeStep, request), publish.stop)


class Publish(Step):
    act = Act.PUBLISH_POLICY

    @extend_schema(
        operation_id="publish_policy",
        summary="Let an approved policy, or the canary, route from now on",
        request=told.TakeStep,
        responses=told.PolicyChangeShape,
    )
    @once
    def post(self, request: Request, queue: str, no: int) -> HttpResponse:
        return self.take(request, queue, no, shapes.read(told.TakeStep, request), publish.publish)


class RollBack(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="roll_back_policy",
        summary="Let the policy that the live one replaced route again",
        request=told.RollBack,
        responses=told.PolicyChangeShape,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found, said = queue_named(request, queue), shapes.read(told.RollBack, request)
        person = auth.of(request).user
        rights.require(person, Act.ROLL_BACK_POLICY, queue_id=found.pk)
        to = publish.numbered(found, said["to"]) if "to" in said else None
        change = publish.roll_back(queue=found, to=to, by=person, why=said["why"], at=timezone.now())
        return answer(_changed(change))


class Canary(Door):
    scopes = frozenset({"read", "manage", "audit"})

    @extend_schema(
        operation_id="get_canary",
        summary="How the canary stands beside the live policy, as its guard sees it",
        responses=told.Canary,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_RECORD, queue_id=found.pk)
        trial = trials.running(found.pk)
        if trial is None:
            return answer({"canary": None})
        return answer(
            {
                "canary": {
                    "policy": trial.canary.no,
                    "live": trial.live.no,
                    "share": trial.canary.canary_share,
                    "since": trial.start.at,
                    "fresh_at": trial.fresh_at,
                    "checks": [_checked(check) for check in guard.judge(trial, timezone.now()).checks],
                }
            }
        )


def _changes(queue: Queue, said: dict[str, Any]) -> Any:
    """Return what was sent as changes of a policy; refuses a model that the queue does not know."""
    if "model_version" not in said:
        return said
    name = said.pop("model_version")
    model = ModelVersion.objects.filter(queue=queue, name=name).first() if name is not None else None
    if name is not None and model is None:
        raise Invalid(faults=[Fault("model_version", "reference", _("This queue has no such model."))])
    return {**said, "model": model}


def _shown(policy: Policy) -> dict[str, Any]:
    return {
        "no": policy.no,
        "state": policy.state,
        "model_version": policy.model.name if policy.model else None,
        **{name: getattr(policy, name) for name in told.TERMS},
        "author": str(policy.author) if policy.author else None,
        "steps": [
            {"kind": step.kind, "person": str(step.person) if step.person else None, "why": step.why, "at": step.at}
            for step in policy.changes.all()
        ],
    }


def _changed(change: PolicyChange) -> dict[str, Any]:
    live = Policy.objects.live().filter(queue=change.queue_id).values_list("no", flat=True).first()
    return {
        "policy": change.policy.no,
        "kind": change.kind,
        "state": change.policy.state,
        "live": live,
        "replaced": change.replaced.no if change.replaced else None,
        "why": change.why,
        "at": change.at,
    }


def _checked(check: Check) -> dict[str, Any]:
    return {
        "sign": check.sign,
        "verdict": check.verdict,
        "canary": _side(check.canary, check.limits),
        "live_policy": None if check.target is not None else _side(check.live, check.live_limits),
        **{name: getattr(check, name) for name in ("needed", "factor", "target", "wealth")},
    }


def _side(count: Count, limits: Limits) -> dict[str, Any]:
    return {"hits": count.hits, "of": count.of, "share": count.share, "low": limits[0], "high": limits[1]}
