"""How far people lean on suggestions, what they override, and what that says is to be mended."""

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import Conflict, Invalid
from decisions.measure import proposals, trust, trust_words, value_words
from decisions.measure.reliance import Reliance
from decisions.measure.trust import Moment, Told, Trust
from decisions.models import Queue
from decisions.rights import Act
from decisions.work import proposed
from reviewqueue.web import queues, series
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.days import DaysForm

USUAL = 28


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how far people lean on suggestions in the days that the address names."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    form = _form(request.GET, queue)
    days = form.days()
    found = trust.of_queue(queue, person, days.start, days.end, at=form.at)
    may_answer = queues.may(person, queue, Act.DRAFT_POLICY)
    context = {
        "queue": queue,
        "form": form,
        "found": found,
        "window": {"from": days.first.isoformat(), "to": days.last.isoformat()},
        "history": f"which=overrides&since={days.first.isoformat()}",
        "is_reader": not may_answer,
        **_said(found, queue),
    }
    return render(request, "science/trust.html", context)


@login_required
@require_POST
def answer(request: HttpRequest, slug: str) -> HttpResponse:
    """Take up a proposal or dismiss it with a reason."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    given = request.POST
    days = _form(given, queue).days()
    try:
        told = proposed.answer(
            queue=queue,
            kind=given.get("kind", ""),
            key=given.get("key", ""),
            is_taken=given.get("taken") == "yes",
            why=given.get("why", ""),
            by=person,
            within=(days.start, days.end),
        )
        messages.success(request, _("Taken up.") if told.is_taken else _("Dismissed."))
    except Invalid as refusal:
        messages.error(request, " ".join(str(fault.detail) for fault in refusal.faults))
    except Conflict as refusal:
        messages.error(request, str(refusal))
    window = urlencode({"from": days.first.isoformat(), "to": days.last.isoformat()})
    return redirect(f"{reverse('science:trust', args=[slug])}?{window}")


def _form(query: QueryDict, queue: Queue) -> DaysForm:
    return DaysForm(query, queue=queue, usual=USUAL, most=trust.MOST_DAYS)


def _said(found: Trust, queue: Queue) -> dict[str, Any]:
    spec = queue.spec
    return {
        "gap": trust_words.gap(found.whole.gap),
        "warnings": warned(found.whole),
        "people": [
            {"user": one.user, "reliance": one.reliance, "warnings": warned(one.reliance)} for one in found.people or ()
        ],
        "reasons": [
            {
                "row": one,
                "label": trust_words.reason(one.code, spec),
                "money": None if one.money is None else value_words.signed(one.money, found.currency),
            }
            for one in found.reasons
        ],
        "proposals": [_proposal(one, queue) for one in found.proposals],
        "chart": over_time(found.moments, spec.zone),
    }


def warned(one: Reliance) -> list[str]:
    """Return the warnings in words."""
    return [trust_words.warning(told) for told in one.warnings]


def _proposal(told: Told, queue: Queue) -> dict[str, Any]:
    one = told.proposal
    tried = f"{reverse('science:what_if', args=[queue.slug])}?{urlencode({'suggest': one.cut})}"
    return {
        "told": told,
        "text": trust_words.proposal(one, queue.spec),
        "title": {
            proposals.Kind.FEATURE: _("A feature that is lacking"),
            proposals.Kind.GUIDELINE: _("A guideline that is unclear"),
            proposals.Kind.THRESHOLD: _("A threshold to move"),
        }[one.kind],
        "tried": tried if one.cut is not None else "",
    }


def over_time(moments: tuple[Moment, ...], zone: ZoneInfo) -> dict[str, Any]:
    """Return agreement by week, with the suggestion shown and hidden; a gap under 30 decisions."""
    return {
        "id": "trust-time",
        "title": _("Agreement with the suggestion, week by week"),
        "note": _("weeks from 30 decisions of a kind on"),
        "x": {"kind": "time", "label": _("From"), "zone": zone.key},
        "y": {"min": 0, "max": 1, "percent": True},
        "series": [
            {"label": _("shown"), "hue": "accent", "style": "line"},
            {"label": _("hidden"), "hue": "plain", "style": "line", "dash": True},
        ],
        "rows": [series.row(one.start, zone, [one.shown.value, one.hidden.value], places=3) for one in moments],
    }
