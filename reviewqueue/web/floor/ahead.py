"""What is to come, on the floor: forecast, backlog, the plan against who came, waits."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from decisions.measure import floor, foretold, staff
from decisions.models import Queue
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.conditional import unchanged_is_304
from reviewqueue.web.floor import charts_ahead
from reviewqueue.web.people import signed_in

LONG_WAIT = 900.0  # seconds


@login_required
@require_safe
@unchanged_is_304
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is to come; polled."""
    queue = queues.one(signed_in(request), slug, Act.READ_QUEUE)
    return render(request, "floor/ahead.html", figures(queue))


def figures(queue: Queue) -> dict[str, Any]:
    """Return what the part of the page needs that looks ahead."""
    at, zone, spec = log.now(), queue.spec.zone, queue.spec
    told = foretold.of(queue, at)
    presence = staff.presence(queue.pk, at)
    return {
        "queue": queue,
        "told": told,
        "ahead_tone": _tone(told),
        "basis": foretold.basis(told.outlook),
        "held": foretold.held(told.outlook),
        "plan_note": foretold.plan_note(told.outlook, spec),
        "forecast": charts_ahead.forecast(told.outlook, floor.hours(queue.pk, at), zone),
        "fan": charts_ahead.fan(told.outlook, zone),
        "presence": charts_ahead.presence(presence, zone),
        "planned_hours": sum(one.planned for one in presence),
        "came_hours": sum(one.came for one in presence),
        "waits": [(one, one.longer_than(LONG_WAIT)) for one in told.waits],
        "busiest_at": told.busiest_at,
        "busiest": told.waits[0].arrivals if told.waits else None,
        "zone": zone,
    }


def _tone(told: foretold.Told) -> str:
    if told.outlook.fan is None:
        return "info"
    if told.outlook.fan.breach() is not None:
        return "bad" if told.outlook.fan.risk >= 0.5 else "warn"
    return "warn" if told.outlook.overdue >= 1 else "good"
