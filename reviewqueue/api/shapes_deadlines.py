"""What a call about deadlines answers."""

from rest_framework import serializers

from decisions.models import Task
from reviewqueue.api.shapes import Shape


class DeadlinesKept(Shape):
    """What became of deadlines of tasks that ended."""

    met = serializers.IntegerField(help_text="Decided in time.")
    late = serializers.IntegerField(help_text="Decided after the deadline.")
    expired = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Ended by the queue's rule, by its word: pass, act, escalate or end.",
    )
    share = serializers.FloatField(allow_null=True, help_text="Decided in time, of all that ended.")
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, min_length=2, max_length=2, help_text="Of the share, at 95 %."
    )


class DeadlinePeriod(DeadlinesKept):
    """An hour or a day by the queue's clock, from `at` on."""

    at = serializers.DateTimeField()


class DeadlineHour(Shape):
    """An hour in which tasks are due."""

    by = serializers.DateTimeField(help_text="Its end.")
    tasks = serializers.IntegerField()
    breaching = serializers.FloatField(help_text="How many of them will not be done in time, at the present pace.")


class TaskAtRisk(Shape):
    """An open task that is late or will be."""

    task = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    purpose = serializers.ChoiceField(choices=Task.Purpose.choices)
    state = serializers.ChoiceField(choices=Task.State.choices)
    holder = serializers.IntegerField(allow_null=True)
    due_at = serializers.DateTimeField()
    is_late = serializers.BooleanField()


class Deadlines(Shape):
    """How a queue keeps its deadlines."""

    at = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="When the open tasks were counted; null: not yet.")
    late = serializers.IntegerField(help_text="Open tasks past their deadline.")
    at_risk = serializers.IntegerField(help_text="Open tasks that will be late at the present pace.")
    first_breach_by = serializers.DateTimeField(allow_null=True, help_text="Null: none is foreseen.")
    later = serializers.IntegerField(help_text="Due in more than 14 days.")
    hours = DeadlineHour(many=True)
    window_days = serializers.IntegerField()
    kept = serializers.DictField(child=DeadlinesKept(), help_text='By purpose; "" is all of them.')
    history = DeadlinePeriod(many=True)
    tasks = TaskAtRisk(many=True)
    hidden = serializers.IntegerField(help_text="Tasks of this page that you may not know of, for you may be asked.")
    next = serializers.IntegerField(allow_null=True, help_text="Give it as `after` for the next tasks.")
