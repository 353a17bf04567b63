"""Appeals on pages: all of a queue, those of an item, and filing one for somebody who asked."""

from datetime import datetime
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
from decisions.exceptions import Fault, Invalid
from decisions.models import Appeal, Item, Queue, Ruling, User
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.redact import Sight
from decisions.rights import Act
from decisions.work import appeals
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

SHOWN = 100


class AppealForm(forms.Form):
    """What somebody objects to, and the name that they have for it."""

    statement = forms.CharField(
        label=gettext_lazy("What is objected to"), max_length=appeals.LONGEST, widget=forms.Textarea({"rows": 3})
    )
    reference = forms.CharField(
        label=gettext_lazy("Their reference"), max_length=appeals.LONGEST_REFERENCE, required=False
    )


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the appeals of a queue: those that are open by when they are due, and the last that ended."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    rows = Appeal.objects.filter(queue=queue).select_related("item", "filed_by", "decision__person")
    context = {
        "queue": queue,
        "open": _lines(list(rows.filter(state=Appeal.State.OPEN).order_by("due_at")[:SHOWN]), person, queue),
        "ended": _lines(list(rows.exclude(state=Appeal.State.OPEN).order_by("-pk")[:SHOWN]), person, queue),
        "shown": SHOWN,
        "most": queue.spec.appeals.most,
    }
    return render(request, "audit/appeals.html", context)


@login_required
@require_POST
def file(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """File an appeal of an item for somebody outside."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD, item_id=item_id)
    queues.demand_item(queue, item_id)
    form = AppealForm(request.POST)
    if not form.is_valid():
        raise Invalid(
            faults=[Fault(name, "invalid", str(text)) for name, texts in form.errors.items() for text in texts]
        )
    _appeal, is_new = appeals.file(item_id=item_id, by=person, **form.cleaned_data)
    filed = _("The appeal is filed. Somebody without a hand in this item judges it.")
    messages.success(request, filed if is_new else _("This appeal was filed before."))
    return redirect("audit:item", slug, item_id)


def panel(item: Item, holds: Ruling | None, sight: Sight, person: User, queue: Queue) -> dict[str, Any] | None:
    """Return what the item's page shows of appeals; None where there is none and this person files none."""
    at = log.now()
    earlier = [line(row, sight, queue.spec, at) for row in appeals.of_item(item.pk)] if sight.history else []
    may = queues.may(person, queue, Act.FILE_APPEAL) and appeals.may_file(item, holds, queue.spec, at)
    if not earlier and not may:
        return None
    is_open = any(one["row"].state == Appeal.State.OPEN for one in earlier)
    return {"earlier": earlier, "form": AppealForm() if may else None, "is_open": is_open}


def line(row: Appeal, sight: Sight, spec: Spec, at: datetime) -> dict[str, Any]:
    """Return an appeal in words."""
    labels = {outcome.key: outcome.label for outcome in spec.outcomes}
    reasons = {reason.code: reason.label for outcome in spec.outcomes for reason in outcome.reasons}
    decision = row.decision
    seen = redact.appeal(row, sight) or {}
    return {
        "row": row,
        "statement": seen.get("statement", ""),
        "held": labels.get(row.held, row.held),
        "outcome": labels.get(decision.outcome, decision.outcome) if decision else "",
        "reason": reasons.get(decision.reason, decision.reason) if decision else "",
        "is_late": row.state == Appeal.State.OPEN and row.due_at <= at,
    }


def _lines(rows: list[Appeal], person: User, queue: Queue) -> list[dict[str, Any]]:
    """Return the appeals that this person may see as lines."""
    standing = rights.standing(person, queue.pk)
    if standing is None:
        return []
    at = log.now()
    sights = redact.for_many([row.item_id for row in rows], standing=standing, user=person, spec=queue.spec)
    return [line(row, sights[row.item_id], queue.spec, at) for row in rows if sights[row.item_id].history]
