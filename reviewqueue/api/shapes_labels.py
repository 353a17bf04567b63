"""What goes in and out about labels and data sets."""

from rest_framework import serializers

from decisions.models import Evidence
from decisions.work import said
from reviewqueue.api.shapes import BadLine, Shape

SENT = said.LENGTHS


class TellTruth(Shape):
    """A truth that arrived late (`outcome` or `value`), or an end user's answer (`kind: feedback` with `right`)."""

    queue = serializers.CharField(max_length=SENT["queue"], help_text="The queue's slug.")
    external_id = serializers.CharField(max_length=SENT["external_id"])
    kind = serializers.ChoiceField(Evidence.Kind.choices, default="truth")
    outcome = serializers.CharField(
        max_length=SENT["outcome"], required=False, allow_null=True, help_text="The key of an outcome of the queue."
    )
    value = serializers.ChoiceField([0, 1], required=False, allow_null=True, help_text="Instead: 1 positive, 0 not.")
    right = serializers.BooleanField(required=False, help_text="With `feedback` only.")
    source = serializers.CharField(max_length=SENT["source"], help_text="Where it comes from.")  # type: ignore[assignment]  # a field
    occurred_at = serializers.DateTimeField(help_text="When it turned out, or was said; not in the future.")
    reference = serializers.CharField(
        max_length=SENT["reference"], required=False, allow_null=True, help_text="Your own name for this word."
    )
    note = serializers.CharField(max_length=SENT["note"], required=False, allow_null=True)


class ToldShape(Shape):
    """What became of one word. `ruling` is what a truth made, or what a feedback is about."""

    line = serializers.IntegerField()
    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    kind = serializers.ChoiceField(Evidence.Kind.choices)
    ruling = serializers.IntegerField(
        allow_null=True, help_text="Null where a truth of a later time holds, or a feedback is about the machine."
    )
    duplicate = serializers.BooleanField()


class ToldBatch(Shape):
    """What became of many."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = ToldShape(many=True)
    errors = BadLine(many=True)  # type: ignore[assignment]  # a field
