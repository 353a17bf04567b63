"""The ladder's page: which rung scored items, what broke and when, and what stands ready below the model."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions import redact, rights
from decisions.measure import filtered, ladder
from decisions.measure.filtered import Blocks, Verdict
from decisions.measure.ladder import RUNGS, Failure, Span
from decisions.models import Item, Queue, User
from decisions.queues import live
from decisions.queues.live import Live
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act
from decisions.watch import filters
from reviewqueue.web import queues, series, words
from reviewqueue.web.people import signed_in
from reviewqueue.web.science.forms import FilterForm

HUES = {"sent": "info", "model": "accent", "simpler": "pass", "heuristic": "soft", "people": "hard"}


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what each rung did by the hour and by the day."""
    person, at = signed_in(request), log.now()
    queue = queues.one(person, slug, Act.READ_RECORD)
    force = live.of(queue.slug)
    found = ladder.of(force, at)
    context = {
        "queue": queue,
        "found": found,
        "day": _sum(found.hours),
        "month": _sum(found.days),
        "charts": [
            _chart("hours", _("By the hour"), found.hours, force.spec, x=_("Hour")),
            _chart("days", _("By the day"), found.days, force.spec, x=_("Day")),
        ],
        "filter": _filter(force, at),
        "may_switch": queues.may(person, queue, Act.PUBLISH_POLICY),
        "failures": _failures(found.failures, person, queue, force.spec),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/ladder.html", context)


@login_required
@require_POST
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Turn the filter on or off."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    is_on = request.POST.get("is_on") == "on"
    filters.switch(queue_id=queue.pk, is_on=is_on, why=request.POST.get("why", ""), by=person, at=log.now())
    messages.success(request, _("The filter is on.") if is_on else _("The filter is off."))
    return redirect("science:ladder", slug)


def _filter(force: Live, at: datetime) -> dict[str, Any] | None:
    """Return the filter as it stands, what it did in words, and the form that switches it; None where none is asked."""
    found = filters.state(force, at)
    if found is None:
        return None
    return {
        "state": found,
        "asked": force.spec.filter,
        "currency": force.spec.value.currency,
        "why": dict(filters.Why.choices).get(found.why, ""),
        "verdict": _verdict(found.blocks) if found.blocks else "",
        "form": FilterForm(initial={"is_on": "off" if found.is_on else "on"}),
    }


def _verdict(blocks: Blocks) -> str:
    return {
        Verdict.PAYS: _("Blocks pay: b is above f/i, and so is its lower limit."),
        Verdict.LOSES: _("Blocks cost more than they spare: even the upper limit of b is below f/i."),
        Verdict.OPEN: _("Not known yet: it takes %(count)s answers, and limits of b that do not hold f/i.")
        % {"count": filtered.ENOUGH},
    }[blocks.verdict]


def _failures(found: list[Failure], person: User, queue: Queue, spec: Spec) -> list[dict[str, Any]]:
    """Return what failed in words, with a link to the last item unless this person is blind to it."""
    standing = rights.standing(person, queue.pk)
    ids = [row.item for row in found if row.item]
    sights = redact.for_many(ids, standing=standing, user=person, spec=spec) if standing else {}
    return [
        {
            "row": row,
            "said": words.failures([row.code], spec),
            "item": row.item if row.item and row.item in sights and sights[row.item].machine else None,
        }
        for row in found
    ]


def _sum(spans: list[Span]) -> dict[str, Any]:
    """Return what a stretch of spans adds up to: each rung with its number and share."""
    total = sum(span.total for span in spans)
    counts = {rung: sum(span.rungs[rung] for span in spans) for rung in RUNGS}
    rungs = [
        {"label": Item.Rung(rung).label, "n": n, "share": n / total if total else None} for rung, n in counts.items()
    ]
    return {"total": total, "rungs": rungs, "remembered": sum(span.remembered for span in spans)}


def _chart(name: str, title: str, spans: list[Span], spec: Spec, *, x: str) -> dict[str, Any]:
    return {
        "id": name,
        "title": title,
        "note": _("the last one not over yet"),
        "x": {"kind": "time", "label": x, "zone": spec.zone.key},
        "y": {"label": _("items"), "min": 0},
        "stacked": True,
        "series": [{"label": str(Item.Rung(rung).label), "hue": HUES[rung], "style": "bar"} for rung in RUNGS],
        "rows": [series.row(span.at, spec.zone, [span.rungs[rung] for rung in RUNGS]) for span in spans],
    }
