"""The audits' page: the frames of what was passed, how their audits stand, and drawing before the day is over."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from decisions import redact, rights
from decisions.exceptions import NotFound
from decisions.models import Draw, Frame, Policy, Queue, Task, User
from decisions.record import log
from decisions.rights import Act
from decisions.routing import frames
from decisions.work import audits
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

PAGE = 20  # frames
ITEMS = 100
OPEN, DECIDED, ESCALATED, EXPIRED = Task.OPEN, Task.State.DECIDED, Task.State.ESCALATED, Task.State.EXPIRED


class WhyForm(forms.Form):
    """Why audits are drawn before the day is over."""

    why = forms.CharField(label=gettext_lazy("Why"), max_length=500, required=False)


@login_required
@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's frames, newest first; `after` is the number of the last one of the page before."""
    person, at = signed_in(request), log.now()
    queue = queues.one(person, slug, Act.READ_RECORD)
    may_close = queues.may(person, queue, Act.CLOSE_FRAME)
    rows = Frame.objects.filter(queue=queue).select_related("person").order_by("-starts_at")
    after = request.GET.get("after", "")
    if after.isascii() and after.isdecimal() and len(after) < 19:
        rows = rows.filter(starts_at__lt=_frame(queue, int(after)).starts_at)
    shown = list(rows[: PAGE + 1])
    states = audits.states([frame.pk for frame in shown[:PAGE]])
    context = {
        "queue": queue,
        "rows": [{"frame": frame, **_counts(states[frame.pk])} for frame in shown[:PAGE]],
        "first": request.path if after else "",
        "next": f"?after={shown[PAGE - 1].pk}" if len(shown) > PAGE else "",
        "live": Policy.objects.live().filter(queue=queue).first(),
        "may_close": may_close,
        "preview": frames.preview(queue.pk, at) if may_close else None,
        "form": WhyForm(),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/frames.html", context)


@login_required
@require_safe
def show(request: HttpRequest, slug: str, frame_id: int) -> HttpResponse:
    """Show what was drawn from one frame: the items to which this person is not blind, and how many others there are.

    To know that an item was drawn is to know that its task is an audit.
    """
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    frame = _frame(queue, frame_id)
    told = _told(frame, person, queue)
    context = {
        "queue": queue,
        "frame": frame,
        "rows": told[:ITEMS],
        "more": max(0, len(told) - ITEMS),
        "hidden": frame.drawn - len(told),
        **_counts(audits.states([frame.pk])[frame.pk]),
        "is_reader": not queues.may(person, queue, Act.DRAFT_POLICY),
    }
    return render(request, "science/frames_show.html", context)


@login_required
@require_POST
def close(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw audits now."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.CLOSE_FRAME)
    form = WhyForm(request.POST)
    form.is_valid()
    made = frames.close(queue.pk, log.now(), person=person, why=form.cleaned_data.get("why", ""))
    said = {"drawn": made.drawn, "passes": made.passes}
    messages.success(request, _("%(drawn)s of %(passes)s passes were drawn. Their audits wait in the queue.") % said)
    return redirect("science:frames", slug)


def _frame(queue: Queue, pk: int) -> Frame:
    found = Frame.objects.filter(queue=queue, pk=pk).select_related("person").first()
    if found is None:
        raise NotFound
    return found


def _told(frame: Frame, person: User, queue: Queue) -> list[Draw]:
    """Return the draws of a frame that a person may know of, the likeliest to be drawn first."""
    draws = list(Draw.objects.filter(frame=frame).select_related("item").order_by("-pi", "pk"))
    standing = rights.standing(person, queue.pk)
    if standing is None:
        return []
    seen = redact.for_many([draw.item_id for draw in draws], standing=standing, user=person, spec=queue.spec)
    return [draw for draw in draws if seen[draw.item_id].history and seen[draw.item_id].machine]


def _counts(states: Counter[str]) -> dict[str, Any]:
    """Return how the audits of a frame stand, in the words of its page."""
    asked = states.total() - states[audits.NOT_ASKED] - states[Task.State.CANCELLED]
    return {
        "answered": states[DECIDED],
        "with_lead": states[ESCALATED],
        "open": sum(states[state] for state in OPEN),
        "expired": states[EXPIRED],
        "settled": states[audits.NOT_ASKED] + states[Task.State.CANCELLED],
        "asked": asked,
    }
