"""The auditor's desk: who decided what, why and when, and the proof that nobody changed it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from decisions.rights import Act
from reviewqueue.web import queues
from reviewqueue.web.people import signed_in


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the queues whose record this person may verify."""
    return render(request, "audit/index.html", {"queues_here": queues.where(signed_in(request), Act.VERIFY)})


@login_required
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a queue's override history."""
    queue = queues.one(signed_in(request), slug, Act.VERIFY)
    return render(request, "audit/show.html", {"queue": queue})


@login_required
@require_safe
def actions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the outside world was told and has not done."""
    queue = queues.one(signed_in(request), slug, Act.VERIFY)
    return render(request, "audit/actions.html", {"queue": queue})
