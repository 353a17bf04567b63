"""A queue's month as a page to print."""

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from decisions.exceptions import Invalid
from decisions.measure import monthly, summary, value_words
from decisions.measure.dates import Days
from decisions.measure.monthly import Month
from decisions.measure.value import Beside
from decisions.models import Item, Queue, Task
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act
from decisions.watch import telling
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

ROUTES, PURPOSES = dict(Item.Route.choices), dict(Task.Purpose.choices)
WRITTEN = "%Y-%m"


class MonthForm(forms.Form):
    """The month; sent by GET, so that the address holds it."""

    mark_optional = False

    month = forms.CharField(label=_("Month"), required=False, widget=forms.TextInput({"type": "month"}))

    def __init__(self, asked: str, *, queue: Queue) -> None:
        self.queue, self.at = queue, log.now()
        super().__init__({"month": asked or monthly.month(None, queue, self.at).first.strftime(WRITTEN)})

    def clean_month(self) -> Days:
        """Refuse what is no month, and one that has not begun."""
        try:
            return monthly.month(self.cleaned_data["month"], self.queue, self.at)
        except Invalid as refusal:
            raise forms.ValidationError([fault.detail for fault in refusal.faults]) from refusal

    def days(self) -> Days:
        """Return the month; the one that is running where the one asked for makes no sense."""
        return self.cleaned_data["month"] if self.is_valid() else monthly.month(None, self.queue, self.at)


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the report of the month that the address names."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = MonthForm(request.GET.get("month", ""), queue=queue)
    days = form.days()
    found = monthly.read(queue, days, at=form.at)
    following = monthly.after(days.first)
    context = {
        "queue": queue,
        "form": form,
        "found": found,
        "title": formats.date_format(days.first, "YEAR_MONTH_FORMAT"),
        "earlier": monthly.before(days.first).strftime(WRITTEN),
        "later": following.strftime(WRITTEN) if following <= form.at.astimezone(queue.spec.zone).date() else "",
        "at": form.at,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
        "alerts": _alerts(found) if queues.may(person, queue, Act.SEE_ALERTS) else None,
        **_said(found, queue.spec, days),
    }
    return render(request, "science/report.html", context)


def _said(found: Month, spec: Spec, days: Days) -> dict[str, Any]:
    point, worth = found.point, found.worth
    return {
        "routes": [(ROUTES[key], found.routes.get(key, 0)) for key in Item.Route.values],
        "decisions": [(PURPOSES.get(key, key), n) for key, n in sorted(found.decisions.items())],
        "sentences": [_sentence(summary.precision(point, spec)), summary.sentence(point, spec)],
        "money": [value_words.sentence(worth.total, beside, worth.currency) for beside in Beside] if worth else [],
        "lines": _lines(found) if worth else [],
        "reasons": _reasons(found, spec),
        "window": f"from={_day(days.first)}&to={_day(days.last)}",
        "since": f"since={_day(days.first)}&until={_day(monthly.after(days.first))}",
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + gettext(".")


def _lines(found: Month) -> list[tuple[str, str]]:
    """Return what each route won against no model, in words."""
    assert found.worth is not None
    return [
        (str(ROUTES[route]), value_words.sentence(money, Beside.NO_MODEL, found.worth.currency, route))
        for route, money in found.worth.routes.items()
        if money.items
    ]


def _reasons(found: Month, spec: Spec) -> list[tuple[str, str, int]]:
    labels = {reason.code: reason.label for outcome in spec.outcomes for reason in outcome.reasons}
    return [(one.code, labels.get(one.code, one.code), one.n) for one in found.reasons]


def _alerts(found: Month) -> list[dict[str, Any]]:
    return [{"alert": alert, "sentence": telling.sentence(alert)} for alert in found.alerts]


def _day(day: date) -> str:
    return day.isoformat()
