"""The front door: to the workplace of whoever comes in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the queues this person works on."""
    return render(request, "home.html")
