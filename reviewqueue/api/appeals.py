"""Appeals: filed from outside, and listed."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions.models import Appeal, Item
from decisions.redact import Sight
from decisions.work import appeals
from reviewqueue.api import auth, shapes, shapes_record, shown
from reviewqueue.api.door import QUEUE, Door, answer, once, within
from reviewqueue.api.filters import MomentFilter
from reviewqueue.api.lists import Listing

ALL = Sight(machine=True, history=True, personal=True)  # of what the caller wrote


class Filters(FilterSet):  # type: ignore[misc]  # the library has no types
    """By what appeals can be narrowed down."""

    state = django_filters.ChoiceFilter(choices=Appeal.State)
    item = django_filters.NumberFilter("item", min_value=1, max_value=2**63 - 1)
    reference = django_filters.CharFilter("reference", max_length=200)
    since = MomentFilter("filed_at", "gte", help_text="Filed at or after this time.")
    until = MomentFilter("filed_at", "lt", help_text="Filed before this time.")
    due = MomentFilter("due_at", "lt", help_text="Due before this time.")


@extend_schema_view(
    get=extend_schema(operation_id="list_appeals", summary="Appeals and how they ended", parameters=[QUEUE])
)
class Appeals(Listing):
    serializer_class = shapes_record.AppealShape
    filterset_class = Filters
    queryset = Appeal.objects.none()
    whose = "filed_by"

    def key(self) -> tuple[str, ...]:
        return ("id",)

    def rows(self) -> QuerySet[Appeal]:
        return Appeal.objects.filter(queue=self.chain).select_related("item", "decision")

    def shown(self, row: Appeal, sight: Sight) -> dict[str, Any] | None:
        return shown.appeal(row, sight)


class File(Door):
    scopes = frozenset({"intake", "manage"})

    @extend_schema(
        operation_id="file_appeal",
        summary="Ask for another look at what holds for an item",
        description="Somebody without a hand in the item judges it; how it ended is called back by webhook.",
        request=shapes_record.FileAppeal,
        responses={201: shapes_record.AppealShape, 200: shapes_record.AppealShape},
    )
    @once
    def post(self, request: Request, item: int) -> HttpResponse:
        said = shapes.read(shapes_record.FileAppeal, request)
        within(request, Item.objects.all(), item)
        filed, is_new = appeals.file(item_id=item, by=auth.of(request).user, **said)
        return answer(shown.appeal(filed, ALL), 201 if is_new else 200)
