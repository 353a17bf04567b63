"""The backlog law hour by hour."""

from dataclasses import asdict

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from decisions import rights
from decisions.exceptions import Fault, Invalid
from decisions.measure import hourly
from decisions.models import Task
from decisions.record import log
from decisions.rights import Act
from reviewqueue.api import auth, shapes_forecast
from reviewqueue.api.door import Door, answer, queue_named

DIGITS = 4


class Hours(Door):
    scopes = frozenset({"read", "manage"})
    refusals = ("400",)

    @extend_schema(
        operation_id="hours",
        summary="Arrivals, decisions, backlog, capacity, ages and handling times by hour",
        parameters=[
            OpenApiParameter("purpose", str, enum=Task.Purpose.values, description="Tasks of this purpose only."),
            OpenApiParameter("count", int, description=f"Of hours, up to {hourly.MOST}; 24 unless said otherwise."),
        ],
        responses=shapes_forecast.HoursShape,
    )
    def get(self, request: Request, queue: str) -> HttpResponse:
        found, at = queue_named(request, queue), log.now()
        rights.require(auth.of(request).user, Act.READ_QUEUE, queue_id=found.pk)
        query = request.query_params
        lines = hourly.table(found.pk, at, purpose=query.get("purpose", ""), count=number(query.get("count") or "24"))
        return answer({"timezone": found.spec.timezone, "hours": [asdict(line) for line in lines]})


def number(text: str) -> int:
    """Return a whole number; refuses what is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise Invalid(faults=[Fault("count", "type", _("This must be a whole number."))])
    return int(text)
