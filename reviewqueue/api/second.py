"""Overrides that wait for a second person: listed, confirmed, refused or withdrawn."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions.models import PendingOverride
from decisions.redact import Sight
from decisions.work import second
from reviewqueue.api import auth, shapes, shapes_record, shown
from reviewqueue.api.door import QUEUE, Door, answer, once, within
from reviewqueue.api.filters import MomentFilter
from reviewqueue.api.lists import Listing


class Filters(FilterSet):  # type: ignore[misc]  # the library has no types
    """By what overrides that wait or waited can be narrowed down."""

    state = django_filters.ChoiceFilter(choices=PendingOverride.State)
    item = django_filters.NumberFilter("item", min_value=1, max_value=2**63 - 1)
    since = MomentFilter("asked_at", "gte", help_text="Asked for at or after this time.")
    until = MomentFilter("asked_at", "lt", help_text="Asked for before this time.")


@extend_schema_view(
    get=extend_schema(
        operation_id="list_overrides", summary="Overrides that wait, or waited, for a second person", parameters=[QUEUE]
    ),
)
class Overrides(Listing):
    serializer_class = shapes_record.PendingOverrideShape
    filterset_class = Filters
    queryset = PendingOverride.objects.none()

    def key(self) -> tuple[str, ...]:
        return ("id",)

    def rows(self) -> QuerySet[PendingOverride]:
        return PendingOverride.objects.filter(queue=self.chain).select_related("item", "person", "closer")

    def shown(self, row: PendingOverride, sight: Sight) -> dict[str, Any] | None:
        return shown.pending(row, sight, user=auth.of(self.request).user)


class Confirm(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="confirm_override",
        summary="Let somebody else's override hold",
        request=shapes_record.ConfirmOverride,
        responses={201: shapes_record.Overridden},
    )
    @once
    def post(self, request: Request, pending: int) -> HttpResponse:
        said = shapes.read(shapes_record.ConfirmOverride, request)
        within(request, PendingOverride.objects.all(), pending)
        made = second.confirm(pending_id=pending, person=auth.of(request).user, why=said["why"])
        return answer({"ruling": shown.own_ruling(made)}, 201)


class TurnDown(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="turn_down_override",
        summary="Refuse somebody else's override, or withdraw one's own",
        request=shapes_record.TurnDownOverride,
        responses=shapes_record.OverrideWaits,
    )
    @once
    def post(self, request: Request, pending: int) -> HttpResponse:
        said = shapes.read(shapes_record.TurnDownOverride, request)
        within(request, PendingOverride.objects.all(), pending)
        ended = second.turn_down(pending_id=pending, person=auth.of(request).user, why=said["why"])
        return answer({"pending": shown.own_pending(ended)})
