"""The ladder's page: which rung scored items, what broke and when, and what stands ready below the model."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from decisions import redact, rights
from decisions.measure import ladder
from decisions.measure.ladder import RUNGS, Failure, Span
from decisions.models import Item, Queue, User
from decisions.queues import live
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues, series, words
from reviewqueue.web.people import signed_in

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
        "failures": _failures(found.failures, person, queue, force.spec),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/ladder.html", context)


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
