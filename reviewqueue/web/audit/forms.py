"""What an auditor looks for, and how a person overrides."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.models import Item, Policy, Queue, Ruling, Task, User
from decisions.queues.spec import Spec
from decisions.record.history import Wanted, Which

ANY: tuple[str, Any] = ("", _("any"))


class HistoryForm(forms.Form):
    """The filter of the override history; sent by GET, so that the address holds it."""

    mark_optional = False

    which = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            (Which.OVERRIDES.value, _("Overrides")),
            (Which.REVERSALS.value, _("Reversals")),
            (Which.ALL.value, _("All rulings")),
        ],
    )
    person = forms.ChoiceField(label=_("Who"), required=False)
    was = forms.ChoiceField(label=pgettext_lazy("outcome", "From"), required=False)
    outcome = forms.ChoiceField(label=pgettext_lazy("outcome", "To"), required=False)
    reason = forms.ChoiceField(label=_("Reason"), required=False)
    source = forms.ChoiceField(label=_("How"), required=False, choices=[ANY, *Ruling.Source.choices])
    purpose = forms.ChoiceField(label=_("Purpose"), required=False, choices=[ANY, *Task.Purpose.choices])
    route = forms.ChoiceField(label=_("Route"), required=False, choices=[ANY, *Item.Route.choices])
    policy = forms.ChoiceField(label=_("Policy"), required=False)
    since = forms.DateField(label=_("Since"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("Before"), required=False, widget=forms.DateInput({"type": "date"}))
    is_simulated = forms.ChoiceField(
        label=pgettext_lazy("real or simulated", "People"),
        required=False,
        choices=[ANY, ("no", _("real")), ("yes", _("simulated"))],
    )
    text = forms.CharField(label=_("Note has"), required=False, max_length=100)

    def __init__(self, *args: Any, queue: Queue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spec, self.zone = queue.spec, queue.spec.zone
        outcomes = [ANY, *((outcome.key, outcome.label) for outcome in spec.outcomes)]
        reasons = {reason.code: reason.label for outcome in spec.outcomes for reason in outcome.reasons}
        people = User.objects.filter(memberships__queue__in=[queue.pk, None]).distinct().order_by("name", "email")
        shared = User.objects.filter(memberships__queue=None).distinct()
        policies = Policy.objects.filter(queue=queue).order_by("-no").values_list("no", flat=True)
        self._choose("was", outcomes)
        self._choose("outcome", outcomes)
        self._choose("reason", [ANY, *reasons.items()])
        self._choose("person", [ANY, *((str(user.pk), str(user)) for user in (people | shared).distinct())])
        self._choose("policy", [ANY, *((str(no), str(no)) for no in policies)])

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def wanted(self) -> Wanted:
        """Return the filter as the core takes it; what is not valid does not narrow."""
        given = self.cleaned_data if self.is_valid() else {}
        told: dict[str, Any] = {name: value for name, value in given.items() if value not in ("", None)}
        for name in ("person", "policy"):
            if name in told:
                told[name] = int(told[name])
        for name in ("since", "until"):
            if name in told:
                midnight = datetime.combine(told[name], time.min)
                told[name] = timezone.make_aware(midnight, self.zone)
        if "is_simulated" in told:
            told["is_simulated"] = told["is_simulated"] == "yes"
        told["which"] = Which(told.get("which", Which.OVERRIDES))
        return Wanted(**told)


class OverrideForm(forms.Form):
    """What a person concludes instead."""

    outcome = forms.ChoiceField(label=_("It is"))
    reason = forms.ChoiceField(label=_("Because"), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=4000, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, spec: Spec, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outcome, reason = self.fields["outcome"], self.fields["reason"]
        assert isinstance(outcome, forms.ChoiceField)
        assert isinstance(reason, forms.ChoiceField)
        outcome.choices = [(one.key, one.label) for one in spec.outcomes]
        groups = [(one.label, [(r.code, r.label) for r in one.reasons]) for one in spec.outcomes if one.reasons]
        reason.choices = [("", ""), *groups]
