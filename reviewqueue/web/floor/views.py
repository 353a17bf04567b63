"""The manager's floor: what comes, what waits, what can be done."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.effects import letters
from decisions.measure import deadlines, floor
from decisions.models import Presence, Queue, Shift, Task
from decisions.queues import pause as pausing
from decisions.record import log
from decisions.rights import Act
from decisions.work import shifts as planning
from decisions.work import team
from reviewqueue.web import queues
from reviewqueue.web.conditional import unchanged_is_304
from reviewqueue.web.floor import ahead, charts, overload
from reviewqueue.web.floor.forms import PauseForm, ShiftForm
from reviewqueue.web.people import signed_in

SHIFTS_SHOWN = 50


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show each queue this person watches, in one line."""
    at = log.now()
    watched = queues.where(signed_in(request), Act.READ_QUEUE)
    rows = [{"queue": queue, "status": floor.status(queue.pk, at)} for queue in watched]
    return render(request, "floor/index.html", {"rows": rows, "at": at})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one queue's floor."""
    queue = queues.one(signed_in(request), slug, Act.READ_QUEUE)
    return render(request, "floor/show.html", _page(request, queue, ShiftForm(zone=queue.spec.zone)))


@login_required
@require_safe
@unchanged_is_304
def live(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the moving part of the floor; polled."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    team.note(person, queue.pk, Presence.Place.FLOOR, log.now())
    return render(request, "floor/live.html", _figures(queue))


@login_required
@require_POST
def enter_shift(request: HttpRequest, slug: str) -> HttpResponse:
    """Enter a shift; what was wrong is shown beside the field."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    form = ShiftForm(request.POST, zone=queue.spec.zone)
    if not form.is_valid():
        return render(request, "floor/show.html", _page(request, queue, form), status=422)
    planning.enter(queue_id=queue.pk, by=person, **form.cleaned_data)
    messages.success(request, _("The shift is entered."))
    return redirect("floor:show", slug)


@login_required
@require_POST
def remove_shift(request: HttpRequest, slug: str, shift_id: int) -> HttpResponse:
    """Take a shift out of the plan."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    planning.remove(queue_id=queue.pk, shift_id=shift_id, by=person)
    messages.success(request, _("The shift is taken out."))
    return redirect("floor:show", slug)


@login_required
@require_POST
def pause(request: HttpRequest, slug: str) -> HttpResponse:
    """Stop giving out tasks, or go on: whichever is not so now."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    change = pausing.resume if queue.is_paused else pausing.pause
    change(queue_id=queue.pk, by=person, why=request.POST.get("why", ""))
    return redirect("floor:show", slug)


def _page(request: HttpRequest, queue: Queue, form: ShiftForm) -> dict[str, object]:
    return {**ahead.figures(queue), **_figures(queue), **_plan(request, queue), "form": form}


def _figures(queue: Queue) -> dict[str, object]:
    at, zone = log.now(), queue.spec.zone
    status = floor.status(queue.pk, at)
    hours = floor.hours(queue.pk, at)
    return {
        "queue": queue,
        "status": status,
        "flow": charts.flow(hours, zone),
        "waiting": charts.waiting(hours, zone),
        "ages": charts.ages(status["backlog"]["by_age"]),
        "purposes": [(Task.Purpose(name).label, one) for name, one in status["purposes"].items()],
        "accounts": _accounts(status["accounts"]),
        "pressure": deadlines.pressure(queue, at),
        "post": letters.post(queue.pk),
        "zone": zone,
    }


def _accounts(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the accounts with a word for each state, in the order of a life."""
    if found is None:
        return None
    words = {
        "passed": _("passed"),
        "acted": _("acted on"),
        **{str(s): s.label.lower() for s in Task.State},
        "imported": _("imported"),
    }
    lines = [(word, found["states"][state]) for state, word in words.items() if state in found["states"]]
    return {**found, "lines": lines}


def _plan(request: HttpRequest, queue: Queue) -> dict[str, object]:
    person = signed_in(request)
    return {
        "shifts": Shift.objects.filter(queue=queue, ends_at__gt=timezone.now()).order_by("starts_at")[:SHIFTS_SHOWN],
        "may_plan": queues.may(person, queue, Act.MANAGE_SHIFTS),
        "may_pause": queues.may(person, queue, Act.PAUSE_QUEUE),
        "may_see_team": queues.may(person, queue, Act.SEE_TEAM),
        "may_see_accuracy": queues.may(person, queue, Act.SEE_ACCURACY),
        "may_try": queues.may(person, queue, Act.READ_RECORD),
        "pause_form": PauseForm(),
        **overload.panel(queue, person),
    }
