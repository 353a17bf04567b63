"""What is measured, as the schema shows it."""

from rest_framework import serializers

from decisions.measure.estimates import Why
from reviewqueue.api.shapes import Shape

SAMPLED = ["census", "control", "audit", "gold"]


def _number(help_text: str = "") -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=help_text)


class Estimate(Shape):
    """A figure with the interval that holds it at `level`. Null is not measured, and `why` says why."""

    value = _number("Null where there are only limits: nobody has measured a recall of 100 %.")
    low = _number()
    high = _number()
    level = serializers.FloatField()
    labels = serializers.IntegerField(help_text="Labels with a truth that it rests on.")
    effective_labels = serializers.FloatField(help_text="As many labels of a simple random sample are they worth.")
    found = serializers.IntegerField(help_text="Positives among them.")
    response = _number("The weighted share of what was asked that has a truth.")
    sampled = serializers.ChoiceField(SAMPLED, help_text="census: all that people answered; others: by draw.")
    why = serializers.ChoiceField([why.value for why in Why], allow_null=True)


class Precision(Shape):
    hard = Estimate()
    soft = Estimate()


class Span(Shape):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class Asked(Shape):
    """How many items of a kind there are, and what became of those that went to people."""

    items = serializers.IntegerField()
    answered = serializers.IntegerField()
    cant_tell = serializers.IntegerField()
    waiting = serializers.IntegerField()
    expired = serializers.IntegerField()


class LabelsUsed(Shape):
    total = serializers.IntegerField()
    simulated = serializers.IntegerField(help_text="Of these by simulated reviewers.")
    soft = Asked()
    control = Asked()
    audit = Asked()


class ErrorsShown(Shape):
    """What one source shows of reviewers' errors."""

    false_positives = Estimate()
    sensitivity = Estimate()


class Missed(Shape):
    """Positives among what was passed: as it was settled, as first answered, and without the reviewers' errors."""

    passes = serializers.IntegerField()
    settled = Estimate()
    harm = Estimate(allow_null=True, help_text="Their cost in `currency`; null: the queue's value formula has none.")
    currency = serializers.CharField(allow_blank=True)
    first_answers = Estimate()
    corrected = Estimate()
    false_positives = Estimate(help_text="The share of negatives that reviewers first called positive.")
    sensitivity = Estimate(help_text="The share of positives that reviewers first called positive.")
    second_opinions = ErrorsShown(help_text="What second opinions and adjudications show alone.")
    gold = ErrorsShown(help_text="What gold items show alone; the two above are of both sources together.")
    is_divided = serializers.BooleanField(help_text="Whether the two sources differ by more than chance.")


class Apart(Shape):
    """Items that failed a check or fell below the model; not part of its precision."""

    reason = serializers.CharField()
    items = serializers.IntegerField()
    precision = Estimate()


class Sentences(Shape):
    precision = serializers.CharField()
    recall = serializers.CharField()
    missed = serializers.CharField()
    harm = serializers.CharField(allow_blank=True, help_text="Empty where the queue does not say what a miss costs.")


class OperatingPoint(Shape):
    """What the model and its policy really did in a window."""

    sentence = serializers.CharField(help_text="What to show first.")
    sentences = Sentences()
    advice = serializers.ListField(child=serializers.CharField(), help_text="What to do about what is not measured.")
    at = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="When items were last counted; null: never yet.")
    window = Span()
    measured = Span(many=True, help_text="The spans that recall holds for: their audits have ended.")
    model = serializers.CharField(allow_null=True)
    policy = serializers.IntegerField(allow_null=True)
    segment = serializers.CharField(allow_null=True)
    items = serializers.IntegerField(help_text="All that arrived in the window.")
    hard_items = serializers.IntegerField(help_text="By band, so with the control group.")
    precision = Precision()
    recall = Estimate()
    caught = _number("Positives that people found or the machine acted on, in the measured spans.")
    missed = Missed()
    apart = Apart(many=True)
    labels = LabelsUsed()
