"""By what the record can be narrowed down."""

from datetime import UTC, datetime

import django_filters as filters
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from decisions.models import Event, Ruling, Task


@extend_schema_field(OpenApiTypes.INT64)
class IdFilter(filters.NumberFilter):  # type: ignore[misc]  # the library has no types
    """The id of a row."""

    def __init__(self, column: str) -> None:
        super().__init__(column, min_value=1, max_value=10**18, decimal_places=0)


class MomentField(IsoDateTimeField):  # type: ignore[misc]  # the library has no types
    """A time in UTC: offsets that the database does not know are taken off, and refused where no year is left."""

    def clean(self, value: str) -> datetime | None:
        at: datetime | None = super().clean(value)
        try:
            return at and at.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(_("There is no such time."), code="invalid") from error


class MomentFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]  # the library has no types
    field_class = MomentField


class Span(FilterSet):  # type: ignore[misc]  # the library has no types
    """An item's rows, or those of a span of time, half open."""

    item = IdFilter("item_id")
    since = MomentFilter("at", "gte", help_text="At or after this time.")
    until = MomentFilter("at", "lt", help_text="Before this time.")


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
