"""What calls about people's answers take and answer."""

from rest_framework import serializers

from decisions.queues.spec import Truth
from decisions.work import why
from reviewqueue.api.shapes import Shape


class GoldShape(Shape):
    """What an item is known to be; an empty outcome: it is no longer given out."""

    id = serializers.IntegerField()
    no = serializers.IntegerField(help_text="Of what was said about this item, counted from 1.")
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    outcome = serializers.CharField()
    truth = serializers.ChoiceField(
        [truth.value for truth in Truth], help_text="What answers are held against; none: against nothing any more."
    )
    reason = serializers.ChoiceField([*why.Known.values, *why.Retire.values])
    person = serializers.IntegerField(allow_null=True, help_text="Null: the server's shell.")
    person_name = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class MarkGold(Shape):
    outcome = serializers.CharField(max_length=50, help_text="The right answer: an outcome that says yes or no.")
    reason = serializers.ChoiceField(why.Known.choices, help_text="How that is known.")


class RetireGold(Shape):
    reason = serializers.ChoiceField(why.Retire.choices)


class Rate(Shape):
    """A share of checked answers with its exact limits at 95 %; null under 30 answers: not measured."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField()
    high = serializers.FloatField()
    hits = serializers.IntegerField()
    answers = serializers.IntegerField()


class Own(Shape):
    """How a person did in the last 28 days."""

    gold = Rate(help_text="Right, of the gold items.")
    second = Rate(help_text="Right, of what was answered twice and where that is known.")
    agreed = Rate(help_text="The same as the other, of all that was answered twice.")
    right = Rate(help_text="Right, of all that was checked.")
    is_paused = serializers.BooleanField(help_text="Nothing is given out until a lead lifts it.")


def _share(text: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=text)


class PersonQuality(Own):
    person = serializers.IntegerField()
    person_name = serializers.CharField()
    sensitivity = _share("By all answers together (Dawid and Skene); null under 30 of theirs.")
    specificity = _share("The same for negatives.")
    gold_share = _share("The chance that a gold item follows an answer; null: not counted yet.")
    second_share = _share("The chance that a soft answer is given again by somebody else.")


class Alpha(Shape):
    """Krippendorff's alpha for nominal answers; null under 30 items."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    items = serializers.IntegerField(help_text="That two or more people answered.")


class Pair(Shape):
    """Two people by their ids, from 30 items in common on."""

    one = serializers.IntegerField()
    other = serializers.IntegerField()
    items = serializers.IntegerField()
    kappa = serializers.FloatField(allow_null=True)


class Said(Shape):
    person = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField()


class SettledShape(Shape):
    """A disagreement and what it was settled as; one that waits is not told."""

    item = serializers.IntegerField()
    external_id = serializers.CharField()
    first = Said()
    second = Said()
    ruling = Said()
    at = serializers.DateTimeField()


class Quality(Shape):
    since = serializers.DateTimeField()
    alpha = Alpha()
    people = PersonQuality(many=True, help_text="By name.")
    pairs = Pair(many=True)
    disagreements_waiting = serializers.IntegerField()
    settled = SettledShape(many=True)
    gold = serializers.DictField(child=serializers.IntegerField(), help_text="Gold items by what they are.")


class Lifted(Shape):
    person = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    since = serializers.DateTimeField(help_text="Only answers from here on count.")
    at = serializers.DateTimeField()


class Adjudication(Shape):
    task = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    rank = serializers.IntegerField(help_text="2: an expert, 3: a lead, at least.")


class Adjudications(Shape):
    tasks = Adjudication(many=True)
    has_more = serializers.BooleanField()
