"""Turns what the core refuses into a page, a fragment's notice, or a missing page."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound, Refused, TooBig
from decisions.record import log
from reviewqueue.web import words

STATUS = {
    Refused: HTTPStatus.BAD_REQUEST,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooBig: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
KIND = {HTTPStatus.FORBIDDEN: "forbidden", HTTPStatus.CONFLICT: "busy"}


class RefusalPages:
    """Middleware: shows a refusal that a page's view raised, and notes a refused right in the record."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal; anything else goes on to be a server error."""
        if not isinstance(error, Refused):
            return None
        if isinstance(error, Forbidden) and request.user.is_authenticated:
            log.refuse(request.user, error, log.now())
        return page(request, error)


def page(request: HttpRequest, error: Refused) -> HttpResponse:
    """Render a refusal: a whole page, or a notice where a fragment was asked for."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    is_fragment = bool(getattr(request, "htmx", False))
    if status == HTTPStatus.NOT_FOUND and not is_fragment:
        return render(request, "404.html", status=status)
    template = "partials/refusal.html" if is_fragment else "refused.html"
    faults = [(words.form_field(fault.field), fault.detail) for fault in error.faults]
    context = {"error": error, "faults": faults, "status": int(status), "kind": KIND.get(status, "failing")}
    return render(request, template, context, status=status)
