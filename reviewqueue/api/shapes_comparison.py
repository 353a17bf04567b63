"""What a comparison of two models answers."""

from rest_framework import serializers

from decisions.measure.comparison import Verdict
from reviewqueue.api.shapes import Shape

FIGURES = ["worth", "precision", "recall", "people", "automatic"]


class Limits95(Shape):
    """A figure with its 95 % limits; null: not known."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ComparedFigure(Shape):
    """One figure of both models on the same items; worth is money a day, the others are shares."""

    figure = serializers.ChoiceField(choices=FIGURES)
    champion = Limits95()
    challenger = Limits95()
    difference = Limits95(help_text="Challenger minus champion, from items that both scored.")
    effective_labels = serializers.FloatField()
    is_enough = serializers.BooleanField(help_text="False: fewer than 30 labels' worth, so nothing is claimed.")
    more_labels = serializers.IntegerField(
        allow_null=True, help_text="About how many more would tell the two apart; 0: they are; null: cannot be said."
    )


class ContenderShape(Shape):
    model = serializers.CharField()
    policy = serializers.IntegerField(
        allow_null=True, help_text="Whose cuts they are; null: cuts that ask as much of people and machine."
    )
    hard = serializers.FloatField(allow_null=True)
    soft = serializers.FloatField(allow_null=True)


class ComparedSegment(Shape):
    segment = serializers.CharField()
    answers = serializers.IntegerField()
    figures = ComparedFigure(many=True)


class RestsOn(Shape):
    """What was looked at, and what was left out."""

    asked = serializers.IntegerField()
    unscored = serializers.IntegerField(help_text="One of the two did not score them.")
    learnt = serializers.IntegerField(help_text="One of the two learnt from them.")
    answers = serializers.IntegerField()
    apart = serializers.IntegerField(help_text="Answers on items that the two treat differently.")
    backfilled = serializers.IntegerField(help_text="The challenger's scores that were made afterwards.")
    simulated = serializers.IntegerField(help_text="Answers by simulated reviewers.")
    per_day = serializers.FloatField(help_text="Items a day that arrived by their score.")
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="Models of which nobody knows from what they learnt."
    )


class ComparedWindow(Shape):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class AdvisedCuts(Shape):
    """With what a policy with the challenger may begin."""

    hard = serializers.FloatField(allow_null=True)
    soft = serializers.FloatField(allow_null=True)
    suggest = serializers.FloatField(allow_null=True)


class ComparedModels(Shape):
    """Champion and challenger on the very same items."""

    sentence = serializers.CharField()
    needs = serializers.CharField(help_text="How many labels more would tell; empty where the two are told apart.")
    verdict = serializers.ChoiceField(choices=[one.value for one in Verdict])
    more_labels = serializers.IntegerField(allow_null=True)
    champion = ContenderShape()
    challenger = ContenderShape()
    window = ComparedWindow()
    currency = serializers.CharField()
    rests_on = RestsOn()
    figures = ComparedFigure(many=True)
    segments = ComparedSegment(many=True)
    advised = AdvisedCuts()
