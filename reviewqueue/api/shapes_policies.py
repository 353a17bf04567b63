"""What goes in and out about policies: their terms, the steps of their life, and how a canary stands."""

from rest_framework import serializers

from decisions.models import Policy, PolicyChange
from decisions.routing import publish
from decisions.routing.guard import Sign, Verdict
from reviewqueue.api.shapes import BIGGEST, Shape

TERMS = (
    *("hard", "soft", "suggest", "control_share", "audit_budget", "precision_target", "calibration"),
    *("overload_soft", "control_floor", "audit_floor"),
    *("canary_share", "canary_factor", "objective", "why", "created_at", "live_at", "retired_at"),
)


class PolicyStepShape(Shape):
    """One step in the life of a policy."""

    kind = serializers.ChoiceField(PolicyChange.Kind.choices)
    person = serializers.CharField(allow_null=True, help_text="Null: the machine, or the server's shell.")
    why = serializers.CharField()
    at = serializers.DateTimeField()


class PolicyShape(serializers.ModelSerializer[Policy]):
    """One version of how scores become routes; cuts in the units of the model, null is no cut."""

    model_version = serializers.CharField(allow_null=True)
    author = serializers.CharField(allow_null=True)
    steps = PolicyStepShape(many=True, help_text="Oldest first.")

    class Meta:
        model = Policy
        fields = ("no", "state", "model_version", *TERMS, "author", "steps")


class Policies(Shape):
    policies = PolicyShape(many=True)


class PolicyDraft(Shape):
    """What a draft has that the live policy has not; what is left out stays as it is."""

    why = serializers.CharField(max_length=1000, help_text="Why it changes.")
    objective = serializers.CharField(required=False, max_length=1000)
    model_version = serializers.CharField(required=False, allow_null=True, max_length=100)
    hard = serializers.FloatField(required=False, allow_null=True, help_text="Null: nothing is automatic.")
    soft = serializers.FloatField(required=False, allow_null=True, help_text="Null: people see everything.")
    suggest = serializers.FloatField(required=False)
    control_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    audit_budget = serializers.IntegerField(required=False, min_value=0, max_value=BIGGEST)
    precision_target = serializers.FloatField(required=False, allow_null=True)
    overload_soft = serializers.FloatField(
        required=False, allow_null=True, help_text="How far overload may raise soft; null: not at all."
    )
    control_floor = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="Null: it is never lowered."
    )
    audit_floor = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=BIGGEST, help_text="Null: they are never lowered."
    )
    recalibrate = serializers.BooleanField(
        required=False, help_text="Fit what its model's scores mean to the labels of the last 28 days."
    )


class TakeStep(Shape):
    why = serializers.CharField(max_length=1000)
    state = serializers.ChoiceField(
        Policy.State.choices, required=False, help_text="The state you saw: 409 when it is another one by now."
    )


class StartCanary(TakeStep):
    share = serializers.FloatField(help_text="Of the traffic, above 0 and below 1.")
    factor = serializers.FloatField(
        default=publish.FACTOR, help_text="How far its share of HARD may be from the live policy's, up or down."
    )


class RollBack(Shape):
    why = serializers.CharField(max_length=1000)
    to = serializers.IntegerField(
        required=False, min_value=1, max_value=BIGGEST, help_text="Another policy that was live; else the one before."
    )


class PolicyChangeShape(Shape):
    policy = serializers.IntegerField()
    kind = serializers.ChoiceField(PolicyChange.Kind.choices)
    state = serializers.ChoiceField(Policy.State.choices, help_text="In which the policy is now.")
    live = serializers.IntegerField(allow_null=True, help_text="The number of the policy that is live now.")
    replaced = serializers.IntegerField(allow_null=True)
    why = serializers.CharField()
    at = serializers.DateTimeField()


class GuardSide(Shape):
    """A share with limits that hold however often one looks."""

    hits = serializers.IntegerField()
    of = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField()
    high = serializers.FloatField()


class GuardCheck(Shape):
    sign = serializers.ChoiceField([(sign.value, sign.value) for sign in Sign])
    verdict = serializers.ChoiceField([(verdict.value, verdict.value) for verdict in Verdict])
    canary = GuardSide()
    live_policy = GuardSide(allow_null=True, help_text="Null where the canary is compared with its own target.")
    needed = serializers.IntegerField(help_text="So many are waited for before it is judged.")
    factor = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)
    wealth = serializers.FloatField(allow_null=True, help_text="Of the bets against the target: fails at 20.")


class Trial(Shape):
    policy = serializers.IntegerField()
    live = serializers.IntegerField()
    share = serializers.FloatField()
    since = serializers.DateTimeField()
    fresh_at = serializers.DateTimeField(allow_null=True, help_text="Up to when it was counted.")
    checks = GuardCheck(many=True)


class Canary(Shape):
    canary = Trial(allow_null=True, help_text="Null: none runs.")
