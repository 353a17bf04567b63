"""What training gets: labels, as a stream that can be taken up again without gaps."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiRequest,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound, TooBig
from decisions.intake.parse import Bad
from decisions.learning import feed
from decisions.learning.feed import Form, Wanted
from decisions.queues import live
from decisions.queues.live import Live
from decisions.rights import Act
from decisions.work import outside, said
from decisions.work.outside import Told
from decisions.work.said import Said
from reviewqueue.api import auth, formats, shapes, shapes_labels
from reviewqueue.api.door import Door, answer, once, queue_asked
from reviewqueue.api.queues import mine


class Labels(Door):
    scopes = frozenset({"read", "audit"})
    changing = frozenset({"intake", "manage"})
    refusals = ("400", "404")

    @extend_schema(
        operation_id="stream_labels",
        summary="What training gets, numbered without gaps",
        description=(
            "Oldest first: one JSON object a line, or a CSV or Parquet file. Ask again with the last `no` to go on; a "
            "label is known again by its `no`."
        ),
        parameters=[shapes_labels.LabelsAsked],
        responses={
            (200, formats.NDJSON): OpenApiResponse(shapes_labels.LabelLine, "One such object a line."),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "The same, a column each."),
            (200, Form.PARQUET.media_type): OpenApiResponse(OpenApiTypes.BINARY, "The same, a column each."),
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        asked = shapes.asked(shapes_labels.LabelsAsked, request)
        queues, after, form = _queues(request), asked.pop("after"), Form(asked.pop("format"))
        asked.pop("queue", None)
        pieces = feed.after(after, queues, Wanted(**asked))
        return StreamingHttpResponse(feed.written(form, pieces), content_type=form.media_type)

    @extend_schema(
        operation_id="tell_truth",
        summary="Say what turned out to be true, or what an end user says",
        description=(
            "As JSON one, as NDJSON one a line, up to 10,000. A truth makes a ruling; an end user's answer is weak "
            "evidence and rules nothing. The same again is a duplicate; another outcome of the same source and time is "
            "a new ruling."
        ),
        request={
            formats.JSON: OpenApiRequest(shapes_labels.TellTruth),
            formats.NDJSON: OpenApiRequest(shapes_labels.TellTruth),
        },
        responses={
            201: shapes_labels.ToldShape,
            (200, formats.JSON): PolymorphicProxySerializer(
                "ToldOneOrMany", [shapes_labels.ToldShape, shapes_labels.ToldBatch], resource_type_field_name=None
            ),
        },
    )
    @once
    def post(self, request: Request) -> HttpResponse:
        body = formats.body(request, formats.JSON, formats.NDJSON)
        is_many = formats.media_type(request) == formats.NDJSON
        if not is_many and len(body) > formats.MOST_BYTES:
            raise TooBig
        lines = said.many(body) if is_many else [said.line(1, body)]
        told = outside.tell(queues=_named(request, lines), lines=lines, by=auth.of(request).user)
        return _of_batch(told) if is_many else _of_one(told)


def _named(request: Request, lines: list[Said | Bad]) -> dict[str, Live]:
    """Return the queues that lines name, as far as they are there for the caller; refuses one without the right."""
    caller, found = auth.of(request), {}
    for slug in sorted({line.queue for line in lines if isinstance(line, Said)}):
        try:
            queue = live.of(slug)
            caller.require(queue.queue_id)
            caller.demand(Act.TELL_TRUTH, queue.queue_id)
        except (NotFound, Conflict):
            continue
        found[slug] = queue
    return found


def _of_one(told: Told) -> HttpResponse:
    for bad in told.bad:
        if bad.faults[0].field == "queue" and bad.code == "unknown":
            raise NotFound
        raise Invalid(faults=bad.faults)
    (result,) = told.results
    return answer(result, 200 if result["duplicate"] else 201)


def _of_batch(told: Told) -> HttpResponse:
    shown: dict[str, Any] = {
        "accepted": told.accepted,
        "duplicates": len(told.results) - told.accepted,
        "rejected": len(told.bad),
        "results": told.results,
        "errors": [
            {"line": bad.line, "external_id": bad.external_id, "code": bad.code, "detail": bad.detail}
            for bad in told.bad
        ],
    }
    return answer(shown)


def _queues(request: Request) -> list[int]:
    """Return the queue that is asked for, or all whose labels the caller may have."""
    caller = auth.of(request)
    if "queue" in request.query_params:
        queue = queue_asked(request)
        rights.require(caller.user, Act.FEED_LABELS, queue_id=queue.pk)
        return [queue.pk]
    stands = ((queue.pk, rights.standing(caller.user, queue.pk)) for queue, _role in mine(caller))
    found = [pk for pk, standing in stands if standing and rights.may(standing, Act.FEED_LABELS)]
    if not found:
        raise Forbidden(right=Act.FEED_LABELS.value)
    return found
