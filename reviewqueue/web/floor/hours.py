"""The backlog law hour by hour, as a page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from decisions.measure import hourly
from decisions.record import log
from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.floor.forms import HoursForm
from reviewqueue.web.people import signed_in


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the last hours of a queue, newest first; the address says of which purpose and how many."""
    queue = queues.one(signed_in(request), slug, Act.READ_QUEUE)
    form = HoursForm({"count": str(HoursForm.DAY), **request.GET.dict()})
    lines = hourly.table(queue.pk, log.now(), **form.cleaned_data)[::-1] if form.is_valid() else []
    context = {"queue": queue, "form": form, "lines": lines, "zone": queue.spec.zone}
    return render(request, "floor/hours.html", context, status=200 if form.is_valid() else 422)
