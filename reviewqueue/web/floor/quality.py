"""The quality page of a queue: how often people err and agree, for leads; gold, disagreements, pauses."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.measure import answering
from decisions.models import Queue
from decisions.queues.spec import Spec
from decisions.record import log
from decisions.rights import Act
from decisions.work import gold, grading, why
from decisions.work.disputes import Settled
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

GOLD_SHOWN = 20


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how good a queue's answers are."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.SEE_ACCURACY)
    report = answering.of_queue(queue, person, log.now())
    context = {
        "queue": queue,
        "report": report,
        "days": grading.COUNTED.days,
        "paused": sum(row.is_paused for row in report.people),
        "measured": sum(row.right.value is not None for row in report.people),
        "may_lift": queues.may(person, queue, Act.LIFT_PAUSE),
        "me": person,
        "settled": [_settled(one, queue.spec) for one in report.settled],
        "gold_total": sum(report.gold.values()),
        "gold_kinds": [(label(queue.spec, key), n) for key, n in report.gold.items()],
        "gold": _gold(queue) if queues.may(person, queue, Act.MARK_GOLD) else [],
    }
    return render(request, "floor/quality.html", context)


@login_required
@require_POST
def lift(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Let somebody work again whom their errors paused."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.LIFT_PAUSE)
    grade = grading.lift(queue_id=queue.pk, person_id=person_id, by=person)
    messages.success(request, _("%(name)s may work here again, and is checked most.") % {"name": grade.person})
    return redirect("floor:quality", slug)


def label(spec: Spec, key: str) -> str:
    """Return an outcome as people read it."""
    outcome = spec.outcome(key)
    return outcome.label if outcome else key


def _settled(one: Settled, spec: Spec) -> dict[str, Any]:
    return {
        "row": one,
        "first": label(spec, one.first.outcome),
        "second": label(spec, one.second.outcome),
        "ruled": label(spec, one.ruling.outcome),
    }


def _gold(queue: Queue) -> list[dict[str, Any]]:
    reasons = dict(why.Known.choices)
    rows = gold.marked(queue.pk).order_by("-at", "-pk")[:GOLD_SHOWN]
    return [{"mark": row, "said": label(queue.spec, row.outcome), "how": reasons.get(row.reason, "")} for row in rows]
