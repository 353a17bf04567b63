"""What goes in and out about rights: the table, its versions, and who is a member of a queue."""

from rest_framework import serializers

from decisions.models import Item, Membership, Task, User
from decisions.rights import Act, Own
from decisions.rights.edit import LONGEST
from reviewqueue.api.shapes import BIGGEST, Shape

ACTS = [(act.value, act.value) for act in Act]
STATES = ("waiting", "enacted", "refused", "withdrawn", "overtaken")
WHOLE = "Your own words; they are kept for ever."


class LimitShape(Shape):
    """How far a right goes; null instead of it = not at all."""

    is_valued = serializers.BooleanField(required=False, help_text="The person's own value limit applies.")
    up_to = serializers.FloatField(required=False, allow_null=True, help_text="No value above this; null = any.")
    rank = serializers.ChoiceField(Task.Rank.choices, required=False)
    own = serializers.ChoiceField([(own.value, own.value) for own in Own], required=False)
    purposes = serializers.ListField(
        child=serializers.ChoiceField(Task.Purpose.choices), required=False, allow_null=True, help_text="Null = all."
    )
    routes = serializers.ListField(
        child=serializers.ChoiceField(Item.Route.choices), required=False, allow_null=True, help_text="Null = all."
    )


class CellsField(serializers.DictField):
    """{right: {role: limit}}."""

    child = serializers.DictField(child=LimitShape(allow_null=True))


class RightsChangeShape(Shape):
    act = serializers.ChoiceField(ACTS)
    role = serializers.ChoiceField(Membership.Role.choices)
    before = LimitShape(allow_null=True)
    after = LimitShape(allow_null=True)
    is_raised = serializers.BooleanField()
    is_lowered = serializers.BooleanField()


class RightsVersionShape(Shape):
    """One version of the rights, and what became of it."""

    no = serializers.IntegerField()
    state = serializers.ChoiceField([(state, state) for state in STATES])
    author = serializers.CharField()
    why = serializers.CharField()
    created_at = serializers.DateTimeField()
    restores = serializers.IntegerField(allow_null=True, help_text="The version whose cells it brings back.")
    answered_by = serializers.CharField(allow_null=True)
    answer = serializers.CharField(help_text="Why it was agreed to, refused or withdrawn.")
    answered_at = serializers.DateTimeField(allow_null=True)
    changes = RightsChangeShape(many=True, help_text="Against the version that was in force before.")


class RightsShape(Shape):
    """The rights in force."""

    version = serializers.IntegerField(help_text="0: none of its own; a queue's are the site's, the site's in code.")
    content = CellsField(help_text="What this version states: the site's whole table, or what the queue has otherwise.")
    table = CellsField(help_text="All rights as they hold there.")
    waiting = RightsVersionShape(allow_null=True, help_text="What waits for a second person.")


class RightsVersionsShape(Shape):
    versions = RightsVersionShape(many=True, help_text="Newest first.")


class PreviewRights(Shape):
    content = CellsField(help_text="Replaces the whole content; a cell left out is that of the table below.")


class ProposeRights(PreviewRights):
    why = serializers.CharField(max_length=LONGEST, help_text=WHOLE)
    base = serializers.IntegerField(
        required=False, min_value=0, max_value=BIGGEST, help_text="The version you looked at: 409 when it moved on."
    )


class AnswerRights(Shape):
    why = serializers.CharField(max_length=LONGEST, help_text=WHOLE)


class RightsPreviewShape(Shape):
    changes = RightsChangeShape(many=True)
    waits = serializers.BooleanField(help_text="A second person has to agree, for somebody gains.")
    seconds = serializers.ListField(child=serializers.CharField(), help_text="Who may agree.")


class MemberShape(Shape):
    person = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(User.Kind.choices)
    role = serializers.ChoiceField(Membership.Role.choices)
    value_limit = serializers.FloatField(allow_null=True)
    everywhere = serializers.BooleanField(help_text="By a membership on all queues, which is not changed here.")


class MembersShape(Shape):
    members = MemberShape(many=True)


class ChangeMember(Shape):
    person = serializers.IntegerField(required=False, min_value=1, help_text="Their id, or:")
    email = serializers.EmailField(required=False, help_text="Their address, of somebody who is here already.")
    role = serializers.ChoiceField(
        Membership.Role.choices, allow_blank=True, help_text="Empty: no longer a member here."
    )
    value_limit = serializers.FloatField(required=False, allow_null=True, help_text="Null = any value.")


class MemberChanged(Shape):
    changed = serializers.BooleanField()
