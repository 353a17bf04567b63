"""The way of a call to its view: past what only pages need."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils import translation
from django_structlog.middlewares import RequestMiddleware

CALLS = "/api/v1/"


class ShortWay:
    """Middleware: takes calls straight to their view, without static files, sessions, CSRF, content policy and forms.

    Together these cost about as much as storing an item. Calls carry a token and no cookie, and answer with JSON only.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.get_logged_response = RequestMiddleware(_respond)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(CALLS):
            return self.get_response(request)
        request.get_host()  # refuses a host that is not ours
        with translation.override(translation.get_language_from_request(request)):
            response = self.get_logged_response(request)
        assert isinstance(response, HttpResponseBase)  # we are called synchronously
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def _respond(request: HttpRequest) -> HttpResponse:
    request.resolver_match = match = resolve(request.path_info)
    response: Any = match.func(request, *match.args, **match.kwargs)
    if not getattr(response, "is_rendered", True):
        response.render()
    made: HttpResponse = response
    return made
