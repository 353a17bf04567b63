"""Work: what is claimed, and what is done with it."""

from rest_framework import serializers

from decisions import redact
from decisions.models import Ruling, Task
from decisions.work import why
from decisions.work.answer import LONGEST_ACTIVE, LONGEST_NOTE
from reviewqueue.api.shapes import BIGGEST, Shape
from reviewqueue.api.shapes_items import ItemShown

MOST_CLAIMED = 50


class Claim(Shape):
    count = serializers.IntegerField(default=1, min_value=1, max_value=MOST_CLAIMED)


class TaskShown(Shape):
    """A task that you hold: what you send under its `lease` counts until `lease_until`."""

    id = serializers.IntegerField()
    lease = serializers.IntegerField()
    lease_until = serializers.DateTimeField()
    purpose = serializers.ChoiceField([*Task.Purpose.values, redact.REVIEW])
    round = serializers.IntegerField()
    due_at = serializers.DateTimeField(required=False)
    item = ItemShown()


class Claimed(Shape):
    tasks = TaskShown(many=True)


class Lease(Shape):
    lease = serializers.IntegerField(min_value=0, max_value=BIGGEST, help_text="As the claim gave it.")


class Decide(Lease):
    outcome = serializers.CharField(max_length=50)
    reason = serializers.CharField(max_length=50, allow_blank=True, default="")
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, trim_whitespace=False, default="")
    active_seconds = serializers.FloatField(allow_null=True, min_value=0, max_value=LONGEST_ACTIVE, default=None)


class Skip(Lease):
    reason = serializers.ChoiceField(why.Skip.choices)


class Escalate(Lease):
    reason = serializers.ChoiceField(why.Escalate.choices)


class Hold(Lease):
    reason = serializers.ChoiceField(why.Hold.choices, allow_blank=True, default="")
    until = serializers.DateTimeField(allow_null=True, default=None, help_text="At most 72 hours ahead; else an hour.")


class Step(Shape):
    """Where a task stands after a step."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(Task.State.choices)
    round = serializers.IntegerField()
    lease = serializers.IntegerField()
    lease_until = serializers.DateTimeField(allow_null=True)


class OwnDecision(Shape):
    id = serializers.IntegerField()
    item = serializers.IntegerField()
    task = serializers.IntegerField()
    round = serializers.IntegerField()
    outcome = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class OwnRuling(Shape):
    """What holds from now on. Until `final_at` it can be undone, and nobody is told."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    no = serializers.IntegerField()
    outcome = serializers.CharField(help_text="Empty: nothing holds.")
    source = serializers.ChoiceField(Ruling.Source.choices)  # type: ignore[assignment]
    at = serializers.DateTimeField()
    final_at = serializers.DateTimeField()


class Decided(Shape):
    decision = OwnDecision()
    ruling = OwnRuling(allow_null=True, help_text="Null where the answer only measures.")


class Undone(Shape):
    task = Step()
    ruling = OwnRuling(allow_null=True)
