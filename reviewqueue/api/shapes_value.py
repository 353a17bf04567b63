"""What was won and lost, as the schema shows it."""

from rest_framework import serializers

from decisions.measure.value import Route, Why
from reviewqueue.api.shapes import Shape

WHYS = [*(why.value for why in Why), ""]


class Amount(Shape):
    """Money won (below 0: lost) with the interval that holds it at 95 %; null is not measured, and `why` says why."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    why = serializers.ChoiceField(WHYS, allow_blank=True)
    sentence = serializers.CharField()


class Won(Shape):
    """What items won against each way to do without."""

    items = serializers.FloatField(help_text="How many; of soft ones only those that people answered.")
    labels = serializers.IntegerField(help_text="Labels with a truth that the amounts rest on.")
    effective_labels = serializers.FloatField(help_text="As many labels of a simple random sample are they worth.")
    no_model = Amount(help_text="Against passing everything.")
    review_all = Amount(help_text="Against people deciding everything, at their measured time and errors.")


class WonByRoute(Won):
    route = serializers.ChoiceField(Route.values)


class WonByVersion(Shape):
    name = serializers.CharField(help_text="A policy's number, or a model's name.")
    routes = WonByRoute(many=True)
    total = Won()


class WonThen(Shape):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    total = Won()


class Checks(Shape):
    value = serializers.FloatField(allow_null=True)
    why = serializers.ChoiceField(WHYS, allow_blank=True)


class Reviewers(Shape):
    """What people's decisions cost, and how people err; null is not measured."""

    seconds = serializers.FloatField(allow_null=True, help_text="Active seconds a decision.")
    cost = serializers.FloatField(allow_null=True, help_text="Money a decision.")
    sensitivity = serializers.FloatField(allow_null=True, help_text="Of the positives, those that they call so.")
    false_positives = serializers.FloatField(allow_null=True, help_text="Of the negatives, those called positive.")


class NotCounted(Shape):
    """Items that are in no amount."""

    waiting = serializers.IntegerField()
    expired = serializers.IntegerField()
    cant_tell = serializers.IntegerField()
    apart = serializers.IntegerField(help_text="They failed a check or no model scored them.")
    imported = serializers.IntegerField(help_text="They came with their history from an earlier tool.")


class Value(Shape):
    """Money won and lost in a window. Without a value formula of the queue `currency` is empty and nothing is told."""

    currency = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="When items were last counted; null: never yet.")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    routes = WonByRoute(many=True)
    total = Won(allow_null=True)
    checks = Checks(allow_null=True, help_text="What audits, second opinions and gold items cost; in nothing else.")
    people = Reviewers(allow_null=True)
    policies = WonByVersion(many=True)
    models = WonByVersion(many=True)
    over_time = WonThen(many=True)
    left_out = NotCounted(allow_null=True)
    labels = serializers.IntegerField()
    simulated = serializers.IntegerField(help_text="Of these by simulated reviewers.")
