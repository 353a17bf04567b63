"""What a model owner types to change how scores become routes."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from decisions.exceptions import Fault
from decisions.models import ModelVersion, Policy, Queue
from decisions.routing import publish
from decisions.watch import filters

COPIED = (
    *("model", "hard", "soft", "suggest", "control_share"),
    *("audit_budget", "precision_target", "overload_soft", "control_floor", "audit_floor", "objective"),
)


def faults_of(form: forms.Form) -> list[Fault]:
    """Return what does not fit a form, each with its field."""
    return [Fault(name, "invalid", str(text)) for name, texts in form.errors.items() for text in texts]


class DraftForm(forms.Form):
    """A new policy: what differs from the live one, what it is for and why it changes. Cuts are in score units.

    It begins as the live policy is, but for what `asked` names: a page that advises a change links to it with that.
    """

    model = forms.ModelChoiceField(label=_("Model"), queryset=ModelVersion.objects.none(), required=False)
    hard = forms.FloatField(label=_("Hard from"), required=False, help_text=_("empty = nothing is automatic"))
    soft = forms.FloatField(label=_("Soft from"), required=False, help_text=_("empty = people see everything"))
    suggest = forms.FloatField(label=_("Suggest positive from"))
    control_share = forms.FloatField(
        label=_("Control share"), min_value=0, max_value=1, help_text=_("of hard items, decided by people")
    )
    audit_budget = forms.IntegerField(
        label=_("Audits a day"), min_value=0, help_text=_("of what is passed, drawn at random, decided by people")
    )
    precision_target = forms.FloatField(
        label=_("Precision target"),
        required=False,
        help_text=_("of hard, above 0 and below 1; alarms and canaries go by it"),
    )
    overload_soft = forms.FloatField(
        label=_("Soft under overload, at most"),
        required=False,
        help_text=_("how far the soft cut may rise by itself when it does not fit; empty = not at all"),
    )
    control_floor = forms.FloatField(
        label=_("Control share under overload, at least"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=_("empty = it is never lowered"),
    )
    audit_floor = forms.IntegerField(
        label=_("Audits a day under overload, at least"),
        required=False,
        min_value=0,
        help_text=_("empty = they are never lowered"),
    )
    recalibrate = forms.BooleanField(
        label=_("Recalibrate"),
        required=False,
        help_text=_("what scores mean, by recent labels; routes stay as they are"),
    )
    objective = forms.CharField(label=_("Objective"), max_length=500, widget=forms.Textarea({"rows": 2}))
    why = forms.CharField(label=_("Why it changes"), max_length=500, widget=forms.Textarea({"rows": 2}))

    def __init__(
        self, *args: Any, queue: Queue, live: Policy | None, asked: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        start = {name: getattr(live, name) for name in COPIED} if live is not None else {}
        start |= {name: asked[name] for name in (*COPIED, "why") if asked and name in asked and name != "model"}
        pinned = ModelVersion.objects.exclude(kind__in=(ModelVersion.Kind.SIMPLER, ModelVersion.Kind.FILTER))
        models = pinned.filter(queue=queue).order_by("-pk")
        named = models.filter(name=asked["model"]).first() if asked and asked.get("model") else None
        kwargs.setdefault("initial", {**start, "model": named} if named else start)
        super().__init__(*args, **kwargs)
        model = self.fields["model"]
        assert isinstance(model, forms.ModelChoiceField)
        model.queryset = models


class FilterForm(forms.Form):
    """Turning the filter on or off, and why."""

    why = forms.ChoiceField(label=_("Why"), choices=filters.Why.choices)
    is_on = forms.ChoiceField(choices=[("on", "on"), ("off", "off")], widget=forms.HiddenInput)


class WhyForm(forms.Form):
    """Why a policy takes a step, and the state in which the person saw it."""

    why = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea({"rows": 2}))
    state = forms.ChoiceField(choices=Policy.State.choices, required=False, widget=forms.HiddenInput)


class CanaryForm(WhyForm):
    """How much of the traffic a canary routes, and how far it may stray before it is stopped."""

    share = forms.FloatField(
        label=_("Share of the traffic"), initial=0.1, help_text=_("above 0 and below 1, by a hash of the external id")
    )
    factor = forms.FloatField(
        label=_("Stop at a factor of"),
        initial=publish.FACTOR,
        help_text=_("so many times more or fewer hard items than the live policy, above 1"),
    )
    field_order = ("share", "factor", "why", "state")
