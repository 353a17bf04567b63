"""The schedule of a queue: a week of shifts and absences, numbers and names; entered and taken out."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.measure import staff
from decisions.models import Queue, User
from decisions.record import log
from decisions.rights import Act
from decisions.work import fitness, shifts
from reviewqueue.web import queues
from reviewqueue.web.floor.forms import NamedForm
from reviewqueue.web.people import signed_in

DAYS = 7
DAY = timedelta(days=1)


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a week: `week` is its Monday or any day of it, this week if it is none."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.SEE_TEAM)
    return render(request, "floor/schedule.html", _page(queue, person, request.GET.get("week", "")))


@login_required
@require_POST
def enter_shift(request: HttpRequest, slug: str) -> HttpResponse:
    """Plan a person by name; what was wrong is shown beside the field."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.MANAGE_SHIFTS)
    form = _form(queue, "shift", request.POST)
    if not form.is_valid():
        return render(request, "floor/schedule.html", {**_page(queue, by, ""), "shift_form": form}, status=422)
    given = form.cleaned_data
    shifts.enter(
        queue_id=queue.pk, by=by, person_id=given["person"], starts_at=given["starts_at"], ends_at=given["ends_at"]
    )
    messages.success(request, _("The shift is entered."))
    return redirect("floor:schedule", slug)


@login_required
@require_POST
def remove_shift(request: HttpRequest, slug: str, shift_id: int) -> HttpResponse:
    """Take a shift out of the plan."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.MANAGE_SHIFTS)
    shifts.remove(queue_id=queue.pk, shift_id=shift_id, by=by)
    messages.success(request, _("The shift is taken out."))
    return redirect("floor:schedule", slug)


@login_required
@require_POST
def enter_absence(request: HttpRequest, slug: str) -> HttpResponse:
    """Say that a person is away; what was wrong is shown beside the field."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.MANAGE_SHIFTS)
    form = _form(queue, "absence", request.POST)
    if not form.is_valid():
        return render(request, "floor/schedule.html", {**_page(queue, by, ""), "absence_form": form}, status=422)
    given = form.cleaned_data
    shifts.enter_absence(
        queue=queue, by=by, person_id=given["person"], starts_at=given["starts_at"], ends_at=given["ends_at"]
    )
    messages.success(request, _("The absence is entered."))
    return redirect("floor:schedule", slug)


@login_required
@require_POST
def remove_absence(request: HttpRequest, slug: str, absence_id: int) -> HttpResponse:
    """Take an absence back."""
    by = signed_in(request)
    queue = queues.one(by, slug, Act.MANAGE_SHIFTS)
    shifts.remove_absence(queue=queue, absence_id=absence_id, by=by)
    messages.success(request, _("The absence is taken out."))
    return redirect("floor:schedule", slug)


def _page(queue: Queue, person: User, week: str) -> dict[str, Any]:
    zone = queue.spec.zone
    monday = _monday(week, zone)
    days = [_start(monday + DAY * n, zone) for n in range(DAYS + 1)]
    plan = shifts.plan(queue, days[0], days[-1])
    spans = staff.planned(queue.pk, days[0], days[-1])
    rows = [
        {
            "day": localtime(start, zone),
            "shifts": [one for one in plan.shifts if one.starts_at < end and one.ends_at > start],
            "absences": [one for one in plan.absences if one.starts_at < end and one.ends_at > start],
            "hours": sum(span.people * span.hours_in(start, end) for span in spans),
        }
        for start, end in pairwise(days)
    ]
    return {
        "queue": queue,
        "zone": zone,
        "rows": rows,
        "monday": monday,
        "before": monday - DAY * DAYS,
        "after": monday + DAY * DAYS,
        "may_plan": queues.may(person, queue, Act.MANAGE_SHIFTS),
        "shift_form": _form(queue, "shift"),
        "absence_form": _form(queue, "absence"),
    }


def _monday(text: str, zone: ZoneInfo) -> datetime:
    """Return the Monday of the week in which a day lies; of this week where the text is no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        day = day if 2000 <= day.year <= 2100 else localtime(log.now(), zone)
    except ValueError:
        day = localtime(log.now(), zone)
    plain = datetime.combine(day.date(), time(), tzinfo=UTC)
    return plain - DAY * plain.weekday()


def _start(day: datetime, zone: ZoneInfo) -> datetime:
    """Return when a day begins on the queue's clock."""
    return datetime.combine(day.date(), time(), tzinfo=zone).astimezone(UTC)


def _form(queue: Queue, prefix: str, sent: Any = None) -> NamedForm:
    rows = fitness.workers(queue)
    zones = {row.user_id: shifts.zone_of(row.user, queue) for row in rows}
    names = [(row.user_id, f"{row.user} ({zones[row.user_id].key})") for row in rows]
    return NamedForm(sent, prefix=prefix, zone=queue.spec.zone, zones=zones, names=names)
