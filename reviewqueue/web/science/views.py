"""The model owner's desk: a queue's policies, drafting one, and two beside each other."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.exceptions import Invalid, NotFound
from decisions.measure import recalibrate, volumes
from decisions.models import Policy, Queue, User
from decisions.queues.spec import Promise
from decisions.record import log
from decisions.rights import Act
from decisions.routing import publish as policies
from decisions.routing.terms import Changes
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in
from reviewqueue.web.science import life
from reviewqueue.web.science.forms import CanaryForm, DraftForm

SHOWN = 50
MOST_DIGITS = 9


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the live policy of each queue this person routes, and what is on the way."""
    found = queues.where(signed_in(request), Act.DRAFT_POLICY)
    live = {policy.queue_id: policy for policy in Policy.objects.live().select_related("model")}
    ahead = life.ahead([queue.pk for queue in found])
    rows = [{"queue": queue, "policy": live.get(queue.pk), "ahead": ahead.get(queue.pk, [])} for queue in found]
    return render(request, "science/index.html", {"rows": rows})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's policy in force, its versions and how it changed."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    return render(request, "science/show.html", _desk(person, queue, request.GET))


@login_required
@require_POST
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Store a draft; what does not fit is shown beside its field."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    form = DraftForm(request.POST, queue=queue, live=_live(queue))
    if form.is_valid() and (made := _draft(form, queue, person)):
        messages.success(
            request,
            _("Draft %(no)s is stored. It routes nothing until it is approved and published.") % {"no": made.no},
        )
        return redirect("science:show", slug)
    return render(request, "science/show.html", {**_desk(person, queue), "form": form}, status=422)


@login_required
@require_safe
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Show two policies of a queue beside each other: `?one=3&other=2`; one that is not named is the live one."""
    queue = queues.one(signed_in(request), slug, Act.DRAFT_POLICY)
    live = _live(queue)
    one, other = (_asked(request, queue, name) or live for name in ("one", "other"))
    if one is None or other is None:
        raise NotFound
    known = Policy.objects.filter(queue=queue).order_by("-no")[:SHOWN]
    context = {"queue": queue, "one": one, "other": other, "known": known, **life.compared(queue, one, other)}
    return render(request, "science/compare.html", context)


def _asked(request: HttpRequest, queue: Queue, name: str) -> Policy | None:
    """Return the policy that the address names."""
    no = request.GET.get(name, "")
    if not no:
        return None
    if not (no.isascii() and no.isdigit() and len(no) < MOST_DIGITS):
        raise NotFound
    return policies.numbered(queue, int(no))


def _draft(form: DraftForm, queue: Queue, person: User) -> Policy | None:
    """Store the draft, or put what the core refuses beside the field it names."""
    told, at = dict(form.cleaned_data), log.now()
    objective, why, is_new = told.pop("objective"), told.pop("why"), told.pop("recalibrate")
    changes = Changes(**told)  # type: ignore[typeddict-item]  # the form's fields are its keys
    try:
        if is_new:
            changes = recalibrate.into(changes, queue, at)
        return policies.draft(queue=queue, changes=changes, by=person, why=why, objective=objective, at=at)
    except Invalid as error:
        for fault in error.faults:
            name = fault.field.rpartition(".")[2]
            form.add_error(name if name in form.fields else None, fault.detail)
        return None


def _desk(person: User, queue: Queue, asked: Mapping[str, str] | None = None) -> dict[str, Any]:
    live = _live(queue)
    versions = Policy.objects.filter(queue=queue).select_related("model", "author").order_by("-no")[:SHOWN]
    return {
        "queue": queue,
        "live": live,
        "lines": life.open_lines(person, queue),
        "promises": queue.spec.promise != Promise(),
        "canary": life.canary(queue, log.now()),
        "back": life.back(queue),
        "versions": versions,
        "volumes": volumes.by_policy(queue.pk, [policy.pk for policy in versions]),
        "history": life.history(queue, SHOWN),
        "form": DraftForm(queue=queue, live=live, asked=asked),
        "canary_form": CanaryForm(auto_id=False),
        "may_roll_back": queues.may(person, queue, Act.ROLL_BACK_POLICY),
    }


def _live(queue: Queue) -> Policy | None:
    return Policy.objects.live().select_related("model").filter(queue=queue).first()
