"""The record to browse: decisions, rulings and events, in pages."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.functional import cached_property
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from decisions import redact, rights
from decisions.models import Decision, Event, Queue, Ruling, Task
from decisions.redact import Sight
from decisions.rights import Act, Standing
from reviewqueue.api import auth, filters, shapes_record, shown
from reviewqueue.api.door import QUEUE, Door, queue_asked, queue_named
from reviewqueue.api.keyset import Keyset

ALL = Sight(machine=True, history=True, personal=True)  # of what is about no item
OWN = rights.Case(own=True)
CHAIN = OpenApiParameter("queue", str, description="The queue's slug; left out: the record of the site as a whole.")


class Listing(Door, ListAPIView[Any]):
    """One queue's rows of a kind: all of them, or for who may only see their own, those."""

    scopes = frozenset({"read", "audit"})
    refusals = ("400", "404")
    filter_backends = [DjangoFilterBackend]
    pagination_class = Keyset
    whose: ClassVar[str] = "person"

    @cached_property
    def chain(self) -> int:
        """The queue that is asked for; 0 for the site as a whole."""
        return queue_asked(self.request).pk

    @cached_property
    def standing(self) -> Standing:
        """Where the caller stands there; refuses who may not even read their own."""
        return rights.require(auth.of(self.request).user, Act.READ_RECORD, queue_id=self.chain or None, case=OWN)

    def key(self) -> tuple[str, ...]:
        """Return the columns that order the rows, the last of them unique among them."""
        return "at", "id"

    def rows(self) -> QuerySet[Any]:
        """Return all rows there are."""
        raise NotImplementedError

    def shown(self, row: Any, sight: Sight) -> dict[str, Any] | None:
        """Return a row as the caller may see it, None for not at all."""
        raise NotImplementedError

    def everything(self) -> QuerySet[Any]:
        """Return the rows that may be on this caller's pages, whatever the filters."""
        if rights.may(self.standing, Act.READ_RECORD):
            return self.rows()
        return self.rows().filter(**{self.whose: auth.of(self.request).user})

    def get_queryset(self) -> QuerySet[Any]:
        return self.everything()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        sights = self._sights({row.item_id for row in rows if row.item_id})
        seen = (self.shown(row, sights.get(row.item_id, ALL)) for row in rows)
        return self.get_paginated_response([row for row in seen if row is not None])

    def _sights(self, items: set[int]) -> dict[int, Sight]:
        """Return what the caller may see of the items on the page."""
        if not items:
            return {}
        spec = Queue.objects.select_related("version").get(pk=self.chain).spec
        return redact.for_many(items, standing=self.standing, user=auth.of(self.request).user, spec=spec)


class OfQueue(Listing):
    """A queue's rows of a kind that are about no item: all of them, for who has the right to see any."""

    scopes = frozenset({"read", "manage", "audit"})
    filter_backends = []
    act: ClassVar[Act] = Act.READ_RECORD

    @cached_property
    def chain(self) -> int:
        """The queue in the address."""
        return queue_named(self.request, self.kwargs["queue"]).pk

    @cached_property
    def standing(self) -> Standing:
        return rights.require(auth.of(self.request).user, self.act, queue_id=self.chain)

    def everything(self) -> QuerySet[Any]:
        return self.rows() if self.standing else self.rows().none()

    def line(self, row: Any) -> dict[str, Any]:
        """Return a row as the caller sees it."""
        raise NotImplementedError

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - the framework's signature
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([self.line(row) for row in rows])


@extend_schema_view(
    get=extend_schema(operation_id="list_decisions", summary="What people answered", parameters=[QUEUE]),
)
class Decisions(Listing):
    serializer_class = shapes_record.DecisionShape
    filterset_class = filters.Decisions
    queryset = Decision.objects.none()

    def everything(self) -> QuerySet[Decision]:
        """Return the rows, none where the filter would tell which of them were to gold items."""
        tells = self.request.query_params.get("purpose") == Task.Purpose.GOLD
        sees = rights.may(self.standing, Act.SEE_ACCURACY) or rights.limit(self.standing, Act.CLAIM) is None
        return Decision.objects.none() if tells and not sees else super().everything()

    def rows(self) -> QuerySet[Decision]:
        return Decision.objects.filter(queue=self.chain).select_related("item", "person")

    def shown(self, row: Decision, sight: Sight) -> dict[str, Any] | None:
        seen = redact.decision(row, sight, user=auth.of(self.request).user)
        return seen and {**seen, "external_id": row.item.external_id, "person_name": str(row.person)}


@extend_schema_view(
    get=extend_schema(operation_id="list_rulings", summary="What held and holds for items", parameters=[QUEUE]),
)
class Rulings(Listing):
    serializer_class = shapes_record.RulingShape
    filterset_class = filters.Rulings
    queryset = Ruling.objects.none()

    def rows(self) -> QuerySet[Ruling]:
        return Ruling.objects.filter(queue=self.chain).select_related("item__policy", "item__model", "person")

    def shown(self, row: Ruling, sight: Sight) -> dict[str, Any] | None:
        return shown.ruling(row, sight, user=auth.of(self.request).user)


@extend_schema_view(
    get=extend_schema(operation_id="list_events", summary="The record, hash-chained", parameters=[CHAIN]),
)
class Events(Listing):
    serializer_class = shapes_record.EventShape
    filterset_class = filters.Events
    queryset = Event.objects.none()
    whose = "actor"

    @cached_property
    def chain(self) -> int:
        slug = self.request.query_params.get("queue")
        if slug:
            return queue_named(self.request, slug).pk
        auth.of(self.request).require(None)
        return Event.SITE

    def key(self) -> tuple[str, ...]:
        return ("seq",)

    def rows(self) -> QuerySet[Event]:
        return Event.objects.filter(chain=self.chain).select_related("actor")

    def shown(self, row: Event, sight: Sight) -> dict[str, Any]:
        return {
            **{name: getattr(row, name) for name in ("id", "chain", "seq", "kind", "reason", "version", "at")},
            "actor": row.actor_id,
            "actor_name": str(row.actor) if row.actor else None,
            "item": row.item_id,
            "entry": redact.entry(row, sight),
            "hash": bytes(row.hash).hex(),
        }
