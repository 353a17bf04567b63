"""The one place that gives a refusal its HTTP shape: problem+json (RFC 9457)."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.request import Request

from decisions.callers import Caller
from decisions.exceptions import Conflict, Fault, Forbidden, Invalid, NotFound, Refused, TooBig
from decisions.record import log
from decisions.requests import KeyReused
from reviewqueue.api import formats
from reviewqueue.api.auth import WrongScope

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
URN = "urn:reviewqueue:problem:"  # a name, not an address; docs/api.md lists them


class Unavailable(Refused):
    """The database does not answer just now. Please send this again: what was done before is not done twice."""

    code = "unavailable"
    retry_after = 5


class Broken(Refused):
    """Something is wrong on our side. It was noted."""

    code = "broken"


STATUS: dict[type[Refused], HTTPStatus] = {
    Refused: HTTPStatus.BAD_REQUEST,
    Invalid: HTTPStatus.BAD_REQUEST,
    WrongScope: HTTPStatus.FORBIDDEN,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    formats.NoLength: HTTPStatus.LENGTH_REQUIRED,
    TooBig: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Broken: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer a call that was refused or broke; the framework calls this for each exception of a view."""
    if isinstance(error, APIException):
        return _of_framework(error)
    refusal = _refusal(error)
    if isinstance(refusal, Forbidden):
        _note(refusal, context["request"])
    return respond(refusal)


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the framework's signature
    """Answer at an address under /api/ that leads nowhere, in the API's way."""
    return respond(NotFound())


def respond(refusal: Refused) -> HttpResponse:
    """Give a refusal of ours its shape."""
    extra: dict[str, Any] = {}
    if isinstance(refusal, Forbidden):
        extra["right"] = refusal.right
    headers = {"Retry-After": str(refusal.retry_after)} if hasattr(refusal, "retry_after") else {}
    status = status_of(type(refusal))
    return _problem(status, refusal.code, refusal.detail, faults=refusal.faults, headers=headers, **extra)


def status_of(refusal: type[Refused]) -> HTTPStatus:
    """Return the status of a kind of refusal: its own, else that of what it is a kind of."""
    return next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS)


def _problem(
    status: int,
    code: str,
    detail: str,
    *,
    faults: tuple[Fault, ...] = (),
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> HttpResponse:
    content = {
        "type": f"{URN}{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        "errors": [{"field": fault.field, "code": fault.code, "detail": fault.detail} for fault in faults],
        **extra,
    }
    return HttpResponse(formats.write(content), status=int(status), content_type=MEDIA_TYPE, headers=headers)


def _refusal(error: Exception) -> Refused:
    """Return what an exception means to the caller; what nobody expected is noted and not explained."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, RequestDataTooBig):
        return TooBig(_("A call may bring at most %(most)s bytes.") % {"most": settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return Invalid()
    logger.exception("api.broken", exc_info=error)
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable()
    return Broken()


def _of_framework(error: APIException) -> HttpResponse:
    """Shape what the framework itself refuses."""
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if isinstance(error, Throttled) and (wait := getattr(error, "wait", None)):
        headers["Retry-After"] = str(wait)
    if isinstance(error, ValidationError):
        refusal = Invalid()
        return _problem(error.status_code, refusal.code, refusal.detail, faults=tuple(_faults(error.detail)))
    code = getattr(error.detail, "code", error.default_code)
    return _problem(error.status_code, code, str(error.detail), headers=headers)


def _faults(detail: Any, path: str = "") -> Iterator[Fault]:
    """Yield the faults in the framework's nested form, each with its dotted path."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _faults(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _faults(inner, path)
    else:
        yield Fault(path.removesuffix("non_field_errors"), detail.code, str(detail))


def _note(refusal: Forbidden, request: Request) -> None:
    """Record that a right was refused; the refusal itself stands whether or not that works."""
    if not isinstance(request.auth, Caller):
        return
    try:
        log.refuse(request.auth.user, refusal, timezone.now())
    except DatabaseError:
        logger.exception("api.refusal_not_noted")
