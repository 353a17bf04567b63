"""What all views of the API have in common."""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.views import APIView

from decisions import requests
from decisions.exceptions import Fault, Invalid, NotFound
from decisions.models import Queue
from reviewqueue.api import auth, formats
from reviewqueue.api.schema import Schema

KEY = re.compile(r"[\x21-\x7e]{1,200}")

Change = Callable[..., HttpResponse]
QUEUE = OpenApiParameter("queue", str, required=True, description="The queue's slug.")


class Door(APIView):
    """A call of the API. `scopes`: the token must hold one of them; `changing`: to change something, of these."""

    scopes: ClassVar[frozenset[str]]
    changing: ClassVar[frozenset[str]] = frozenset()
    schema = Schema()
    content_negotiation_class = formats.AlwaysJSON
    metadata_class = None  # what OPTIONS would tell is in the schema

    @classmethod
    def scopes_of(cls, method: str | None) -> frozenset[str]:
        """Return the scopes of which the token must hold one for this method."""
        return (cls.changing or cls.scopes) if method == "POST" else cls.scopes

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers:
            raise formats.NoLength

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Cache-Control": "no-store"}


class Open(Door):
    """A call without a token."""

    scopes: ClassVar[frozenset[str]] = frozenset()
    authentication_classes = []
    permission_classes = []
    throttle_classes = []


def queue_named(request: Request, slug: str) -> Queue:
    """Return the queue, if it is there and the token may be used on it."""
    queue = Queue.objects.filter(slug=slug).first() if auth.SLUG.fullmatch(slug) else None
    if queue is None:
        raise NotFound
    auth.of(request).require(queue.pk)
    return queue


def queue_asked(request: Request) -> Queue:
    """Return the queue that the query names."""
    slug = request.query_params.get("queue")
    if not slug:
        raise Invalid(faults=[Fault("queue", "required", _("Name the queue."))])
    return queue_named(request, slug)


def within(request: Request, rows: QuerySet[Any], pk: int) -> None:
    """Refuse what lies outside the queues to which the token is limited."""
    limits = auth.of(request).queues
    if limits and not rows.filter(pk=pk, queue__in=limits).exists():
        raise NotFound


def answer(data: Any, status: int = 200) -> HttpResponse:
    """Answer with JSON."""
    return HttpResponse(formats.write(data), status=status, content_type=formats.JSON)


def once(change: Change) -> Change:
    """Let a call with an Idempotency-Key happen once: sent again, it gets the answer it got before.

    The answer is stored in the transaction of the effect; a refusal rolls that back and is not stored.
    """

    @wraps(change)
    def changed(door: Door, request: Request, **names: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return change(door, request, **names)
        if not KEY.fullmatch(key):
            raise Invalid(_("An Idempotency-Key has 1 to 200 printable ASCII characters without spaces."))
        return _keyed(lambda: change(door, request, **names), request, key)

    return changed


@transaction.atomic
def _keyed(change: Callable[[], HttpResponse], request: Request, key: str) -> HttpResponse:
    person, digest = auth.of(request).user, _digest(request)
    if kept := requests.recall(user=person, key=key, digest=digest):
        return HttpResponse(
            bytes(kept.answer),
            status=kept.status,
            content_type=formats.JSON,
            headers={"Idempotency-Replayed": "true"},
        )
    response = change()
    requests.keep(
        user=person,
        key=key,
        digest=digest,
        status=response.status_code,
        answer=response.content,
        at=timezone.now(),
    )
    return response


def _digest(request: Request) -> bytes:
    """Return the SHA-256 of what makes two calls the same call."""
    place = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(place + bytes(request._request.body)).digest()
