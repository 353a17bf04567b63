"""By what the record can be narrowed down."""

import django_filters as filters
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from decisions.models import Event, Ruling, Task


@extend_schema_field(OpenApiTypes.INT64)
class IdFilter(filters.NumberFilter):  # type: ignore[misc]  # the library has no types
    """The id of a row."""

    def __init__(self, column: str) -> None:
        super().__init__(column, min_value=1, max_value=10**18, decimal_places=0)


class Span(FilterSet):  # type: ignore[misc]  # the library has no types
    """An item's rows, or those of a span of time, half open."""

    item = IdFilter("item_id")
    since = filters.IsoDateTimeFilter("at", "gte", help_text="At or after this time.")
    until = filters.IsoDateTimeFilter("at", "lt", help_text="Before this time.")


class Decisions(Span):
    person = IdFilter("person_id")
    outcome = filters.CharFilter()
    reason = filters.CharFilter()
    purpose = filters.ChoiceFilter(choices=Task.Purpose)


class Rulings(Span):
    person = IdFilter("person_id")
    outcome = filters.CharFilter()
    reason = filters.CharFilter()
    source = filters.ChoiceFilter(choices=Ruling.Source)
    is_override = filters.BooleanFilter()
    is_reversal = filters.BooleanFilter()


class Events(Span):
    actor = IdFilter("actor_id")
    kind = filters.ChoiceFilter(choices=Event.Kind)
