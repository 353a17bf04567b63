"""The record: overrides, appeals, decisions, rulings, events, actions and what became of them."""

from rest_framework import serializers

from decisions import redact
from decisions.effects.results import LONGEST as LONGEST_RESULT
from decisions.models import Action, Appeal, Event, PendingOverride, Ruling, Task
from decisions.queues.spec import Truth
from decisions.record.history import What
from decisions.work.answer import LONGEST_NOTE
from reviewqueue.api.shapes import Shape
from reviewqueue.api.shapes_items import AlikeShown, ItemShown
from reviewqueue.api.shapes_work import OwnRuling


class Override(Shape):
    outcome = serializers.CharField(max_length=50)
    reason = serializers.CharField(max_length=50, allow_blank=True, default="")
    note = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, trim_whitespace=False, default="")


class Overridden(Shape):
    ruling = OwnRuling()


class PendingOverrideShape(Shape):
    """An override that waits, or waited, for a second person. What one asked for oneself is never hidden."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    act = serializers.CharField(help_text="The right under which it is made, which the second person needs too.")
    was = serializers.CharField(help_text="The outcome that was in force when it was asked for.")
    outcome = serializers.CharField()
    reason = serializers.CharField()
    note = serializers.CharField()
    person = serializers.IntegerField()
    person_name = serializers.CharField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(PendingOverride.State.choices)
    closer = serializers.IntegerField(allow_null=True)
    closer_name = serializers.CharField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    reply = serializers.CharField(help_text="Why it was confirmed, refused or withdrawn.")
    ruling = serializers.IntegerField(allow_null=True, help_text="What holds since it was confirmed.")


class OverrideWaits(Shape):
    pending = PendingOverrideShape()


class AppealShape(Shape):
    """An objection to what held for an item, and how it ended. A new one is `open`."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    task = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(Appeal.State.choices)
    was = serializers.CharField(help_text="The outcome that it is against.")
    statement = serializers.CharField()
    filed_by = serializers.IntegerField()
    filed_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="By then it is to be judged; it never ends by itself.")
    closed_at = serializers.DateTimeField(allow_null=True)
    decision = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text="What was concluded.")
    reason = serializers.CharField(allow_null=True)


class FileAppeal(Shape):
    statement = serializers.CharField(max_length=4000, help_text="What is objected to, in the words of who appeals.")
    reference = serializers.CharField(
        max_length=200, allow_blank=True, default="", help_text="Your name for it: sent again, it is the same appeal."
    )


class ConfirmOverride(Shape):
    why = serializers.CharField(max_length=500, allow_blank=True, default="")


class TurnDownOverride(Shape):
    why = serializers.CharField(max_length=500)


class DecisionShape(Shape):
    """What somebody answered to a task round. `suggested` and `was_shown` are missing while hidden from you."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    task = serializers.IntegerField()
    round = serializers.IntegerField()
    purpose = serializers.ChoiceField([*Task.Purpose.values, redact.REVIEW])
    person = serializers.IntegerField()
    person_name = serializers.CharField(help_text="As they are called now.")
    outcome = serializers.CharField()
    reason = serializers.CharField()
    note = serializers.CharField()
    suggested = serializers.CharField(required=False)
    was_shown = serializers.BooleanField(required=False)
    active_seconds = serializers.FloatField(allow_null=True)
    claimed_at = serializers.DateTimeField()
    at = serializers.DateTimeField()


class RulingShape(Shape):
    """What held for an item from `at` on, until a later one."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    no = serializers.IntegerField()
    outcome = serializers.CharField(help_text="Empty: nothing holds any more.")
    truth = serializers.ChoiceField([truth.value for truth in Truth])
    source = serializers.ChoiceField(Ruling.Source.choices)  # type: ignore[assignment]
    decision = serializers.IntegerField(allow_null=True)
    person = serializers.IntegerField(allow_null=True)
    person_name = serializers.CharField(allow_null=True)
    replaces = serializers.IntegerField(allow_null=True)
    was = serializers.CharField(required=False, help_text="What held, or what the machine suggested or did.")
    is_override = serializers.BooleanField(required=False)
    is_reversal = serializers.BooleanField(required=False)
    reason = serializers.CharField()
    note = serializers.CharField()
    policy_version = serializers.IntegerField(required=False)
    model_version = serializers.CharField(allow_null=True, required=False)
    at = serializers.DateTimeField()
    final_at = serializers.DateTimeField()


class EventShape(Shape):
    """One line of the record; `hash` seals it and all lines before it."""

    id = serializers.IntegerField()
    chain = serializers.IntegerField(help_text="The queue's id; 0 for the site.")
    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(Event.Kind.choices)
    actor = serializers.IntegerField(allow_null=True)
    actor_name = serializers.CharField(allow_null=True)
    item = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    entry = serializers.DictField(allow_null=True, help_text="Null while it would tell what is hidden from you.")
    version = serializers.IntegerField()
    hash = serializers.RegexField("^[0-9a-f]{64}$")
    at = serializers.DateTimeField()


class ActionShape(Shape):
    """One thing that the outside world is told; `result` is what it says it really did."""

    id = serializers.IntegerField()
    item = serializers.IntegerField()
    external_id = serializers.CharField()
    ruling = serializers.IntegerField(allow_null=True, help_text="Null: the machine did it.")
    name = serializers.CharField()
    state = serializers.ChoiceField(Action.State.choices)
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    result = serializers.ChoiceField(Action.Result.choices, allow_blank=True)
    result_detail = serializers.CharField()
    result_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class Result(Shape):
    result = serializers.ChoiceField(Action.Result.choices)
    detail = serializers.CharField(max_length=LONGEST_RESULT, allow_blank=True, default="")


class Resulted(Shape):
    id = serializers.IntegerField()
    result = serializers.ChoiceField(Action.Result.choices)
    result_detail = serializers.CharField()
    result_at = serializers.DateTimeField()


class StepShown(Shape):
    """One step of an item's life; `details` are those of the row that tells of it."""

    at = serializers.DateTimeField()
    what = serializers.ChoiceField([what.value for what in What])
    person = serializers.IntegerField(allow_null=True)
    person_name = serializers.CharField(allow_null=True)
    details = serializers.DictField()


class Life(Shape):
    item = ItemShown()
    similar = AlikeShown(many=True, help_text="Like items that people decided, the most alike first; up to five.")
    ruling = RulingShape(allow_null=True, help_text="What holds; null where nothing does, or it is hidden from you.")
    life = StepShown(many=True, help_text="Oldest first.")
