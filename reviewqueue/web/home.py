"""The front door: to the workplace of whoever comes in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from reviewqueue.web.context import WORKPLACES
from reviewqueue.web.people import signed_in
from reviewqueue.web.queues import where

FIRST = ("floor", "audit", "review", "science")  # who may do several things starts with the overview


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first workplace that is open to this person; say so where none is."""
    for place in FIRST:
        if where(signed_in(request), WORKPLACES[place][0]):
            return redirect(f"{place}:index")
    return render(request, "home.html")
