"""What calls about training runs take and answer."""

from rest_framework import serializers

from decisions.learning.graph import Mark
from decisions.learning.selection import Weighting, Why
from decisions.models import TrainingRun
from reviewqueue.api.shapes import Shape

RUN = (
    *("id", "state", "trigger", "person", "person_name", "alert", "why", "step", "progress", "attempt"),
    *("data_set", "model", "error", "is_being_cancelled", "asked_at", "started_at", "ended_at"),
)


class AskTrainingRun(Shape):
    """What a run is asked for with."""

    why = serializers.CharField(max_length=500, allow_blank=True, default="")


class TrainingRunShape(serializers.ModelSerializer[TrainingRun]):
    """One way from labels to a model."""

    person = serializers.IntegerField(allow_null=True, help_text="Who asked for it; null: the queue's own rules did.")
    person_name = serializers.CharField(allow_null=True)
    alert = serializers.IntegerField(allow_null=True, help_text="The alert that started it.")
    step = serializers.CharField(help_text="The step it is at, or where it ended; empty before the first.")
    progress = serializers.IntegerField(min_value=0, max_value=100, help_text="In percent.")
    attempt = serializers.IntegerField(help_text="How many workers have taken it up.")
    data_set = serializers.CharField(allow_null=True, help_text="The SHA-256 that names it.")
    model = serializers.CharField(allow_null=True, help_text="The name of the model that came out.")
    error = serializers.CharField(help_text="Why it failed, in words.")
    is_being_cancelled = serializers.BooleanField()

    class Meta:
        model = TrainingRun
        fields = RUN


class TrainingStep(Shape):
    """One step on the way from raw rows to a live model."""

    step = serializers.CharField()
    state = serializers.ChoiceField([mark.value for mark in Mark])
    version = serializers.CharField(help_text="What tells its result from another: a hash, a name or a number.")
    seconds = serializers.FloatField(allow_null=True)
    error = serializers.CharField()


class TrainingLogLine(Shape):
    """One line of a run's log."""

    at = serializers.DateTimeField()
    attempt = serializers.IntegerField()
    step = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()


class WeightingCandidate(Shape):
    """How one weighting did on audits and controls, weighted by 1/pi."""

    weighting = serializers.ChoiceField([one.value for one in Weighting])
    log_loss = serializers.FloatField()
    auc = serializers.FloatField()
    difference = serializers.FloatField(help_text="Its log loss minus that of rows alike; below 0 is better.")
    low = serializers.FloatField(help_text="Of the difference, at 97.5 %.")
    high = serializers.FloatField()


class WeightingChoice(Shape):
    """Which weighting was kept, and why."""

    kept = serializers.ChoiceField([one.value for one in Weighting])
    why = serializers.ChoiceField([one.value for one in Why])
    rows = serializers.IntegerField(help_text="Audits and controls that judged.")
    positives = serializers.IntegerField()
    effective = serializers.FloatField(help_text="How many rows of equal weight they are worth.")
    candidates = WeightingCandidate(many=True)


class TrainingRunDetail(TrainingRunShape):
    """A run with its steps, its log and what came of comparing weightings."""

    steps = TrainingStep(many=True)
    log = TrainingLogLine(many=True, help_text="The last lines, oldest first.")
    weighting = WeightingChoice(allow_null=True)

    class Meta(TrainingRunShape.Meta):
        fields = (*RUN, "steps", "log", "weighting")  # type: ignore[assignment]  # more of them
