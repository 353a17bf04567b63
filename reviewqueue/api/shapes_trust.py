"""How far people lean on suggestions, as the schema shows it."""

from rest_framework import serializers

from decisions.measure import proposals, reliance
from reviewqueue.api.shapes import Shape


class Share(Shape):
    """A share of decisions with its exact 95 % interval; `value` is null under 30 of them: not measured."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField()
    high = serializers.FloatField()
    hits = serializers.IntegerField()
    n = serializers.IntegerField()


class GapShape(Shape):
    """By how much more often people agree when shown, within strata of score; null: too few of either kind."""

    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    covered = serializers.FloatField(help_text="The share of what was shown that lies where both kinds are.")


class WarningShape(Shape):
    kind = serializers.ChoiceField([kind.value for kind in reliance.Kind])
    sentence = serializers.CharField()


class RelianceShape(Shape):
    shown = Share(help_text="Agreement where the suggestion was shown.")
    hidden = Share(help_text="Agreement where it was hidden.")
    gap = GapShape()
    followed_shown = Share(help_text="Of wrong suggestions that were shown, those followed.")
    followed_hidden = Share(help_text="Of wrong suggestions that were hidden, those answered alike.")
    refused = Share(help_text="Of right suggestions that were shown, those overridden.")
    hasty = Share(help_text="Of timed agreements, those under a third of the usual time without a suggestion.")
    overridden = Share(help_text="Of suggestions that were shown, those overridden.")
    wrong = Share(help_text="Of suggestions whose truth is known, those that were wrong.")
    warnings = WarningShape(many=True)


class LeaningPerson(Shape):
    person = serializers.IntegerField()
    name = serializers.CharField()
    reliance = RelianceShape()


class WeekShape(Shape):
    start = serializers.DateTimeField()
    shown = Share()
    hidden = Share()


class ReasonShape(Shape):
    code = serializers.CharField()
    overrides = serializers.IntegerField()
    money = serializers.FloatField(allow_null=True, help_text="What they are worth if they are right.")
    segment = serializers.CharField(allow_blank=True, help_text="Where most of them are.")
    in_segment = serializers.IntegerField()


class AnswerShape(Shape):
    is_taken = serializers.BooleanField()
    why = serializers.CharField(allow_blank=True)
    person = serializers.IntegerField()
    at = serializers.DateTimeField()


class ProposalShape(Shape):
    kind = serializers.ChoiceField([kind.value for kind in proposals.Kind])
    key = serializers.CharField(help_text="Names it in its queue.")
    sentence = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    segment = serializers.CharField(allow_blank=True)
    cut = serializers.FloatField(allow_null=True, help_text="The threshold of suggestions that is proposed.")
    answer = AnswerShape(allow_null=True)


class SignalsShape(Shape):
    """Weak evidence: where to look, never what an item is."""

    item = serializers.IntegerField()
    external_id = serializers.CharField()
    skips = serializers.IntegerField()
    holds = serializers.IntegerField()
    reopened = serializers.IntegerField()
    reversed = serializers.IntegerField()
    notes = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True, help_text="The longest look.")


class TrustShape(Shape):
    """How far people lean on suggestions and what their overrides say; `people` is null for who may not see them."""

    start = serializers.DateTimeField(help_text="Later than asked for where the newest 40,000 decisions begin later.")
    end = serializers.DateTimeField()
    decisions = serializers.IntegerField()
    simulated = serializers.IntegerField(help_text="Of these by simulated reviewers.")
    whole = RelianceShape()
    over_time = WeekShape(many=True)
    people = LeaningPerson(many=True, allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    reasons = ReasonShape(many=True)
    proposals = ProposalShape(many=True)
    signals = SignalsShape(many=True)


class ProposalAsked(Shape):
    kind = serializers.ChoiceField([kind.value for kind in proposals.Kind])
    key = serializers.CharField(max_length=200)
    is_taken = serializers.BooleanField(help_text="true: taken up; false: dismissed.")
    why = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="Needed to dismiss it.")
