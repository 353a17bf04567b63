"""What training gets: labels, as a stream that can be taken up again without gaps."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Forbidden
from decisions.learning import labels
from decisions.models import Label
from decisions.rights import Act
from reviewqueue.api import auth, formats, keyset
from reviewqueue.api.door import Door, queue_asked
from reviewqueue.api.queues import mine

AFTER = OpenApiParameter("after", OpenApiTypes.INT64, description="The `no` of the last label you have; 0 for all.")
QUEUE = OpenApiParameter("queue", str, description="The queue's slug; left out: every queue whose labels you may have.")
SAME = ("no", "item", "ruling", "value", "outcome", "propensity", "provenance", "ruled_at", "at")
COLUMNS = {
    **{name: name for name in SAME},
    "queue": "queue__slug",
    "external_id": "item__external_id",
    "replaces": "replaces__no",
}


class LabelLine(serializers.ModelSerializer[Label]):
    """One line of the stream."""

    queue = serializers.SlugField(source="queue.slug")
    external_id = serializers.CharField(source="item.external_id")
    replaces = serializers.IntegerField(source="replaces.no", allow_null=True, help_text="The `no` of another label.")

    class Meta:
        model = Label
        fields = tuple(COLUMNS)


class Labels(Door):
    scopes = frozenset({"read", "audit"})
    refusals = ("400", "404")

    @extend_schema(
        operation_id="stream_labels",
        summary="What training gets, numbered without gaps",
        description="One JSON object a line, oldest first. Ask again with the last `no` to go on.",
        parameters=[QUEUE, AFTER],
        responses={(200, formats.NDJSON): OpenApiResponse(LabelLine, "One such object a line.")},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        queues = _queues(request)
        after = keyset.number(request.query_params, "after", 0)
        return formats.stream(labels.after(after, queues, COLUMNS))


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
