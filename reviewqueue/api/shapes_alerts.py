"""What calls about alerts take and answer."""

from rest_framework import serializers

from decisions.models import Alert
from decisions.watch.alerts import LONGEST_TEXT
from reviewqueue.api.shapes import Shape

MOMENTS = (
    *("began_at", "opened_at", "seen_at"),
    *("acknowledged_at", "snoozed_until", "diagnosed_at", "closed_at"),
)


class AlertShape(serializers.ModelSerializer[Alert]):
    """A signal that is off, and the incident it became."""

    queue = serializers.CharField(help_text="Its slug.")
    what = serializers.CharField(help_text="What is off, in a few words.")
    text = serializers.CharField(help_text="What was measured, and against what.")
    owner = serializers.IntegerField(allow_null=True)
    owner_name = serializers.CharField(allow_null=True)
    normal_since = serializers.DateTimeField(allow_null=True, help_text="Open, and not off any more since then.")
    figures = serializers.DictField()

    class Meta:
        model = Alert
        fields = (
            *("id", "queue", "kind", "key", "level", "state", "what", "text", "figures", "owner", "owner_name"),
            *MOMENTS,
            *("normal_since", "cause", "lesson", "end"),
        )


class Snooze(Shape):
    until = serializers.DateTimeField(help_text="At most seven days ahead.")


class Diagnose(Shape):
    cause = serializers.CharField(max_length=LONGEST_TEXT, help_text="Name nobody here.")


class Close(Shape):
    end = serializers.ChoiceField(Alert.End.choices)
    lesson = serializers.CharField(max_length=LONGEST_TEXT, help_text="Name nobody here.")
