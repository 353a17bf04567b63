"""What the call about the ladder answers."""

from rest_framework import serializers

from reviewqueue.api.shapes import Shape


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


class LadderShape(Shape):
    timezone = serializers.CharField()
    model = serializers.CharField(allow_null=True, help_text="The one that the policy in force pins.")
    simpler = serializers.CharField(allow_null=True, help_text="The one that stands in for it.")
    rules = serializers.IntegerField(help_text="Heuristics of the queue.")
    hours = LadderSpan(many=True, help_text="Oldest first.")
    days = LadderSpan(many=True, help_text="Oldest first.")
    failures = LadderFailure(many=True, help_text="The latest first.")
