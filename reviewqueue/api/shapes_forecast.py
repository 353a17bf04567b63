"""What is to come for a queue, as JSON has it."""

from rest_framework import serializers

from decisions.measure import staff
from decisions.measure.forecast import Basis
from reviewqueue.api.shapes import Shape
from reviewqueue.api.shapes_status import Outlook


def _number(help_text: str = "", *, can_be_unknown: bool = False) -> serializers.FloatField:
    return serializers.FloatField(allow_null=can_be_unknown, help_text=help_text)


class ForecastHour(Shape):
    """Tasks that will arrive in an hour: eight hours of ten lie between `low` and `high`. Null: nothing was seen."""

    at = serializers.DateTimeField()
    low = _number(can_be_unknown=True)
    middle = _number(can_be_unknown=True)
    high = _number(can_be_unknown=True)
    rests_on = serializers.IntegerField(help_text="Past hours.")
    basis = serializers.ChoiceField(list(Basis), help_text="The same hour of the weekday, of other days, or any hour.")


class Held(Shape):
    """How past forecasts did, each made from the weeks before it alone."""

    weeks = serializers.IntegerField()
    hours = serializers.IntegerField()
    inside = serializers.IntegerField()
    above = serializers.IntegerField()
    share = _number(can_be_unknown=True)


class BacklogStep(Shape):
    """The backlog at the end of a step: nine futures of ten lie between `low` and `high`."""

    at = serializers.DateTimeField(help_text="The end of the step.")
    low = _number()
    middle = _number()
    high = _number()
    broken = _number("The part of futures in which a deadline was broken by then.")
    capacity = _number("Decisions that fit into the step.")


class PlanShape(Shape):
    source = serializers.ChoiceField([staff.SHIFTS, staff.SEEN])  # type: ignore[assignment]
    people = serializers.IntegerField(help_text="At work now.")
    pace = _number("Decisions per person and hour.", can_be_unknown=True)
    until = serializers.DateTimeField(allow_null=True, help_text="The end of the last shift; null: none is planned.")


class PresenceHour(Shape):
    at = serializers.DateTimeField()
    planned = _number("Hours of work by the shifts.")
    came = _number("Hours of work in which people decided.")


class WaitsShape(Shape):
    """Erlang C: what so many people mean where nothing has piled up. Real queues are less even, so waits are longer."""

    people = serializers.IntegerField()
    busy = _number("Arrivals per capacity.")
    waits = _number("The share of tasks that has to wait.")
    mean_seconds = _number("Null: without end.", can_be_unknown=True)
    over_15_minutes = _number("The share that waits longer.")


class ForecastShape(Outlook):
    at = serializers.DateTimeField()
    timezone = serializers.CharField(help_text="The queue's, in which hours and weekdays are told.")
    since = serializers.DateTimeField(allow_null=True, help_text="Where the history begins that it rests on.")
    basis = serializers.CharField(allow_blank=True)
    plan_note = serializers.CharField(allow_blank=True)
    plan = PlanShape()
    backlog = _number()
    overdue = _number()
    held = Held()
    hours = ForecastHour(many=True)
    steps = BacklogStep(many=True)
    presence = PresenceHour(many=True)
    busiest_at = serializers.DateTimeField(allow_null=True, help_text="The busiest of 24 hours: `waits` is of it.")
    waits = WaitsShape(many=True)


class HourLine(Shape):
    """One hour, of one purpose or of all. Times in seconds; null is not known."""

    at = serializers.DateTimeField()
    opened = _number("Tasks, with those reopened by an undo.")
    decided = _number()
    ended = _number("Escalated, expired or cancelled.")
    waiting = _number("As last counted in the hour.", can_be_unknown=True)
    queue_rate = _number("The share of all items that went to people; of all purposes only.", can_be_unknown=True)
    capacity = _number("What those planned, or else at work, could decide.", can_be_unknown=True)
    utilisation = _number("Opened per capacity.", can_be_unknown=True)
    time_to_empty = _number("At the pace of this hour.", can_be_unknown=True)
    is_endless = serializers.BooleanField(help_text="At that pace it would never be empty.")
    mean_age = _number(can_be_unknown=True)
    p90_age = _number("Within 4.5 %.", can_be_unknown=True)
    handling_seconds = _number(can_be_unknown=True)
    p90_handling_seconds = _number("Within 4.5 %.", can_be_unknown=True)


class HoursShape(Shape):
    timezone = serializers.CharField()
    hours = HourLine(many=True)
