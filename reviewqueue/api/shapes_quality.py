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
