"""Gold items: what people are measured by."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions.models import Gold, Item
from decisions.rights import Act
from decisions.work import gold
from reviewqueue.api import auth, shapes, shapes_quality
from reviewqueue.api.door import Door, answer, once, within
from reviewqueue.api.lists import OfQueue


@extend_schema_view(
    get=extend_schema(
        operation_id="list_gold",
        summary="What items are known to be",
        description="The items that are mixed in unseen, each with the answer that is right. For those who mark them.",
    ),
)
class GoldItems(OfQueue):
    scopes = frozenset({"review", "manage"})
    act = Act.MARK_GOLD
    serializer_class = shapes_quality.GoldShape
    queryset = Gold.objects.none()

    def rows(self) -> QuerySet[Gold]:
        return gold.marked(self.chain)

    def line(self, row: Gold) -> dict[str, Any]:
        return _shown(row)


class Mark(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="mark_gold",
        summary="Say what a decided item is known to be",
        description="From then on it is mixed in unseen, to see how often people err. Said anew, it replaces what was.",
        request=shapes_quality.MarkGold,
        responses={201: shapes_quality.GoldShape},
    )
    @once
    def post(self, request: Request, item: int) -> HttpResponse:
        asked = shapes.read(shapes_quality.MarkGold, request)
        within(request, Item.objects.all(), item)
        return answer(_shown(gold.mark(item_id=item, person=auth.of(request).user, **asked)), 201)


class RetireGold(Door):
    scopes = frozenset({"review", "manage"})

    @extend_schema(
        operation_id="retire_gold",
        summary="Give an item out as gold no longer",
        description="Answers to it go on counting, unless the reason is that what was said of it is wrong.",
        request=shapes_quality.RetireGold,
        responses={201: shapes_quality.GoldShape},
    )
    @once
    def post(self, request: Request, item: int) -> HttpResponse:
        asked = shapes.read(shapes_quality.RetireGold, request)
        within(request, Item.objects.all(), item)
        return answer(_shown(gold.retire(item_id=item, person=auth.of(request).user, **asked)), 201)


def _shown(row: Gold) -> dict[str, Any]:
    names = ("id", "no", "outcome", "truth", "reason", "at")
    return {
        **{name: getattr(row, name) for name in names},
        "item": row.item_id,
        "external_id": row.item.external_id,
        "person": row.person_id,
        "person_name": str(row.person) if row.person else None,
    }
