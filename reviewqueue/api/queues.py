"""The queues one belongs to, and how they are doing."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.callers import Caller
from decisions.measure import floor, foretold
from decisions.models import Membership, Queue
from decisions.rights import Act
from reviewqueue.api import auth, forecast, shapes_status
from reviewqueue.api.door import Door, answer, queue_named


def mine(caller: Caller) -> list[tuple[Queue, str]]:
    """Return the queues that the token reaches and its person belongs to, each with their role there."""
    roles: dict[int | None, str] = dict(Membership.objects.of(caller.user).values_list("queue", "role"))
    found = Queue.objects.select_related("version").exclude(version=None).order_by("slug")
    if None not in roles:
        found = found.filter(pk__in=[queue for queue in roles if queue])
    if caller.queues:
        found = found.filter(pk__in=caller.queues)
    return [(queue, roles.get(queue.pk) or roles[None]) for queue in found]


class Mine(Door):
    scopes = frozenset({"intake", "review", "read", "manage", "audit"})

    @extend_schema(operation_id="list_queues", summary="The queues you belong to", responses=shapes_status.Queues)
    def get(self, request: Request) -> HttpResponse:
        return answer({"queues": [_shown(queue, role) for queue, role in mine(auth.of(request))]})


def _shown(queue: Queue, role: str) -> dict[str, object]:
    assert queue.version is not None
    spec = queue.spec
    return {
        "slug": queue.slug,
        "title": spec.title,
        "question": spec.question,
        "version": queue.version.no,
        "is_paused": queue.is_paused,
        "role": role,
    }


class Status(Door):
    scopes = frozenset({"read", "manage"})

    @extend_schema(operation_id="queue_status", summary="Backlog, queue rate, capacity", responses=shapes_status.Status)
    def get(self, request: Request, queue: str) -> HttpResponse:
        found = queue_named(request, queue)
        rights.require(auth.of(request).user, Act.READ_QUEUE, queue_id=found.pk)
        at = timezone.now()
        return answer({**floor.status(found.pk, at), "outlook": forecast.short(foretold.of(found, at))})
