"""Frames of passes: what audits were drawn from, and drawing before the day is over."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions.models import Frame
from decisions.record import log
from decisions.routing import frames
from reviewqueue.api import auth, shapes, shapes_frames
from reviewqueue.api.door import Door, answer, once, queue_named
from reviewqueue.api.lists import OfQueue

COLUMNS = ("starts_at", "ends_at", "budget", "passes", "drawn", "tau", "mean_p", "beta", "strata", "why", "at")


@extend_schema_view(
    get=extend_schema(
        operation_id="list_frames",
        summary="What audits were drawn from",
        description="The frames of what was passed, each with its audit budget, its threshold and what was drawn.",
    ),
)
class Frames(OfQueue):
    serializer_class = shapes_frames.FrameShape
    queryset = Frame.objects.none()

    def key(self) -> tuple[str, ...]:
        return "starts_at", "id"

    def rows(self) -> QuerySet[Frame]:
        return Frame.objects.filter(queue=self.chain).select_related("person")

    def line(self, row: Frame) -> dict[str, Any]:
        return _shown(row)


class Close(Door):
    scopes = frozenset({"manage"})

    @extend_schema(
        operation_id="close_frame",
        summary="Draw audits now, from what was passed since the last frame",
        description="Its budget is the share of the day's that has gone by. Days that are over get frames first.",
        request=shapes_frames.CloseFrame,
        responses={201: shapes_frames.FrameShape},
    )
    @once
    def post(self, request: Request, queue: str) -> HttpResponse:
        why = shapes.read(shapes_frames.CloseFrame, request)["why"]
        person = auth.of(request).user
        closed = frames.close(queue_named(request, queue).pk, log.now(), person=person, why=why)
        return answer(_shown(closed), 201)


def _shown(row: Frame) -> dict[str, Any]:
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in COLUMNS},
        "person": row.person_id,
        "person_name": str(row.person) if row.person else None,
    }
