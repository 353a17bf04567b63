"""The reviewer's desk: one card at a time, from forms that work without script."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import CapReached, Fault, Invalid, NotOnboarded, PersonPaused, QueuePaused, Refused
from decisions.models import Decision, Presence, Queue, Task, User
from decisions.record import log
from decisions.rights import Act
from decisions.work import claim, decide, grading, handover, mine, onboarding, rule, team
from decisions.work.answer import Answer
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.review import card as cards

MOST_HELD = 50


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the queues this person decides on, with their own day and nobody else's."""
    person, at = signed_in(request), log.now()
    rows = [
        {"queue": queue, "day": mine.day(person, queue, at), "settles": mine.settles(person, queue)}
        for queue in queues.where(person, Act.CLAIM)
    ]
    return render(request, "review/index.html", {"rows": rows})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the desk: the card this person already holds, else the way to the next one."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    at_hand = _on_desk(person, queue)
    asked = [task for task in at_hand if str(task.pk) == request.GET.get("task")]
    task = next(iter(asked or at_hand), None)
    context = {**_desk(person, queue), "card": cards.build(task, person, queue) if task else None}
    return render(request, "review/show.html", context)


@login_required
@require_safe
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Show why there is no card: a fragment."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    return render(request, "review/state.html", _desk(person, queue))


@login_required
@require_safe
def held(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what this person holds without working on it: a fragment."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    return render(request, "review/held.html", _desk(person, queue))


@login_required
@require_POST
def take_next(request: HttpRequest, slug: str) -> HttpResponse:
    """Claim the next task, besides the one named by `keep`; 204 where nothing can be claimed."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    kept = _whole(request.POST.get("keep") or "0", "keep")
    task = _next(person, queue, kept)
    if not _wants_fragment(request):
        return redirect("review:show", slug)
    if task is None:
        return HttpResponse(status=204)
    return render(request, "review/card.html", {**_desk(person, queue), "card": cards.build(task, person, queue)})


@login_required
@require_POST
def answer(request: HttpRequest, slug: str, task_id: int) -> HttpResponse:
    """Decide: `answer` is `outcome` or `outcome:reason`."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    outcome, _colon, reason = request.POST.get("answer", "").partition(":")
    given = Answer(
        outcome=outcome,
        reason=reason or request.POST.get("reason", ""),
        note=request.POST.get("note", ""),
        active_seconds=_seconds(request),
    )
    decision = decide.decide(task_id=task_id, lease=_lease(request), person=person, answer=given)
    if not _wants_fragment(request):
        return redirect("review:show", slug)
    offer = _offer(decision, queue, log.now()) if decision.purpose in rule.SOURCES else None
    return JsonResponse(offer or {"text": _("Decided.")}, status=201)


@login_required
@require_POST
def undo(request: HttpRequest, slug: str, decision_id: int) -> HttpResponse:
    """Take one's own decision back within its window; the card comes back to the desk."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    rule.undo(decision_id=decision_id, person=person)
    if not _wants_fragment(request):
        return redirect("review:show", slug)
    task = next(task for task in claim.held(person, queue.pk) if task.decisions.filter(pk=decision_id).exists())
    return render(request, "review/card.html", {**_desk(person, queue), "card": cards.build(task, person, queue)})


@login_required
@require_POST
def extend(request: HttpRequest, slug: str, task_id: int) -> HttpResponse:
    """Start the lease anew."""
    person = signed_in(request)
    queues.one(person, slug, Act.CLAIM)
    task = claim.extend(task_id=task_id, lease=_lease(request), person=person)
    if not _wants_fragment(request):
        return redirect("review:show", slug)
    return JsonResponse({"lease_until": task.lease_until})


@login_required
@require_POST
def resume(request: HttpRequest, slug: str, task_id: int) -> HttpResponse:
    """Go on with a task that was on hold: its card comes to the desk."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLAIM)
    claim.extend(task_id=task_id, lease=_lease(request), person=person)
    if not _wants_fragment(request):
        return redirect(f"{reverse('review:show', args=[slug])}?task={task_id}")
    task = next(task for task in claim.held(person, queue.pk) if task.pk == task_id)
    return render(request, "review/card.html", {**_desk(person, queue), "card": cards.build(task, person, queue)})


@login_required
@require_POST
def leave_task(request: HttpRequest, slug: str, task_id: int, how: str) -> HttpResponse:
    """Give a task up: release, skip, hold or escalate, with a reason where one is due."""
    person = signed_in(request)
    queues.one(person, slug, Act.CLAIM)
    lease, reason = _lease(request), request.POST.get("reason", "")
    if how == "release":
        claim.release(task_id=task_id, lease=lease, person=person)
    elif how == "skip":
        claim.skip(task_id=task_id, lease=lease, person=person, reason=reason)
    elif how == "hold":
        claim.hold(task_id=task_id, lease=lease, person=person, until=_until(request), reason=reason)
    else:
        claim.escalate(task_id=task_id, lease=lease, person=person, reason=reason)
    said = {
        "release": _("Released: it goes back to the queue."),
        "skip": _("Skipped: somebody else will see it."),
        "hold": _("On hold: it waits for you."),
        "escalate": _("Escalated: somebody more senior decides."),
    }[how]
    if not _wants_fragment(request):
        messages.success(request, said)
        return redirect("review:show", slug)
    return JsonResponse({"text": said})


def _until(request: HttpRequest) -> datetime | None:
    """Return until when a task is put on hold: so many hours from now, None where none are said."""
    hours = request.POST.get("hours", "")
    return log.now() + timedelta(hours=int(hours)) if hours.isascii() and hours.isdigit() and len(hours) < 4 else None


@login_required
@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Release what the page still held when it was left: `task` is `id:lease`, as often as needed."""
    person = signed_in(request)
    queues.one(person, slug, Act.CLAIM)
    for pair in request.POST.getlist("task")[:MOST_HELD]:
        task_id, _colon, lease = pair.partition(":")
        try:
            claim.release(task_id=_whole(task_id, "task"), lease=_whole(lease, "task"), person=person)
        except Refused:
            continue  # decided or lapsed meanwhile: nothing is held
    return HttpResponse(status=204)


def _next(person: User, queue: Queue, kept: int) -> Task | None:
    """Return a task that is held but not on the desk, else a freshly claimed one, else None."""
    spare = [task for task in _on_desk(person, queue) if task.pk != kept]
    if spare:
        return spare[0]
    try:
        return next(iter(claim.next_tasks(queue_id=queue.pk, person=person)), None)
    except (CapReached, NotOnboarded, PersonPaused, QueuePaused):
        return None


def _on_desk(person: User, queue: Queue) -> list[Task]:
    return [task for task in claim.held(person, queue.pk) if task.state == Task.State.CLAIMED]


def _desk(person: User, queue: Queue) -> dict[str, Any]:
    at = log.now()
    team.note(person, queue.pk, Presence.Place.DESK, at)
    last = mine.undoable(person, queue, at)
    at_hand = claim.held(person, queue.pk)
    return {
        "queue": queue,
        "now": at,
        "day": mine.day(person, queue, at),
        "undo": _offer(last, queue, at) if last else None,
        "state": _state(person, queue, len(at_hand)),
        "assigned": handover.kept_for(person, queue.pk),
        "held": [task for task in at_hand if task.state == Task.State.HELD],
    }


def _state(person: User, queue: Queue, at_hand: int) -> str:
    if queue.is_paused:
        return "paused"
    if (grade := grading.newest(queue.pk, person.pk)) and grade.is_paused:
        return "halted"
    is_left = onboarding.is_left(queue, person)
    if is_left is False:
        return "stuck"
    if at_hand >= queue.spec.cap:
        return "full"
    if is_left or mine.waits(person, queue):
        return "ready"
    return "taken" if Task.objects.open().filter(queue=queue).exists() else "empty"


def _offer(decision: Decision, queue: Queue, at: datetime) -> dict[str, Any] | None:
    """Return what the page says about a decision that can still be undone, None when it can't."""
    left = (decision.at + queue.spec.undo - at).total_seconds()
    outcome = queue.spec.outcome(decision.outcome)
    if left <= 0 or outcome is None:
        return None
    return {
        "undo": reverse("review:undo", args=[queue.slug, decision.pk]),
        "text": _("Decided: %(outcome)s") % {"outcome": outcome.label},
        "seconds": left,
    }


def _wants_fragment(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _lease(request: HttpRequest) -> int:
    return _whole(request.POST.get("lease", ""), "lease")


def _seconds(request: HttpRequest) -> float | None:
    typed = request.POST.get("active_seconds", "")
    try:
        return float(typed) if typed else None
    except ValueError:
        raise Invalid(faults=[Fault("active_seconds", "type", _("This is not a number."))]) from None


def _whole(text: str, field: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise Invalid(faults=[Fault(field, "type", _("This is not a whole number."))])
    return int(text)
