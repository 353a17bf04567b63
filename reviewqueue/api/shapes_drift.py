"""Two sets of items compared field by field, as the schema shows it."""

from rest_framework import serializers

from decisions.measure.drift import Level
from reviewqueue.api.shapes import Shape

LEVELS = [level.value for level in Level]


class ChangedShare(Shape):
    """A share of items before and now, and how likely such a change is under no drift."""

    before = serializers.FloatField()
    now = serializers.FloatField()
    p = serializers.FloatField()
    level = serializers.ChoiceField(LEVELS)


class MixShape(Shape):
    """Two distributions by the population stability index, and how likely so high a value is under no drift."""

    psi = serializers.FloatField()
    p = serializers.FloatField()
    level = serializers.ChoiceField(LEVELS)


class Quantiles(Shape):
    """At 5, 25, 50, 75 and 95 %; empty where there are no numbers."""

    before = serializers.ListField(child=serializers.FloatField())
    now = serializers.ListField(child=serializers.FloatField())


class ShiftedField(Shape):
    """One payload field; null where a field of its type has no such thing."""

    name = serializers.CharField()
    level = serializers.ChoiceField(LEVELS)
    missing = ChangedShare()
    misfit = ChangedShare(allow_null=True, help_text="Out of its range, or no number.")
    unseen = ChangedShare(allow_null=True, help_text="A category that is not listed, or was never there before.")
    mix = MixShape(allow_null=True, help_text="Of numbers, categories, or the lengths of texts.")
    quantiles = Quantiles(allow_null=True, help_text="Of numbers and lengths; null for personal fields.")


class ShiftedSegment(Shape):
    segment = serializers.CharField()
    items_before = serializers.IntegerField()
    items_now = serializers.IntegerField()
    level = serializers.ChoiceField(LEVELS)
    off = serializers.ListField(child=serializers.CharField(), help_text="Fields that differ.")


class DriftShape(Shape):
    """What came on one side against the other. `absent` says why there is no training set to compare with."""

    sentence = serializers.CharField()
    level = serializers.ChoiceField(LEVELS)
    one = serializers.CharField(help_text="The first side in words.")
    other = serializers.CharField()
    segment = serializers.CharField(allow_null=True)
    items_one = serializers.IntegerField(help_text="Read of it: at most 5,000.")
    items_other = serializers.IntegerField()
    absent = serializers.CharField(allow_blank=True)
    scores = MixShape(allow_null=True, help_text="Of recalibrated probabilities.")
    segment_mix = MixShape(allow_null=True)
    field_shifts = ShiftedField(many=True)
    segments = ShiftedSegment(many=True, help_text="The largest eight of the second side.")
