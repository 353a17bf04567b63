"""Overrides that wait for a second person, on their page and on the item's."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions import redact, rights
from decisions.exceptions import NotFound
from decisions.models import PendingOverride, Queue, User
from decisions.queues.spec import Spec
from decisions.rights import Act
from decisions.work import second
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

SHOWN = 100
State = PendingOverride.State


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what waits for a second person on a queue, and how the last ones ended."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    rows = PendingOverride.objects.filter(queue=queue).select_related("item__policy", "item__queue", "person", "closer")
    waiting = rows.filter(state=State.WAITING).order_by("expires_at")[:SHOWN]
    ended = rows.exclude(state=State.WAITING).order_by("-pk")[:SHOWN]
    context = {
        "queue": queue,
        "waiting": _lines(list(waiting), person, queue),
        "ended": _lines(list(ended), person, queue),
        "shown": SHOWN,
    }
    return render(request, "audit/overrides.html", context)


@login_required
@require_POST
def confirm(request: HttpRequest, slug: str, pending_id: int) -> HttpResponse:
    """Let somebody else's override hold."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    _demand(queue, pending_id)
    second.confirm(pending_id=pending_id, person=person, why=request.POST.get("why", ""))
    messages.success(request, _("It holds from now on; what is due is told to the outside."))
    return redirect("audit:overrides", slug)


@login_required
@require_POST
def turn_down(request: HttpRequest, slug: str, pending_id: int) -> HttpResponse:
    """Refuse somebody else's override, or withdraw one's own."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    _demand(queue, pending_id)
    second.turn_down(pending_id=pending_id, person=person, why=request.POST.get("why", ""))
    messages.success(request, _("What held before goes on to hold."))
    return redirect("audit:overrides", slug)


def line(row: PendingOverride, person: User, spec: Spec) -> dict[str, Any]:
    """Return an override in words, with what this person may do about it."""
    labels = {outcome.key: outcome.label for outcome in spec.outcomes}
    reasons = {reason.code: reason.label for outcome in spec.outcomes for reason in outcome.reasons}
    return {
        "row": row,
        "was": labels.get(row.held, row.held),
        "outcome": labels.get(row.outcome, row.outcome),
        "reason": reasons.get(row.reason, row.reason),
        "is_mine": row.person_id == person.pk,
        "may_confirm": second.may_confirm(row, person) if row.state == State.WAITING else False,
    }


def _lines(rows: list[PendingOverride], person: User, queue: Queue) -> list[dict[str, Any]]:
    """Return the overrides that this person may see as lines."""
    standing = rights.standing(person, queue.pk)
    if standing is None:
        return []
    sights = redact.for_many([row.item_id for row in rows], standing=standing, user=person, spec=queue.spec)
    seen = (row for row in rows if redact.pending(row, sights[row.item_id], user=person))
    return [line(row, person, queue.spec) for row in seen]


def _demand(queue: Queue, pending_id: int) -> None:
    """Refuse what is not of this queue."""
    if not PendingOverride.objects.filter(pk=pending_id, queue=queue).exists():
        raise NotFound
