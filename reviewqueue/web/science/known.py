"""The contract on known data: what is promised, what was checked, and what is only measured."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from decisions.measure import operating, summary
from decisions.models import KnownCheck, KnownSet, Policy, Queue
from decisions.queues.spec import Promise
from decisions.record import log
from decisions.rights import Act
from decisions.routing import known, promises, publish
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in

SHOWN = 50
SETS_SHOWN = 20


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a queue promises on known data beside what is measured on live traffic."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.READ_RECORD)
    may_check = queues.may(person, queue, Act.DRAFT_POLICY)
    noun = summary.noun(queue.spec)
    policies = list(
        Policy.objects.filter(queue=queue)
        .exclude(state=Policy.State.RETIRED)
        .select_related("model")
        .order_by("-no")[:SHOWN]
    )
    live = next((policy for policy in policies if policy.state == Policy.State.LIVE), None)
    checks = known.of_policies(queue.pk, [policy.pk for policy in policies])
    context = {
        "queue": queue,
        "promises": queue.spec.promise != Promise(),
        "known_set": known.newest(queue.pk),
        "live": live,
        "rows": _compared(queue, checks.get(live.pk) if live else None, noun),
        "left_out": promises.left_out(checks[live.pk].figures) if live and live.pk in checks else [],
        "policies": [_line(policy, checks.get(policy.pk), noun) for policy in policies],
        "history": _history(queue, noun),
        "sets": KnownSet.objects.filter(queue=queue).select_related("author").order_by("-pk")[:SETS_SHOWN],
        "may_check": may_check,
        "is_reader": not may_check,
    }
    return render(request, "science/known.html", context)


@login_required
@require_POST
def check(request: HttpRequest, slug: str, no: int) -> HttpResponse:
    """Check a policy on the newest known data now."""
    person = signed_in(request)
    queue = queues.one(person, slug, Act.DRAFT_POLICY)
    made = known.check(publish.numbered(queue, no), log.now(), by=person)
    if made.is_kept:
        messages.success(request, _("Policy %(no)s keeps what is promised on these rows.") % {"no": no})
    else:
        what = promises.missed(made.figures, summary.noun(queue.spec))
        messages.error(request, _("Policy %(no)s breaks a promise: %(what)s.") % {"no": no, "what": what})
    return redirect("science:known", slug)


def _compared(queue: Queue, made: KnownCheck | None, noun: str) -> list[dict[str, Any]]:
    """Return both figures: promised, found on known data by the live policy, measured on live traffic."""
    point = operating.point(queue.pk, log.now())
    told = made.figures if made else None
    return [
        {
            "title": _("Automatic actions that are right"),
            "promised": queue.spec.promise.precision,
            "share": told["precision"] if told else None,
            "told": promises.precision(told, noun) if told else "",
            "carries": promises.carries(told["precision"]) if told else "",
            "measured": summary.precision(point, queue.spec) if point.fresh_at else "",
        },
        {
            "title": _("Positives that are caught"),
            "promised": queue.spec.promise.recall,
            "share": told["recall"] if told else None,
            "told": promises.recall(told, noun) if told else "",
            "carries": promises.carries(told["recall"]) if told else "",
            "measured": summary.recall(point, queue.spec) if point.fresh_at else "",
        },
    ]


def _line(policy: Policy, made: KnownCheck | None, noun: str) -> dict[str, Any]:
    return {"policy": policy, "check": made, "missed": promises.missed(made.figures, noun) if made else ""}


def _history(queue: Queue, noun: str) -> list[dict[str, Any]]:
    """Return the last checks of any policy, newest first."""
    found = KnownCheck.objects.filter(policy__queue=queue).select_related("policy__model", "known_set", "queue_version")
    return [{"check": made, "missed": promises.missed(made.figures, noun)} for made in found.order_by("-pk")[:SHOWN]]
