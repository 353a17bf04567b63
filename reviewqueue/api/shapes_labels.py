"""What goes in and out about labels and data sets."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from decisions.intake import parse
from decisions.learning.feed import Form
from decisions.models import Evidence, Label
from decisions.work import said
from reviewqueue.api.shapes import Shape
from reviewqueue.api.shapes_items import BadLine

SENT = said.LENGTHS


class Moment(serializers.DateTimeField):
    """A time with its offset; one without would be read in whatever zone this runs in."""

    def to_internal_value(self, value: Any) -> datetime:
        at = parse.moment(value)
        if at is None:
            self.fail("invalid", format="2026-03-01T12:00:00Z")
        return at


class LabelsAsked(Shape):
    """By what the feed can be narrowed down, and how it is written."""

    queue = serializers.CharField(
        required=False, help_text="The queue's slug; left out: every queue whose labels you may have."
    )
    after = serializers.IntegerField(
        default=0, min_value=0, max_value=10**18, help_text="The `no` of the last label you have; 0 for all."
    )
    provenance = serializers.ChoiceField(Label.Provenance.choices, required=False)
    outcome = serializers.CharField(required=False, max_length=50)
    value = serializers.ChoiceField(["1", "0", "none"], required=False, help_text="none: “can't tell”.")
    since = Moment(required=False, help_text="Made at or after this time.")
    until = Moment(required=False, help_text="Made before this time.")
    final = serializers.BooleanField(default=False, help_text="Only the latest label of each item.")
    format = serializers.ChoiceField([form.value for form in Form], default=Form.NDJSON.value)


class LabelLine(Shape):
    """One line of the feed."""

    no = serializers.IntegerField()
    queue = serializers.CharField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    ruling = serializers.IntegerField()
    value = serializers.ChoiceField([0, 1], allow_null=True, help_text="Null for “can't tell”.")
    outcome = serializers.CharField()
    propensity = serializers.FloatField(allow_null=True, help_text="In (0, 1]; null where none was logged.")
    provenance = serializers.ChoiceField(Label.Provenance.choices)
    replaces = serializers.IntegerField(allow_null=True, help_text="The `no` of the label it takes the place of.")
    ruled_at = serializers.DateTimeField()
    at = serializers.DateTimeField(help_text="When it was made.")
    weight = serializers.FloatField(help_text="From 0 to 1, how far it is to be believed; docs/labels.md.")
    corrects = serializers.BooleanField(help_text="Whether the label it replaces said otherwise.")
    weak_right = serializers.IntegerField(help_text="End users who said that it was right: weak evidence.")
    weak_wrong = serializers.IntegerField(help_text="End users who said that it was wrong.")


class DataSetShape(Shape):
    """A frozen set of labelled rows."""

    name = serializers.CharField(help_text="SHA-256 of its manifest.")
    queue = serializers.CharField()
    rows = serializers.IntegerField(help_text="When it was frozen.")
    last_no = serializers.IntegerField(help_text="The `no` of the last label in it.")
    created_at = serializers.DateTimeField()


class WarnShape(Shape):
    """One thing to know before learning from it."""

    code = serializers.CharField()
    count = serializers.IntegerField(help_text="Of rows, where it is about rows.")
    field = serializers.CharField(help_text="The payload field, where it is about one.")
    auc = serializers.FloatField(allow_null=True)


class DataSetWhole(DataSetShape):
    """A data set with its manifest, whose keys docs/labels.md explains."""

    manifest = serializers.DictField()
    warnings = WarnShape(many=True)
    erased = serializers.IntegerField(help_text="Rows that were erased since.")
    is_there = serializers.BooleanField(help_text="Whether its file is on disk.")


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
