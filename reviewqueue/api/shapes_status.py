"""A queue's figures now."""

from rest_framework import serializers

from decisions.models import Membership
from reviewqueue.api.shapes import Shape


class QueueShape(Shape):
    """A queue that the caller belongs to."""

    slug = serializers.CharField()
    title = serializers.CharField()
    question = serializers.CharField()
    version = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    role = serializers.ChoiceField(Membership.Role.choices)


class Queues(Shape):
    queues = QueueShape(many=True)


def _number(help_text: str = "", *, can_be_unknown: bool = False) -> serializers.FloatField:
    return serializers.FloatField(allow_null=can_be_unknown, help_text=help_text)


class Backlog(Shape):
    total = _number()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="When this was counted.")
    by_purpose = serializers.DictField(child=_number())
    by_state = serializers.DictField(child=_number())
    by_age = serializers.DictField(child=serializers.DictField(child=_number()), help_text="Age band, then purpose.")
    overdue = _number()


class QueueRate(Shape):
    per_hour = _number("Items an hour that go to people.")
    share = _number("Of all items.", can_be_unknown=True)
    interval = serializers.ListField(child=_number(), allow_null=True, help_text="Of the share, 95 %.")
    items = serializers.IntegerField()
    of = serializers.IntegerField()


class Overrides(Shape):
    count = serializers.IntegerField()
    of = serializers.IntegerField()


class Capacity(Shape):
    per_hour = _number("Decisions in the next hour.")
    next_24_hours = _number()
    people = serializers.IntegerField(help_text="At work now.")
    pace = _number("Decisions per person and hour, as measured.", can_be_unknown=True)
    source = serializers.ChoiceField(["shifts", "seen"])  # type: ignore[assignment]


class PurposeFigures(Shape):
    waiting = _number("Open tasks.")
    opened_per_hour = _number("Opened, or reopened by an undo.")
    decided_per_hour = _number()
    ended_per_hour = _number("Escalated, expired or cancelled.")
    mean_age = _number(can_be_unknown=True)
    p90_age = _number(can_be_unknown=True)
    handling_seconds = _number(can_be_unknown=True)
    p90_handling_seconds = _number(can_be_unknown=True)


class Accounts(Shape):
    """Of the last 24 closed hours that were checked: accepted = the sum of all states."""

    since = serializers.DateTimeField()
    checked_to = serializers.DateTimeField()
    checked_at = serializers.DateTimeField()
    accepted = serializers.IntegerField()
    states = serializers.DictField(
        child=serializers.IntegerField(), help_text="Passed, acted, or the state of the task, as found when checked."
    )
    missing = serializers.IntegerField(help_text="In no state. Anything but 0 is an alert.")


class Outlook(Shape):
    """What is to come, in short; `forecast/` has all of it."""

    sentence = serializers.CharField(help_text="In the language asked for, to be shown as it is.")
    breach_at = serializers.DateTimeField(
        allow_null=True, help_text="By when half of the futures (or a tenth, if no half does) break a deadline."
    )
    risk = _number("The part of futures that break a deadline, 0 to 1.", can_be_unknown=True)
    people_needed = serializers.IntegerField(allow_null=True, help_text="More people that alone would keep it.")
    threshold_needed = _number("The soft threshold that alone would keep it.", can_be_unknown=True)


class Status(Shape):
    """The figures of a queue; rates are per hour, times in seconds, null is unknown."""

    at = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True)
    window_hours = _number()
    backlog = Backlog()
    arrivals_per_hour = serializers.DictField(child=_number(), help_text="By route.")
    queue_rate = QueueRate()
    decisions_per_hour = _number()
    overrides = Overrides()
    handling_seconds = _number(can_be_unknown=True)
    p90_handling_seconds = _number("Within 4.5 %.", can_be_unknown=True)
    capacity = Capacity()
    utilisation = _number("Above 1 the backlog grows.", can_be_unknown=True)
    time_to_empty = _number(can_be_unknown=True)
    mean_age = _number("Of what waits.", can_be_unknown=True)
    p90_age = _number("Nine in ten tasks that wait are younger; within 4.5 %.", can_be_unknown=True)
    expected_wait = _number("Backlog over decisions per hour (Little's law).", can_be_unknown=True)
    purposes = serializers.DictField(child=PurposeFigures(), help_text="By purpose.")
    accounts = Accounts(allow_null=True)
    outlook = Outlook()
