"""The days that a call speaks of, by the queue's clock."""

from datetime import datetime

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from decisions.measure import dates
from decisions.measure.dates import Days
from decisions.models import Queue

USUAL = 28


def parameters(most: int) -> list[OpenApiParameter]:
    """Return what an address may say of the days, at most so many of them."""
    return [
        OpenApiParameter("from", OpenApiTypes.DATE, description=f"First day by the queue's clock; else {USUAL} days."),
        OpenApiParameter("to", OpenApiTypes.DATE, description=f"Last day, today at most; {most} days at most."),
    ]


def asked(request: Request, queue: Queue, at: datetime, *, most: int) -> Days:
    """Return the days that the address names, else the last 28; refuses days that make no sense."""
    query = request.query_params
    return dates.days(query.get("from"), query.get("to"), queue.spec.zone, at, usual=USUAL, most=most)
