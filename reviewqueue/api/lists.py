"""The record to browse: decisions, rulings and events, in pages."""

from typing import Any, ClassVar

import django_filters as filters
import orjson
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from decisions import rights
from decisions.models import Decision, Event, Ruling, Task, User
from decisions.rights import Act
from reviewqueue.api import auth
from reviewqueue.api.door import QUEUE, Door, queue_asked, queue_named
from reviewqueue.api.keyset import Keyset

CHAIN = OpenApiParameter("queue", str, description="The queue's slug; left out: the record of the site as a whole.")


class Person(serializers.Serializer[User]):
    """Who it was, under the name that is shown now."""

    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")


class DecisionShape(serializers.ModelSerializer[Decision]):
    external_id = serializers.CharField(source="item.external_id")
    person = Person()
    queue_version = serializers.IntegerField(source="queue_version.no")

    class Meta:
        model = Decision
        fields = (
            "id",
            "item",
            "external_id",
            "task",
            "round",
            "purpose",
            "person",
            "outcome",
            "reason",
            "note",
            "suggested",
            "was_shown",
            "active_seconds",
            "queue_version",
            "claimed_at",
            "at",
        )


class RulingShape(serializers.ModelSerializer[Ruling]):
    external_id = serializers.CharField(source="item.external_id")
    person = Person(allow_null=True)
    policy_version = serializers.IntegerField(source="item.policy.no")
    model_version = serializers.CharField(source="item.model.name", allow_null=True, default=None)

    class Meta:
        model = Ruling
        fields = (
            "id",
            "item",
            "external_id",
            "no",
            "outcome",
            "truth",
            "source",
            "decision",
            "person",
            "replaces",
            "was",
            "is_override",
            "is_reversal",
            "reason",
            "note",
            "policy_version",
            "model_version",
            "at",
            "final_at",
        )


class EventShape(serializers.ModelSerializer[Event]):
    actor = Person(allow_null=True)
    entry = serializers.SerializerMethodField()
    hash = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = ("id", "chain", "seq", "kind", "actor", "item", "reason", "entry", "version", "hash", "at")

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_entry(self, event: Event) -> Any:
        return orjson.loads(event.entry)

    @extend_schema_field({"type": "string", "pattern": "^[0-9a-f]{64}$"})
    def get_hash(self, event: Event) -> str:
        return bytes(event.hash).hex()


class Span(FilterSet):  # type: ignore[misc]  # the library has no types
    """Rows of a span of time, half open."""

    since = filters.IsoDateTimeFilter("at", "gte", help_text="At or after this time.")
    until = filters.IsoDateTimeFilter("at", "lt", help_text="Before this time.")
    item = filters.NumberFilter("item_id", min_value=1, max_value=10**18)


class DecisionFilter(Span):
    person = filters.NumberFilter("person_id", min_value=1, max_value=10**18)
    outcome = filters.CharFilter()
    reason = filters.CharFilter()
    purpose = filters.ChoiceFilter(choices=Task.Purpose)


class RulingFilter(Span):
    person = filters.NumberFilter("person_id", min_value=1, max_value=10**18)
    outcome = filters.CharFilter()
    reason = filters.CharFilter()
    source = filters.ChoiceFilter(choices=Ruling.Source)
    is_override = filters.BooleanFilter()
    is_reversal = filters.BooleanFilter()


class EventFilter(Span):
    actor = filters.NumberFilter("actor_id", min_value=1, max_value=10**18)
    kind = filters.ChoiceFilter(choices=Event.Kind)


class Listing(Door, ListAPIView[Any]):
    """One queue's rows of a kind: all of them, or for who may only see their own, those."""

    scopes = frozenset({"read", "audit"})
    filter_backends = [DjangoFilterBackend]
    pagination_class = Keyset
    whose: ClassVar[str] = "person"

    @cached_property
    def chain(self) -> int:
        """The queue that is asked for; 0 for the site as a whole."""
        return queue_asked(self.request).pk

    def key(self) -> tuple[str, ...]:
        """Return the columns that order the rows, the last of them unique among them."""
        return "at", "id"

    def everything(self) -> QuerySet[Any]:
        """Return the rows of the queue that this person may see."""
        user = auth.of(self.request).user
        case = rights.Case(own=True)
        stands = rights.require(user, Act.READ_RECORD, queue_id=self.chain or None, case=case)
        rows = self.rows()
        return rows if rights.may(stands, Act.READ_RECORD) else rows.filter(**{self.whose: user})

    def rows(self) -> QuerySet[Any]:
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        return self.everything()


@extend_schema_view(
    get=extend_schema(operation_id="list_decisions", summary="What people answered", parameters=[QUEUE])
)
class Decisions(Listing):
    serializer_class = DecisionShape
    filterset_class = DecisionFilter
    queryset = Decision.objects.none()

    def rows(self) -> QuerySet[Decision]:
        return Decision.objects.filter(queue=self.chain).select_related("item", "person", "queue_version")


@extend_schema_view(
    get=extend_schema(operation_id="list_rulings", summary="What held and holds for items", parameters=[QUEUE])
)
class Rulings(Listing):
    serializer_class = RulingShape
    filterset_class = RulingFilter
    queryset = Ruling.objects.none()

    def rows(self) -> QuerySet[Ruling]:
        return Ruling.objects.filter(queue=self.chain).select_related("item__policy", "item__model", "person")


@extend_schema_view(
    get=extend_schema(operation_id="list_events", summary="The record, hash-chained", parameters=[CHAIN])
)
class Events(Listing):
    serializer_class = EventShape
    filterset_class = EventFilter
    queryset = Event.objects.none()
    whose = "actor"

    def key(self) -> tuple[str, ...]:
        return ("seq",)

    @cached_property
    def chain(self) -> int:
        slug = self.request.query_params.get("queue")
        if slug:
            return queue_named(self.request, slug).pk
        auth.of(self.request).require(None)
        return Event.SITE

    def rows(self) -> QuerySet[Event]:
        return Event.objects.filter(chain=self.chain).select_related("actor")
