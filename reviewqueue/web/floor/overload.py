"""The floor's panel of overload rules: what they do, since when and why, and switching them by hand."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from decisions.models import Queue, User
from decisions.record import log
from decisions.rights import Act
from decisions.watch import overload, telling
from reviewqueue.web import queues
from reviewqueue.web.floor.forms import ReliefForm
from reviewqueue.web.people import signed_in


def panel(queue: Queue, person: User) -> dict[str, Any]:
    """Return what the panel shows: rules of the queue's order and those that somebody switched on."""
    words, whys = telling.rules(), dict(overload.Why.choices)
    states = overload.states(queue)
    form = ReliefForm(rules=[(state.rule.value, words[state.rule]) for state in states if state.most])
    modes = dict(form.fields["mode"].choices)  # type: ignore[attr-defined]
    return {
        "overload_rules": [
            {
                "state": state,
                "name": words[state.rule],
                "mode": modes[state.mode],
                "why": whys.get(state.why, ""),
                "spared": overload.spared(queue.pk, state.since) if state.rule == "threshold" and state.since else 0,
            }
            for state in states
            if state.is_listed or state.since
        ],
        "may_relieve": queues.may(person, queue, Act.RELIEVE),
        "relief_form": form,
    }


@login_required
@require_POST
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Switch a rule on, off, or back to the figures."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_QUEUE)
    said = {name: request.POST.get(name, "") for name in ("rule", "mode", "why")}
    overload.switch(queue_id=queue.pk, **said, by=person, at=log.now())
    messages.success(request, _("The rule is switched."))
    return redirect("floor:show", slug)
