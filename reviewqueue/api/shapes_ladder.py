"""What the call about the ladder answers."""

from rest_framework import serializers

from decisions.measure.filtered import Verdict
from decisions.watch.filters import Why
from reviewqueue.api.shapes import Shape
from reviewqueue.api.shapes_contract import Estimated


class Rungs(Shape):
    """How many items each rung scored; `people`: nothing could score them."""

    sent = serializers.IntegerField()
    model = serializers.IntegerField()
    simpler = serializers.IntegerField()
    heuristic = serializers.IntegerField()
    people = serializers.IntegerField()


class LadderSpan(Shape):
    """One hour or day."""

    at = serializers.DateTimeField(help_text="Its beginning.")
    rungs = Rungs()
    remembered = serializers.IntegerField(help_text="Scores of models that were known from the same payload before.")


class LadderFailure(Shape):
    """What failed: a check of what was sent, of a score, or a model."""

    code = serializers.CharField(help_text="Such as `model:timeout`, `output:nan` or `missing:Income`.")
    day = serializers.IntegerField(help_text="In the last 24 hours.")
    month = serializers.IntegerField(help_text="In the last 28 days.")
    last_hour = serializers.DateTimeField(help_text="The beginning of the hour in which it last did.")


class FilterBlocks(Shape):
    """What the filter did; null limits: not measured."""

    start = serializers.DateTimeField(help_text="28 days ago, or when it was turned on.")
    guarded = serializers.IntegerField(help_text="Items on which the machine would have acted.")
    blocked = serializers.IntegerField(help_text="Of these, sent to people instead.")
    let_on = serializers.IntegerField(help_text="Flagged too, and let through by lot.")
    precision = Estimated(help_text="b: the share of blocks at which the model was wrong.")
    let_on_errors = Estimated(help_text="The share of errors among what was let through, by 1/pi.")
    verdict = serializers.ChoiceField(list(Verdict), help_text="Whether f / i < b, surely; from 30 answers on.")


class FilterShape(Shape):
    """The filter that foretells where the model errs."""

    model = serializers.CharField(allow_null=True, help_text="Null: training has made none for the live model.")
    is_on = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True, help_text="Of its last switch; null: never switched.")
    person = serializers.IntegerField(allow_null=True, help_text="Who switched it; null: the machine, or nobody.")
    why = serializers.ChoiceField([*Why.choices, ("loses", "loses"), ("", "")])
    cut = serializers.FloatField()
    let_through = serializers.FloatField()
    cost_block = serializers.FloatField(help_text="f: money of a needless block.")
    cost_error = serializers.FloatField(help_text="i: money of an error of the machine.")
    even = serializers.FloatField(help_text="f / i: above it blocks pay.")
    blocks = FilterBlocks(allow_null=True)


class SwitchFilter(Shape):
    is_on = serializers.BooleanField()
    why = serializers.ChoiceField(choices=Why.choices)


class LadderShape(Shape):
    timezone = serializers.CharField()
    model = serializers.CharField(allow_null=True, help_text="The one that the policy in force pins.")
    simpler = serializers.CharField(allow_null=True, help_text="The one that stands in for it.")
    rules = serializers.IntegerField(help_text="Heuristics of the queue.")
    filter = FilterShape(allow_null=True, help_text="Null: the queue asks for none.")
    hours = LadderSpan(many=True, help_text="Oldest first.")
    days = LadderSpan(many=True, help_text="Oldest first.")
    failures = LadderFailure(many=True, help_text="The latest first.")
