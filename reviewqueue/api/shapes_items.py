"""Items: as they come in, how they were routed, and as they are shown."""

from rest_framework import serializers

from decisions.intake.parse import LENGTHS
from decisions.learning.explain import State
from decisions.models import Item
from decisions.work.factors import Source
from reviewqueue.api.shapes import RouteCounts, Shape


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


class Batch(Shape):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    routes = RouteCounts
    results = RoutedItem(many=True, required=False, help_text="Left out with `?results=none`.")
    errors = BadLine(many=True)  # type: ignore[assignment]


class FactorShown(Shape):
    """What one field, or one word of a text field, added to the calibrated log odds of the positive outcome."""

    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField()
    word = serializers.CharField(help_text="Of a text field the word; else empty.")
    value = serializers.JSONField(allow_null=True, help_text="As it was sent; null for a word and where it is missing.")
    state = serializers.ChoiceField([state.value for state in State], help_text="How the model read the value.")
    weight = serializers.FloatField()


class ExplanationShown(Shape):
    """What pushed a score: `base`, the factors and `rest` add up to `total`, its calibrated log odds.

    Only `source` is there where no factors can be told.
    """

    source = serializers.ChoiceField([source.value for source in Source])  # type: ignore[assignment]
    base = serializers.FloatField(required=False)
    factors = FactorShown(many=True, required=False, help_text="The strongest first.")
    rest = serializers.FloatField(required=False, help_text="What the factors added that are not listed.")
    total = serializers.FloatField(required=False)


class ItemShown(Shape):
    """An item as you may see it. What is hidden from you is missing, and `redacted` names it."""

    id = serializers.IntegerField()
    queue = serializers.CharField()
    external_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    segment = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    occurred_at = serializers.DateTimeField(allow_null=True, required=False)
    arrived_at = serializers.DateTimeField(required=False)
    payload = serializers.DictField(allow_null=True, help_text="Null once erased.")
    subject = serializers.CharField(allow_null=True)
    is_erased = serializers.BooleanField()
    score = serializers.FloatField(allow_null=True, required=False)
    p = serializers.FloatField(allow_null=True, required=False, help_text="Recalibrated probability of positive.")
    rung = serializers.ChoiceField(Item.Rung.choices, required=False)
    band = serializers.ChoiceField(Item.Band.choices, required=False)
    route = serializers.ChoiceField(Item.Route.choices, required=False)
    reason = serializers.ChoiceField(Item.RouteReason.choices, required=False)
    failures = serializers.ListField(child=serializers.CharField(), required=False)
    propensity = serializers.FloatField(allow_null=True, required=False)
    policy_version = serializers.IntegerField(required=False)
    model_version = serializers.CharField(allow_null=True, required=False)
    suggestion = serializers.CharField(required=False, help_text="An outcome; empty when nothing scored it.")
    explanation = ExplanationShown(required=False)
    redacted = serializers.ListField(child=serializers.ChoiceField(["machine", "history", "personal"]))


class AlikeShown(Shape):
    """An item that people decided and that is like another one."""

    id = serializers.IntegerField()
    external_id = serializers.CharField()
    outcome = serializers.CharField()
    at = serializers.DateTimeField()
    is_simulated = serializers.BooleanField()
