"""Gold on an item's page: what it is known to be, for those who may say so."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from decisions.models import Gold, Item, Queue, Ruling, User
from decisions.queues.spec import Spec, Truth
from decisions.rights import Act
from decisions.work import gold, why
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

REASONS = dict([*why.Known.choices, *why.Retire.choices])


class MarkForm(forms.Form):
    """What the item is known to be, and how that is known."""

    outcome = forms.ChoiceField(label=gettext_lazy("It is known to be"))
    reason = forms.ChoiceField(label=gettext_lazy("How this is known"), choices=why.Known.choices)

    def __init__(self, *args: Any, spec: Spec, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["outcome"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.key, one.label) for one in spec.outcomes if one.truth != Truth.NONE]


class RetireForm(forms.Form):
    """Why the item is given out no longer."""

    reason = forms.ChoiceField(label=gettext_lazy("Why it is retired"), choices=why.Retire.choices)


def panel(item: Item, holds: Ruling | None, person: User, queue: Queue) -> dict[str, Any] | None:
    """Return what the item's page shows of gold; None for who may not mark it. `holds` is the ruling in force."""
    if not queues.may(person, queue, Act.MARK_GOLD):
        return None
    mark = gold.newest(item.pk)
    known = mark.outcome if mark and mark.outcome else holds.outcome if holds else ""
    return {
        "mark": mark,
        "said": _said(mark, queue.spec),
        "reason": REASONS.get(mark.reason, "") if mark else "",
        "form": MarkForm(spec=queue.spec, initial={"outcome": known}, auto_id="gold_%s"),
        "retire": RetireForm(prefix="retire"),
    }


def _said(mark: Gold | None, spec: Spec) -> str:
    outcome = spec.outcome(mark.outcome) if mark else None
    return outcome.label if outcome else ""


@login_required
@require_POST
def mark(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """Mark an item as gold. What was not chosen from the form is the core's to refuse."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.MARK_GOLD, item_id=item_id)
    queues.demand_item(queue, item_id)
    said = {name: request.POST.get(name, "") for name in ("outcome", "reason")}
    gold.mark(item_id=item_id, person=person, **said)
    messages.success(request, _("This item is gold now: it is mixed in unseen."))
    return redirect("audit:item", slug, item_id)


@login_required
@require_POST
def retire(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """Give an item out as gold no longer."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.MARK_GOLD, item_id=item_id)
    queues.demand_item(queue, item_id)
    gold.retire(item_id=item_id, person=person, reason=request.POST.get("retire-reason", ""))
    messages.success(request, _("This item is given out as gold no longer."))
    return redirect("audit:item", slug, item_id)
