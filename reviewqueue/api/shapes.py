"""What goes in and out, as the schema shows it; what comes in is read with the same shapes."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from decisions.intake.parse import LENGTHS
from decisions.models import Item, Membership

MOST_CLAIMED = 50
BIGGEST = 2**31 - 1


class Shape(serializers.Serializer[Any]):
    """A JSON object. In what comes in, a name that nobody knows is refused rather than passed over."""

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        if unknown := data.keys() - self.fields.keys():
            raise serializers.ValidationError({name: _("This is not known here.") for name in sorted(unknown)})
        return given


def read(shape: type[Shape], request: Request) -> dict[str, Any]:
    """Return what was sent, in this shape; refuses what does not fit it."""
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class Fault(Shape):
    field = serializers.CharField(help_text="Where: a path; empty for the whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Shape):
    """Why a call was refused (RFC 9457, application/problem+json)."""

    type = serializers.CharField(help_text="urn:reviewqueue:problem:CODE")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="In words, for a person.")
    code = serializers.CharField(help_text="For a program; docs/api.md lists them.")
    errors = Fault(many=True)  # type: ignore[assignment]  # a field, as below
    right = serializers.CharField(required=False, help_text="With 403: the right that is missing.")


class NewItem(Shape):
    """One thing to be decided. All that is not named here belongs into `payload`."""

    external_id = serializers.CharField(max_length=LENGTHS["external_id"], help_text="Your name for it.")
    payload = serializers.DictField(help_text="The fields of the queue; at most 256 kB and 20 levels deep.")
    score = serializers.FloatField(required=False, allow_null=True, help_text="In the units of the model.")
    model = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["model"])
    source = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["source"])  # type: ignore[assignment]
    subject = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["subject"])
    segment = serializers.CharField(required=False, allow_null=True, max_length=LENGTHS["segment"])
    value = serializers.FloatField(required=False, allow_null=True, help_text="What is at stake.")
    occurred_at = serializers.DateTimeField(required=False, allow_null=True)


class RoutedItem(Shape):
    """How the machine routed an item."""

    id = serializers.IntegerField()
    external_id = serializers.CharField()
    route = serializers.ChoiceField(Item.Route.choices)
    band = serializers.ChoiceField(Item.Band.choices)
    reason = serializers.ChoiceField(Item.RouteReason.choices)
    score = serializers.FloatField(allow_null=True)
    policy_version = serializers.IntegerField()
    model_version = serializers.CharField(allow_null=True)
    propensity = serializers.FloatField(allow_null=True, help_text="The probability that a person sees it.")
    duplicate = serializers.BooleanField()


class BadLine(Shape):
    line = serializers.IntegerField()
    external_id = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


RouteCounts = inline_serializer("RouteCounts", {route.value: serializers.IntegerField() for route in Item.Route})


class QueueShape(Shape):
    """A queue that the caller belongs to."""

    slug = serializers.CharField()
    title = serializers.CharField()
    question = serializers.CharField()
    version = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    role = serializers.ChoiceField(Membership.Role.choices)


class Queues(Shape):
    queues = QueueShape(many=True)


class Batch(Shape):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    routes = RouteCounts
    results = RoutedItem(many=True, required=False, help_text="Left out with `?results=none`.")
    errors = BadLine(many=True)  # type: ignore[assignment]


def _number(help_text: str = "", *, can_be_unknown: bool = False) -> serializers.FloatField:
    return serializers.FloatField(allow_null=can_be_unknown, help_text=help_text)


class Backlog(Shape):
    total = _number()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="When this was counted.")
    by_purpose = serializers.DictField(child=_number())
    by_state = serializers.DictField(child=_number())
    by_age = serializers.DictField(child=serializers.DictField(child=_number()), help_text="Age band, then purpose.")
    overdue = _number()


class QueueRate(Shape):
    per_hour = _number("Items an hour that go to people.")
    share = _number("Of all items.", can_be_unknown=True)
    interval = serializers.ListField(child=_number(), allow_null=True, help_text="Of the share, 95 %.")
    items = serializers.IntegerField()
    of = serializers.IntegerField()


class Overrides(Shape):
    count = serializers.IntegerField()
    of = serializers.IntegerField()


class Capacity(Shape):
    per_hour = _number("Decisions in the next hour.")
    next_24_hours = _number()
    people = serializers.IntegerField(help_text="At work now.")
    pace = _number("Decisions per person and hour, as measured.", can_be_unknown=True)
    source = serializers.ChoiceField(["shifts", "seen"])  # type: ignore[assignment]


class Status(Shape):
    """The figures of a queue; rates are per hour, times in seconds, null is unknown."""

    at = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True)
    window_hours = _number()
    backlog = Backlog()
    arrivals_per_hour = serializers.DictField(child=_number(), help_text="By route.")
    queue_rate = QueueRate()
    decisions_per_hour = _number()
    overrides = Overrides()
    handling_seconds = _number(can_be_unknown=True)
    capacity = Capacity()
    utilisation = _number("Above 1 the backlog grows.", can_be_unknown=True)
    time_to_empty = _number(can_be_unknown=True)
    mean_age = _number(can_be_unknown=True)
