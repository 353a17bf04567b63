"""What a model owner types to change how scores become routes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from decisions.models import ModelVersion, Policy, Queue


class DraftForm(forms.Form):
    """A new policy: what differs from the live one, what it is for and why it changes. Cuts are in score units."""

    model = forms.ModelChoiceField(label=_("Model"), queryset=ModelVersion.objects.none(), required=False)
    hard = forms.FloatField(label=_("Hard from"), required=False, help_text=_("empty = nothing is automatic"))
    soft = forms.FloatField(label=_("Soft from"), required=False, help_text=_("empty = people see everything"))
    suggest = forms.FloatField(label=_("Suggest positive from"))
    control_share = forms.FloatField(
        label=_("Control share"), min_value=0, max_value=1, help_text=_("of hard items, decided by people")
    )
    objective = forms.CharField(label=_("Objective"), max_length=500, widget=forms.Textarea({"rows": 2}))
    why = forms.CharField(label=_("Why it changes"), max_length=500, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, queue: Queue, live: Policy | None, **kwargs: Any) -> None:
        if live is not None:
            names = ("model", "hard", "soft", "suggest", "control_share", "objective")
            kwargs.setdefault("initial", {name: getattr(live, name) for name in names})
        super().__init__(*args, **kwargs)
        model = self.fields["model"]
        assert isinstance(model, forms.ModelChoiceField)
        model.queryset = ModelVersion.objects.filter(queue=queue).order_by("-pk")


class WhyForm(forms.Form):
    """Why a policy goes live or back."""

    why = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea({"rows": 2}))
