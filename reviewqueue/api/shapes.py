"""What goes in and out, as the schema shows it; what comes in is read with the same shapes."""

from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from decisions.models import Item

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
    return dict(_reader(shape).run_validation(request.data))


def asked(shape: type[Shape], request: Request) -> dict[str, Any]:
    """Return what the address asks for, in this shape; refuses what does not fit it."""
    return dict(_reader(shape).run_validation(request.query_params.dict()))


@cache
def _reader(shape: type[Shape]) -> Shape:
    """Return the one reader of a shape: it keeps nothing of what it reads, and making one takes longer than reading."""
    return shape()


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


RouteCounts = inline_serializer("RouteCounts", {route.value: serializers.IntegerField() for route in Item.Route})


class Nothing(Shape):
    """An empty object, or no body at all."""


class Alive(Shape):
    status = serializers.ChoiceField(["alive"])
    version = serializers.CharField()


class Ready(Shape):
    status = serializers.ChoiceField(["ready", "not_ready"])
    database = serializers.ChoiceField(["ready", "not_migrated", "unreachable"])
    redis = serializers.ChoiceField(["ready", "unreachable"], help_text="Work goes on without it.")
