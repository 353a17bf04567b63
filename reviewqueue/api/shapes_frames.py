"""What calls about frames take and answer."""

from rest_framework import serializers

from decisions.models import Frame
from reviewqueue.api.shapes import Shape


class Stratum(Shape):
    """A part of a frame with a budget of its own."""

    segments = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Those that were not measured; null: the rest."
    )
    passes = serializers.IntegerField()
    budget = serializers.IntegerField()
    drawn = serializers.IntegerField()
    tau = serializers.CharField(allow_null=True, help_text="To the last bit, as hexadecimal; null: all were drawn.")


class FrameShape(serializers.ModelSerializer[Frame]):
    """A span of passes, [starts_at, ends_at) by arrival, from which audits were drawn."""

    person = serializers.IntegerField(allow_null=True, help_text="Who closed it; null: the end of the day did.")
    person_name = serializers.CharField(allow_null=True)
    tau = serializers.FloatField(allow_null=True, help_text="An item with u / q below it was drawn; null: all were.")
    mean_p = serializers.FloatField(help_text="Mean probability of its passes: the sizes of later items rest on it.")
    beta = serializers.FloatField(help_text="The part of the budget that goes to all passes alike.")
    strata = Stratum(many=True)

    class Meta:
        model = Frame
        fields = (
            *("id", "starts_at", "ends_at", "budget", "passes", "drawn", "tau", "mean_p", "beta", "strata"),
            *("person", "person_name", "why", "at"),
        )


class CloseFrame(Shape):
    why = serializers.CharField(max_length=500, allow_blank=True, default="")
