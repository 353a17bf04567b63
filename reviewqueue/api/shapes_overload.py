"""What calls about overload rules take and answer."""

from rest_framework import serializers

from decisions.measure.overload import Mode
from decisions.queues.spec_time import OverloadRule
from decisions.watch.overload import Why
from reviewqueue.api.shapes import Shape

RULES = [rule.value for rule in OverloadRule]
MODES = [mode.value for mode in Mode]


class OverloadFigures(Shape):
    """What a step was taken on; null has no end."""

    load = serializers.FloatField(allow_null=True, help_text="What must be done by some deadline over what can be.")
    at_risk = serializers.IntegerField(help_text="Tasks that would have been late.")
    backlog = serializers.IntegerField()
    demand = serializers.FloatField(allow_null=True, help_text="Items an hour for people, as if no cut were raised.")
    capacity = serializers.FloatField(allow_null=True, help_text="Decisions an hour over one SLA.")
    utilisation = serializers.FloatField(allow_null=True, help_text="Demand over capacity.")


class OverloadRuleShape(Shape):
    """A rule as it stands."""

    rule = serializers.ChoiceField(choices=RULES)
    level = serializers.IntegerField(help_text="0: it does nothing.")
    most = serializers.IntegerField(help_text="How far it can go under the live policy.")
    mode = serializers.ChoiceField(choices=MODES, help_text="Who decides: the figures (auto), or a person.")
    since = serializers.DateTimeField(allow_null=True, help_text="Of its last step; null: it never took one.")
    person = serializers.IntegerField(allow_null=True, help_text="Who switched it; null: the machine.")
    why = serializers.CharField()
    figures = OverloadFigures(allow_null=True)


class OverloadRules(Shape):
    """The rules, in the order in which they are taken; then those that the queue's spec does not list."""

    order = serializers.ListField(child=serializers.ChoiceField(choices=RULES))
    rules = OverloadRuleShape(many=True)


class SwitchOverload(Shape):
    rule = serializers.ChoiceField(choices=RULES)
    mode = serializers.ChoiceField(choices=MODES)
    why = serializers.ChoiceField(choices=Why.choices)
