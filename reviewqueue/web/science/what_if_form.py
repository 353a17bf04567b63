"""What a person tries out: cuts, shares and people, as a form whose state stands in the address."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from decisions.measure.supposed.terms import WINDOWS, Terms

DAYS = 28  # that are looked at if nothing else is said
FIELDS = tuple(Terms.__dataclass_fields__)


def _number(label: Any, *, help_text: Any = "", required: bool = True, **limits: float) -> forms.FloatField:
    return forms.FloatField(label=label, help_text=help_text, required=required, **limits)  # type: ignore[arg-type]  # both limits are floats


class WhatIfForm(forms.Form):
    """Terms and the window they are tried on; a slider stands under each number that has a range."""

    mark_optional = False

    hard = _number(_("Hard from"), required=False, help_text=_("empty = nothing is automatic"))
    soft = _number(_("Soft from"), required=False, help_text=_("empty = people see everything"))
    suggest = _number(_("Suggest positive from"))
    control_share = _number(
        _("Control share"), min_value=0, max_value=1, help_text=_("of hard items, decided by people")
    )
    audit_budget = forms.IntegerField(
        label=_("Audits a day"), min_value=0, help_text=_("of what passes, decided by people, blind")
    )
    people = _number(_("People"), min_value=0)
    hours = _number(_("Hours a day, each"), min_value=0, max_value=24)
    handling_seconds = _number(_("Seconds a decision"), min_value=0.1)
    delay_hours = _number(
        _("Hours of delay"), min_value=0, help_text=_("by which a hard action comes later if people decide it")
    )
    days = forms.TypedChoiceField(label=_("On the traffic of the"), coerce=int)

    def __init__(self, query: QueryDict, *, start: Terms, low: float, high: float, has_delay: bool) -> None:
        super().__init__(_filled(query, start))
        days = self.fields["days"]
        assert isinstance(days, forms.TypedChoiceField)
        days.choices = [(n, ngettext("last %(n)s day", "last %(n)s days", n) % {"n": n}) for n in WINDOWS]
        for name in ("hard", "soft", "suggest"):
            self.fields[name].widget.attrs |= {"step": "any", "data-low": low, "data-high": high}
        most_people = max(10.0, 3 * start.people)
        spans = {
            "control_share": (0, 0.5),
            "audit_budget": (0, max(200, 4 * start.audit_budget)),
            "people": (0, most_people),
            "hours": (0, 24),
            "handling_seconds": (1, max(120.0, 3 * start.handling_seconds)),
        }
        for name, (least, most) in spans.items():
            self.fields[name].widget.attrs |= {"data-low": least, "data-high": most}
        for name in ("people", "hours", "handling_seconds", "control_share", "delay_hours"):
            self.fields[name].widget.attrs["step"] = "any"
        if not has_delay:
            del self.fields["delay_hours"]

    def terms(self) -> Terms:
        """Return what was typed; only of a valid form."""
        return Terms(**{name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data})


def _filled(query: QueryDict, start: Terms) -> dict[str, Any]:
    """Return what the address says; what it does not name is as it stands."""
    standing = {name: _plain(getattr(start, name)) for name in FIELDS}
    return {
        **standing,
        "days": str(DAYS),
        **{name: value for name, value in query.items() if name in (*FIELDS, "days")},
    }


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
