"""Items come in, one or many at a time."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework.request import Request

from decisions.exceptions import Fault, Invalid
from decisions.intake import parse, submit
from decisions.intake.submit import Batch
from decisions.queues.live import Live
from decisions.rights import Act
from reviewqueue.api import auth, examples, formats, shapes_items
from reviewqueue.api.door import Door, answer, once

RESULTS = OpenApiParameter("results", enum=["all", "none"], default="all", description="Whether to list each item.")


def open_to(request: Request, slug: str) -> Live:
    """Return the queue as it is in force, where this token's person may bring items in."""
    queue = auth.of(request).queue(slug)
    auth.of(request).demand(Act.INTAKE, queue.queue_id)
    return queue


class One(Door):
    scopes = frozenset({"intake"})

    @extend_schema(
        operation_id="submit_item",
        summary="Bring one item in",
        description="The same item again is answered with 200 and `duplicate: true`, and nothing happens.",
        request=shapes_items.NewItem,
        responses={201: shapes_items.RoutedItem, 200: shapes_items.RoutedItem},
        examples=examples.SUBMIT,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found = open_to(request, queue)
        row = parse.one(formats.body(request, formats.JSON))
        result = submit.one(queue=found, row=row, sender=auth.of(request).user, at=timezone.now())
        return answer(result, 200 if result["duplicate"] else 201)


class Many(Door):
    scopes = frozenset({"intake"})

    @extend_schema(
        operation_id="submit_batch",
        summary="Bring many items in",
        description="One item a line, up to 10,000 lines and 20 MB unpacked. Wrong lines do not hold up the rest.",
        parameters=[RESULTS],
        request={formats.NDJSON: OpenApiRequest(shapes_items.NewItem, examples=examples.BATCH_LINES)},
        responses=shapes_items.Batch,
        examples=examples.BATCH,
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        found, with_results = open_to(request, queue), _wants_results(request)
        lines = parse.many(formats.body(request, formats.NDJSON))
        batch = submit.many(
            queue=found,
            lines=lines,
            sender=auth.of(request).user,
            at=timezone.now(),
            with_results=with_results,
        )
        return answer(_shown(batch, with_results=with_results))


def _wants_results(request: Request) -> bool:
    wanted = request.query_params.get("results", "all")
    if wanted not in ("all", "none"):
        raise Invalid(faults=[Fault("results", "choice", _("Results are all or none."))])
    return bool(wanted == "all")


def _shown(batch: Batch, *, with_results: bool) -> dict[str, Any]:
    return {
        "accepted": batch.accepted,
        "duplicates": batch.duplicates,
        "rejected": batch.rejected,
        "routes": batch.routes,
        **({"results": batch.results} if with_results else {}),
        "errors": batch.errors,
    }
