"""What calls about a queue's team take and answer."""

from rest_framework import serializers

from decisions.models import Exclusion, Handover, Membership, Presence, Task
from decisions.work import why
from reviewqueue.api.shapes import Shape

PLANNED = (Handover.Kind.RELEASE, Handover.Kind.MOVE, Handover.Kind.BALANCE)


class HeldTask(Shape):
    id = serializers.IntegerField()
    external_id = serializers.CharField()
    state = serializers.ChoiceField(Task.State.choices)
    due_at = serializers.DateTimeField()
    until = serializers.DateTimeField(
        allow_null=True, help_text="When the hold is over, or when it is everybody's again."
    )


class TeamMember(Shape):
    """A person who can be given work on the queue."""

    person = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Membership.Role.choices)
    skills = serializers.ListField(child=serializers.CharField())
    is_at_work = serializers.BooleanField(
        help_text="Holds a task, decided one in the last 15 minutes, or is at the desk."
    )
    place = serializers.ChoiceField([*Presence.Place.values, ""], help_text="Which page is open now, if one is.")
    held = HeldTask(many=True)
    kept = HeldTask(many=True, help_text="Assigned and not taken yet.")


class Team(Shape):
    at = serializers.DateTimeField()
    members = TeamMember(many=True)


class Assign(Shape):
    person = serializers.IntegerField(min_value=1)
    reason = serializers.ChoiceField(why.Handover.choices)
    until = serializers.DateTimeField(required=False, help_text="Kept until then; four hours if not said, 72 at most.")


class GiveBack(Shape):
    reason = serializers.ChoiceField(why.Handover.choices)


class AssignedTask(Shape):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(Task.State.choices)
    person = serializers.IntegerField(allow_null=True, help_text="For whom it is kept; null: for everybody.")
    until = serializers.DateTimeField(allow_null=True)


class PreviewHandover(Shape):
    kind = serializers.ChoiceField([kind.value for kind in PLANNED])
    person = serializers.IntegerField(required=False, min_value=1, help_text="Whose work; not for `balance`.")


class DoHandover(PreviewHandover):
    digest = serializers.CharField(max_length=32, help_text="Of the preview: refused if anything changed since.")
    reason = serializers.ChoiceField(why.Handover.choices)


class HandoverStep(Shape):
    task = serializers.IntegerField()
    external_id = serializers.CharField()
    whose = serializers.IntegerField(allow_null=True, help_text="Whose it is now.")
    to = serializers.IntegerField(allow_null=True, help_text="Whom it goes to; null: back to everybody.")


class HandoverPlan(Shape):
    kind = serializers.ChoiceField([kind.value for kind in PLANNED])
    digest = serializers.CharField()
    steps = HandoverStep(many=True)


class HandoverDone(Shape):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Handover.Kind.choices)
    tasks = serializers.IntegerField()
    at = serializers.DateTimeField()
    undo_until = serializers.DateTimeField()


class HandoverUndone(Shape):
    id = serializers.IntegerField()
    tasks = serializers.IntegerField(help_text="So many were put back; the others had been taken or changed since.")


class ExclusionShape(Shape):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Exclusion.Kind.choices)
    key = serializers.CharField(help_text="An item's external id, or a subject's keyed digest: its name is not stored.")
    why = serializers.ChoiceField(Exclusion.Why.choices)
    by = serializers.IntegerField()
    at = serializers.DateTimeField()


class Colleague(Shape):
    """A person's place on a queue."""

    person = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Membership.Role.choices)
    value_limit = serializers.FloatField(allow_null=True)
    skills = serializers.ListField(child=serializers.CharField())
    known_skills = serializers.ListField(
        child=serializers.CharField(), help_text="What items of the queue can ask for."
    )
    tasks = HeldTask(many=True)
    exclusions = ExclusionShape(many=True)


class SetSkills(Shape):
    skills = serializers.ListField(child=serializers.CharField(max_length=200), max_length=200)


class Skills(Shape):
    skills = serializers.ListField(child=serializers.CharField())


class Exclude(Shape):
    kind = serializers.ChoiceField(Exclusion.Kind.choices)
    name = serializers.CharField(max_length=200, help_text="A subject as it comes with items, or an external id.")
    why = serializers.ChoiceField(Exclusion.Why.choices)


class OptOuts(Shape):
    categories = serializers.ListField(child=serializers.CharField(max_length=200), max_length=200)


class Zone(Shape):
    timezone = serializers.CharField(max_length=40, allow_blank=True)


class OwnWork(Shape):
    """For the person's own eyes."""

    opt_outs = serializers.ListField(child=serializers.CharField())
    categories = serializers.ListField(child=serializers.CharField(), help_text="Out of which one may opt.")
    seen_today = serializers.DictField(child=serializers.IntegerField(), help_text="Answered items by category.")
    seen_last_hour = serializers.IntegerField()
    at_it_since = serializers.DateTimeField(allow_null=True)
    is_break_due = serializers.BooleanField()
    exclusions = ExclusionShape(many=True)


class ShiftShape(Shape):
    id = serializers.IntegerField()
    person = serializers.IntegerField(allow_null=True, help_text="By name; null: so many people.")
    people = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True, help_text="Decisions per person and hour; null: as measured.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class AbsenceShape(Shape):
    id = serializers.IntegerField()
    person = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class Schedule(Shape):
    shifts = ShiftShape(many=True)
    absences = AbsenceShape(many=True)


class EnterShift(Shape):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    people = serializers.IntegerField(required=False, min_value=1, max_value=10_000)
    rate = serializers.FloatField(required=False, min_value=0.1)
    person = serializers.IntegerField(required=False, min_value=1, help_text="A person by name; `people` is 1 then.")


class EnterAbsence(Shape):
    person = serializers.IntegerField(min_value=1)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
