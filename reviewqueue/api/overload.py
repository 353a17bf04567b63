"""What a queue does when it does not fit, and switching its rules by hand."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.models import Queue
from decisions.record import log
from decisions.rights import Act
from decisions.watch import overload
from decisions.watch.overload import State
from reviewqueue.api import auth, shapes, shapes_overload
from reviewqueue.api.door import Door, answer, once, queue_named


class Overload(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(
        operation_id="queue_overload",
        summary="Overload rules: what they do, since when and why",
        responses=shapes_overload.OverloadRules,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_QUEUE, queue_id=found.pk)
        return answer(_shown(found))


class Switch(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="switch_overload",
        summary="Switch an overload rule on, off, or back to the figures",
        description="Answers 409 where the live policy gives the rule no room.",
        request=shapes_overload.SwitchOverload,
        responses=shapes_overload.OverloadRules,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        said = shapes.read(shapes_overload.SwitchOverload, request)
        overload.switch(queue_id=found.pk, **said, by=auth.of(request).user, at=log.now())
        return answer(_shown(Queue.objects.get(pk=found.pk)))


def _shown(queue: Queue) -> dict[str, Any]:
    return {"order": list(queue.spec.overload.order), "rules": [_rule(state) for state in overload.states(queue)]}


def _rule(state: State) -> dict[str, Any]:
    return {
        "rule": state.rule,
        "level": state.level,
        "most": state.most,
        "mode": state.mode,
        "since": state.since,
        "person": state.person.pk if state.person else None,
        "why": state.why,
        "figures": state.figures,
    }
