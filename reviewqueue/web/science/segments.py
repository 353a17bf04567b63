"""Segments: where the model is weak, and where nobody knows."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from decisions.measure import segmented
from decisions.measure.estimates import Estimate
from decisions.measure.segmented import OTHERS, Order, SegmentRow, Segments
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

CHARTED = 20


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the figures of each segment; `?sort=` says by which the worst come first."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    asked = request.GET.get("sort", "")
    order = Order(asked) if asked in set(Order) else Order.MISSED
    found = segmented.by_segment(queue.pk, log.now())
    ranked = found.ranked(order) if found else None
    context = {
        "queue": queue,
        "found": ranked,
        "rows": [(name(row), row) for row in ranked.rows] if ranked else [],
        "blind": [(name(row), row.missed) for row in ranked.rows if row.is_blind] if ranked else [],
        "chart": chart(ranked, order) if ranked and ranked.rows else None,
        "order": order.value,
        "orders": [(one.value, label) for one, label in orders().items()],
        "days": segmented.DAYS,
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/segments.html", context)


def orders() -> dict[Order, str]:
    """Return what segments can be ranked by, in words."""
    return {
        Order.MISSED: _("Most misses"),
        Order.PRECISION: _("Least precise"),
        Order.OVERRIDES: _("Most overrides"),
        Order.ITEMS: _("Most items"),
    }


def name(row: SegmentRow) -> str:
    """Return a segment's name as it is shown."""
    if row.name == OTHERS:
        return _("All others")
    return row.name or _("No segment")


def chart(found: Segments, order: Order) -> dict[str, Any]:
    """Return the figure by which segments are ranked, in that order; a gap where it is not measured."""
    if order == Order.PRECISION:
        title = _("Share of automatic actions that are right")
        figures = [(row, row.precision.share if row.precision else None) for row in found.rows]
    elif order == Order.OVERRIDES:
        title = _("Share of people's answers that differ from the suggestion")
        figures = [(row, row.overrides.share if row.overrides else None) for row in found.rows]
    else:
        title = _("Share of passes that should have been caught")
        return _chart(title, [(row, row.missed.rate if row.missed else None) for row in found.rows])
    return _chart(title, figures)


def _chart(title: str, figures: Sequence[tuple[SegmentRow, Estimate | None]]) -> dict[str, Any]:
    return {
        "id": "segments",
        "title": title,
        "note": _("with the limits of each, 95 %"),
        "x": {"kind": "category", "label": _("Segment")},
        "y": {"min": 0, "percent": True},
        "series": [
            {"label": _("Measured"), "hue": "accent", "style": "bar"},
            {"label": _("at least"), "hue": "plain", "style": "line", "dash": True},
            {"label": _("at most"), "hue": "plain", "style": "line", "dash": True},
        ],
        "rows": [
            {"at": place, "text": name(row), "values": [one.value, one.low, one.high] if one else [None, None, None]}
            for place, (row, one) in enumerate(figures[:CHARTED])
        ],
    }
