"""What calls about models and shadows take and answer."""

from rest_framework import serializers

from decisions.learning.lineage import Standing
from decisions.learning.shadows import BACK_DAYS, MOST_BACK
from decisions.models import ModelVersion, Policy, Shadow
from reviewqueue.api.shapes import Shape


class ModelFile(Shape):
    state = serializers.ChoiceField(choices=["sealed", "refused", "none"])
    key = serializers.CharField(help_text="The name of the key that sealed it; empty where none did.")
    detail = serializers.CharField(help_text="Why it is refused.")


class PinnedBy(Shape):
    no = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Policy.State.choices)


class ModelShape(Shape):
    """A model version: where it came from and what it did."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ModelVersion.Kind.choices)
    standing = serializers.ChoiceField(choices=[one.value for one in Standing])
    metrics = serializers.JSONField()
    parameters = serializers.JSONField()
    data_set = serializers.CharField(help_text="The hash of what it learnt from; empty where that is not known.")
    is_data_set_here = serializers.BooleanField(help_text="Whether a data set of this name is kept here.")
    score_low = serializers.FloatField()
    score_high = serializers.FloatField()
    sha256 = serializers.CharField(help_text="Of its file; empty where its scores come from outside.")
    file = ModelFile()
    policies = PinnedBy(many=True, help_text="Those that pin it, newest first.")
    items = serializers.IntegerField(help_text="Routed by its scores in the last 28 days.")
    shadow = serializers.IntegerField(allow_null=True, help_text="The shadow that is running.")
    made_by = serializers.CharField(allow_null=True, help_text="Null: the machine, or the server's shell.")
    event = serializers.IntegerField(allow_null=True, help_text="The entry of the queue's chain that tells of it.")
    app_version = serializers.CharField()
    created_at = serializers.DateTimeField()


class Models(Shape):
    models = ModelShape(many=True)


class ShadowShape(Shape):
    """A model in shadow: what it scored, and what waits for it."""

    id = serializers.IntegerField()
    model = serializers.CharField()
    person = serializers.IntegerField(allow_null=True)
    why = serializers.CharField()
    started_at = serializers.DateTimeField()
    back_days = serializers.IntegerField()
    backfilled = serializers.IntegerField(help_text="Items from before the start that were scored afterwards.")
    backfilled_at = serializers.DateTimeField(allow_null=True)
    scored = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Items that the model could not score.")
    last_failure = serializers.CharField()
    behind = serializers.IntegerField(help_text="Items that arrived and were not scored yet.")
    behind_since = serializers.DateTimeField(allow_null=True)
    is_behind_more = serializers.BooleanField(help_text="Whether more wait than were counted.")
    reached_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.ChoiceField(choices=["", *Shadow.Ending.values])
    end_why = serializers.CharField()


class Shadows(Shape):
    shadows = ShadowShape(many=True)


class StartShadow(Shape):
    model = serializers.CharField(max_length=100)
    why = serializers.CharField(max_length=500)
    back_days = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_BACK,
        help_text=f"Days before now of which the labelled items are scored too; {BACK_DAYS} unless said otherwise.",
    )


class StopShadow(Shape):
    why = serializers.CharField(max_length=500)
