"""What if: thresholds, shares and people tried out on real traffic, before anything is published."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from decisions.exceptions import Conflict, Invalid, NotFound
from decisions.measure import what_if
from decisions.measure.supposed import recommend, terms
from decisions.measure.supposed.terms import Terms
from decisions.measure.what_if import Answer
from decisions.models import Policy, Queue
from decisions.queues import live as in_force
from decisions.queues.live import Live
from decisions.queues.spec import Money
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science import what_if_charts, what_if_figures
from reviewqueue.web.science.what_if_form import FIELDS, WhatIfForm

DRAFTED = ("hard", "soft", "suggest", "control_share", "audit_budget")


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what other terms would have meant; only the figures where a script asks for them."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    may_draft = queues.may(person, queue, Act.DRAFT_POLICY)
    context: dict[str, Any] = {"queue": queue, "is_reader": not may_draft, "may_draft": may_draft}
    try:
        live = in_force.of(slug)
    except Conflict:
        return render(request, "science/what_if.html", context)
    status = _fill(request, queue, live, context)
    is_fragment = bool(getattr(request, "htmx", False))
    return render(request, f"science/what_if{'_figures' if is_fragment else ''}.html", context, status=status)


def _fill(request: HttpRequest, queue: Queue, live: Live, context: dict[str, Any]) -> int:
    """Add the form and what it comes to; return the status."""
    at = log.now()
    standing = terms.standing(live, at)
    form, stored = _form(request, queue, live, standing)
    context |= {"form": form, "live": live.policy, "stored": stored}
    if not form.is_valid():
        return 422
    try:
        answer = what_if.ask(live, standing, form.terms(), days=form.cleaned_data["days"], at=at, stored=stored)
    except Invalid as error:
        for fault in error.faults:
            form.add_error(fault.field if fault.field in form.fields else None, fault.detail)
        return 422
    if answer is not None:
        context |= _shown(answer, live, form, stored)
    return 200


def _form(request: HttpRequest, queue: Queue, live: Live, standing: Terms) -> tuple[WhatIfForm, Policy | None]:
    """Return the form, filled from the address, from the policy that it names (`?policy=3`), or as it stands."""
    stored = _stored(request, queue)
    low, high = terms.score_range(what_if.under(live, stored))
    start = standing.under(stored) if stored else standing
    has_delay = live.spec.value.delay_hour != Money()
    return WhatIfForm(request.GET, start=start, low=low, high=high, has_delay=has_delay), stored


def _stored(request: HttpRequest, queue: Queue) -> Policy | None:
    no = request.GET.get("policy", "")
    if not no:
        return None
    policies = Policy.objects.select_related("model").filter(queue=queue)
    found = policies.filter(no=int(no)).first() if no.isascii() and no.isdigit() else None
    if found is None:
        raise NotFound
    return found


def _shown(answer: Answer, live: Live, form: WhatIfForm, stored: Policy | None) -> dict[str, Any]:
    asked = {name: form[name].value() for name in (*FIELDS, "days") if name in form.fields}
    asked |= {"policy": stored.no} if stored else {}
    advised = recommend.of(answer.tried, answer.new, answer.seen)
    why = _("Tried out on the traffic of %(days)s days") % {"days": asked["days"]}
    return {
        "answer": answer,
        "summary": what_if_figures.summary(answer),
        "groups": what_if_figures.groups(answer, live.spec),
        "charts": what_if_charts.charts(answer, live),
        "advised": advised,
        "buttons": what_if_figures.buttons(advised, asked),
        "drafted": urlencode({**{name: asked[name] for name in DRAFTED}, "why": why}),
        "differs": any(getattr(answer.live, name) != getattr(answer.new, name) for name in DRAFTED),
        "other_model": round(answer.recent.elsewhere),
    }
