"""The inventory as a page and as a table to take away."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from decisions.measure import inventory
from decisions.measure.inventory import Entry
from decisions.record import export, log
from reviewqueue.web.people import signed_in

HEAD = (
    *("queue", "title", "version", "accountable", "accountable_is_here", "bears_cost", "watches", "watcher_is_here"),
    *("policy", "state", "model", "policy_by", "objective", "why", "control_share", "audit_budget"),
    *("measured", "not_measured", "last_change", "changed_by", "changed_at", "changed_why"),
)


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show every queue, policy and model: who is accountable, what is measured; `?only=gaps` narrows it."""
    at = log.now()
    found = inventory.entries(signed_in(request), at)
    gaps = [entry for entry in found if not entry.is_sound]
    only = "gaps" if request.GET.get("only") == "gaps" else ""
    context = {"rows": gaps if only else found, "total": len(found), "gaps": len(gaps), "only": only, "at": at}
    return render(request, "audit/inventory.html", context)


@login_required
@require_safe
def table(request: HttpRequest) -> HttpResponse:
    """Send the inventory as CSV, a line a policy."""
    found = inventory.entries(signed_in(request), log.now())
    lines = [HEAD, *(line for entry in found for line in _lines(entry))]
    response = HttpResponse(export.table(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="inventory.csv"'
    return response


def _lines(entry: Entry) -> list[tuple[object, ...]]:
    """Return a line for each policy that is not retired; one with gaps for a queue without any."""
    assert entry.queue.version is not None
    head = (
        *(entry.queue.slug, entry.spec.title, entry.queue.version.no, entry.owner.email, entry.owner.is_here),
        *(entry.spec.bears_cost, entry.watcher.email, entry.watcher.is_here),
    )
    change = entry.last_change
    tail = (
        *(" ".join(note.text for note in notes) for notes in (entry.measured, entry.not_measured)),
        *((change.what, str(change.person or ""), change.at, change.why) if change else ("",) * 4),
    )
    policies: list[tuple[object, ...]] = [
        (p.no, p.state, str(p.model or ""), str(p.author or ""), p.objective, p.why, p.control_share, p.audit_budget)
        for p in entry.facts.policies
    ]
    return [(*head, *policy, *tail) for policy in policies or [("",) * 8]]
