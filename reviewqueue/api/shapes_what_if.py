"""What goes in and out when thresholds, shares and people are tried out, and what is advised."""

from rest_framework import serializers

from decisions.measure.supposed.terms import WINDOWS
from decisions.measure.thresholds import Bound, Verdict
from reviewqueue.api.shapes import BIGGEST, Shape

UNITS = ["items", "share", "hours", "seconds", "money"]
LIMITS = ["days", "labels", "futures", ""]


def _number(help_text: str = "") -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=help_text)


def _given(help_text: str = "", *, allow_null: bool = False) -> serializers.FloatField:
    return serializers.FloatField(required=False, allow_null=allow_null, help_text=help_text)


class WhatIf(Shape):
    """What to try out. What is left out is as it stands: the live policy, the people there are."""

    hard = _given("In the units of the model; null: nothing is automatic.", allow_null=True)
    soft = _given("Null: everything goes to people, so hard must be null too.", allow_null=True)
    suggest = _given()
    control_share = _given("Of hard items, 0 to 1.")
    audit_budget = serializers.IntegerField(required=False, min_value=0, max_value=BIGGEST, help_text="A day.")
    people = _given()
    hours = _given("A day, each.")
    handling_seconds = _given("That one decision takes.")
    delay_hours = _given("By which a right hard action comes later if people decide it, as in the control group.")
    policy = serializers.IntegerField(
        required=False, min_value=1, max_value=BIGGEST, help_text="Begin with this stored policy, by its number."
    )
    days = serializers.ChoiceField(WINDOWS, required=False, help_text="Of recent traffic; 28 unless said otherwise.")


class Terms(Shape):
    hard = _number()
    soft = _number()
    suggest = _number()
    control_share = _number()
    audit_budget = serializers.IntegerField()
    people = _number()
    hours = _number()
    handling_seconds = _number()
    delay_hours = _number()


class TriedFigure(Shape):
    """A figure and its limits. Null: not known, and `why` says why."""

    value = _number()
    low = _number()
    high = _number()
    guess = _number("What the model's own probabilities say; measured by nobody.")
    labels = serializers.IntegerField(allow_null=True, help_text="That it rests on; null: it is counted.")
    why = serializers.CharField(allow_blank=True)


class Line(Shape):
    key = serializers.CharField()
    unit = serializers.ChoiceField(UNITS, help_text="Items, hours and money are a day's.")
    limits = serializers.ChoiceField(
        LIMITS,
        help_text="What lies between the limits: eight of ten days, the truth at 95 %, nine of ten futures.",
    )
    live = TriedFigure()
    what_if = TriedFigure()
    difference = TriedFigure(help_text="On the same items.")


class Scored(Shape):
    """Items that the model of the tried policy scored too; both columns are of these, and they stand for all."""

    model = serializers.CharField()
    items = serializers.FloatField()
    of = serializers.FloatField(help_text="Items that the live policy's model scored in the window.")


class Tried(Shape):
    """What was tried, against the live policy on the same items. No line: nothing came in the window."""

    policy = serializers.IntegerField(help_text="The live one's number.")
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    items_per_day = _number()
    other_model_items = _number("Scored by another model and left out.")
    scored = Scored(allow_null=True, help_text="Null: the live policy's model scored what was tried.")
    labels_used = serializers.IntegerField(help_text="Labels with a truth, drawn from these items.")
    currency = serializers.CharField(allow_blank=True)
    live = Terms()
    what_if = Terms()
    lines = Line(many=True)


class HardAdvice(Shape):
    """The lowest threshold whose precision is certified, or how many labels are missing."""

    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    threshold = _number("Null: none is certified.")
    at = _number("The threshold that the figures are of.")
    precision = _number("As measured there.")
    low = _number("Its one-sided 95 % limit.")
    labels_used = serializers.IntegerField()
    needed = serializers.IntegerField(allow_null=True, help_text="More labels; null: no number will do.")
    sentence = serializers.CharField()


class SoftAdvice(Shape):
    """The threshold at which people have as much to do as they can, by day."""

    threshold = _number("Null: no review is possible or worth its cost.")
    bound = serializers.ChoiceField([bound.value for bound in Bound], help_text="What keeps it from being lower.")
    available = _number("Decisions that are left for it.")
    mean = _number("Items on a mean day.")
    volume = _number("Items on the busiest of ten days.")
    shadow_price = _number("What one more hour of work a day would bring; without a currency, positives found.")


class ControlAdvice(Shape):
    """The share of hard that shows within a week whether precision is above its target."""

    share = _number()
    wanted = serializers.IntegerField(help_text="Labels.")
    given = _number("Labels a week at this share.")
    is_enough = serializers.BooleanField()
    review_cost = _number("A week.")
    delay_cost = _number("A week.")


class Advised(Shape):
    """What the numbers speak for; null where there is nothing to go by."""

    policy = serializers.IntegerField(allow_null=True, help_text="The live one's number; null: none is live.")
    target = _number("The precision that its hard actions shall reach.")
    currency = serializers.CharField(allow_blank=True)
    hard = HardAdvice(allow_null=True)
    soft = SoftAdvice(allow_null=True)
    control = ControlAdvice(allow_null=True)
