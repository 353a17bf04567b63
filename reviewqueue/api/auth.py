"""Who calls the API: tokens of our own, what they may be used for, and how often."""

import math
import re
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from decisions import callers
from decisions.callers import Caller
from decisions.exceptions import Refused
from decisions.models import User

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it loads our classes by name when it is imported

KEYWORD = "bearer"
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,50}")
SPANS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}


class WrongScope(Refused):
    """This token may not be used for that."""

    code = "wrong_scope"


def of(request: Request) -> Caller:
    """Return who calls; only behind `TokenAuthentication`."""
    assert isinstance(request.auth, Caller)
    return request.auth


def named(request: Request) -> str:
    """Return the slug of the queue in the call's address, "" where there is none or it cannot be one."""
    slug = str(request.parser_context["kwargs"].get("queue", ""))
    return slug if SLUG.fullmatch(slug) else ""


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer rq_...`, looked up by its SHA-256 in one query."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != KEYWORD:
            return None
        found = callers.find(secret.strip(), timezone.now(), named(request))
        if found is None:
            raise AuthenticationFailed(_("This token is not valid, or not any more."))
        return found.user, found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        return 'Bearer realm="review queue"'


class HasScope(BasePermission):
    """Each view names the scopes of which the token must hold one. What the person may do, the core decides."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Caller):
            return False  # the framework makes a 401 of it
        scopes: frozenset[str] = view.scopes_of(request.method)  # type: ignore[attr-defined]  # every door names them
        if request.auth.scopes.isdisjoint(scopes):
            needed = " / ".join(sorted(scopes))
            raise WrongScope(_("This needs a token with the scope %(scope)s.") % {"scope": needed})
        return True


class TokenThrottle(BaseThrottle):
    """So many calls of one token in a span, counted in Redis; without Redis nothing is limited."""

    shy_until: ClassVar[float] = 0.0  # while Redis does not answer it is not asked again for a moment
    SHY = 5.0

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the framework's signature
        calls, span = limit()
        if time.monotonic() < TokenThrottle.shy_until or not isinstance(request.auth, Caller):
            return True
        self.left = span - time.time() % span
        try:
            return count(request.auth.token_id, calls, span) <= calls
        except RedisError:
            TokenThrottle.shy_until = time.monotonic() + self.SHY
            return True

    def wait(self) -> float:
        return math.ceil(self.left)


def limit() -> tuple[int, int]:
    """Return how many calls are allowed in how many seconds."""
    calls, _slash, span = str(api_settings.DEFAULT_THROTTLE_RATES["token"]).partition("/")
    return int(calls), SPANS[span]


@cache
def redis() -> Redis:
    """Return this process's connection pool for counting; a slow Redis is as good as none."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)


@dataclass
class Tally:
    """What this process knows of a token's calls in a span: how many there were, and how many it has not reported."""

    span: int
    known: int = 0
    unreported: int = 0


tallies: dict[int, Tally] = {}  # by token
lock = threading.Lock()


def count(token_id: int, calls: int, span: int) -> int:
    """Count one more call and return how many there were.

    Each process reports every hundredth of the limit, so that most calls need no round trip: a limit of 6,000 is kept
    to within 60 a process, one below 200 exactly.
    """
    number = int(time.time() // span)
    with lock:
        tally = tallies.get(token_id)
        if tally is None or tally.span != number:
            tally = tallies[token_id] = Tally(number)
        tally.unreported += 1
        if tally.known and tally.unreported < calls // 100:
            return tally.known + tally.unreported
        due, tally.unreported = tally.unreported, 0
    tally.known = _report(f"throttle:{token_id}:{span}:{number}", due, span)
    return tally.known


def _report(key: str, more: int, span: int) -> int:
    """Add to a count that is gone after its span; return it."""
    counted = int(redis().incrby(key, more))
    if counted == more:
        redis().expire(key, span)
    return counted
