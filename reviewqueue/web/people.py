"""Who is at the page."""

from django.http import HttpRequest

from decisions.models import User


def signed_in(request: HttpRequest) -> User:
    """Return the person at the page; only behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user
