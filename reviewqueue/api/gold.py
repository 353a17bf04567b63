"""Gold items: what people are measured by."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from decisions import rights
from decisions.models import Gold, Item
from decisions.rights import Act, Standing
from decisions.work import gold
from reviewqueue.api import auth, shapes, shapes_quality
from reviewqueue.api.door import Door, answer, once, queue_named, within
from reviewqueue.api.lists import Listing


@extend_schema_view(
    get=extend_schema(
        operation_id="list_gold",
        summary="What items are known to be",
        description="The items that are mixed in unseen, each with the answer that is right. For those who mark them.",
    ),
)
class GoldItems(Listing):
    scopes = frozenset({"review", "manage"})
    refusals = ("400", "404")
    filter_backends = []
    serializer_class = shapes_quality.GoldShape
    queryset = Gold.objects.none()

    @cached_property
    def chain(self) -> int:
        return queue_named(self.request, self.kwargs["queue"]).pk

    @cached_property
    def standing(self) -> Standing:
        return rights.require(auth.of(self.request).user, Act.MARK_GOLD, queue_id=self.chain)

    def everything(self) -> QuerySet[Gold]:
        return self.rows() if self.standing else Gold.objects.none()

    def rows(self) -> QuerySet[Gold]:
        return gold.marked(self.chain)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - the framework's signature
        rows = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([_shown(row) for row in rows])


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
