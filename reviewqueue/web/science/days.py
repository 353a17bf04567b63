"""The days that a page speaks of, as its address says."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from decisions.exceptions import Invalid
from decisions.measure import dates
from decisions.measure.dates import Days
from decisions.models import Queue
from decisions.record import log


class DaysForm(forms.Form):
    """The first and the last day; sent by GET, so that the address holds them."""

    mark_optional = False

    def __init__(self, query: QueryDict, *, queue: Queue, usual: int, most: int) -> None:
        self.zone, self.usual, self.most, self.at = queue.spec.zone, usual, most, log.now()
        shown = self._read(None, None)
        given = {"from": query.get("from") or shown.first.isoformat(), "to": query.get("to") or shown.last.isoformat()}
        super().__init__(given)
        day = {"required": False, "widget": forms.DateInput({"type": "date"})}
        self.fields["from"] = forms.CharField(label=pgettext_lazy("day", "From"), **day)  # type: ignore[arg-type]
        self.fields["to"] = forms.CharField(label=_("To and including"), **day)  # type: ignore[arg-type]

    def clean(self) -> dict[str, Any]:
        """Refuse days that are none, in the wrong order, to come or too many."""
        told = self.cleaned_data
        try:
            told["days"] = self._read(told.get("from"), told.get("to"))
        except Invalid as refusal:
            for fault in refusal.faults:
                self.add_error(fault.field, fault.detail)
        return told

    def days(self) -> Days:
        """Return the days; the usual ones where those asked for make no sense."""
        return self.cleaned_data["days"] if self.is_valid() else self._read(None, None)

    def _read(self, first: str | None, last: str | None) -> Days:
        return dates.days(first, last, self.zone, self.at, usual=self.usual, most=self.most)
