"""Who calls the API: tokens of our own, what they may be used for, and how often."""

import hashlib
import math
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import connection
from django.db.models import Q
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

from decisions import rights
from decisions.exceptions import NotFound, Refused
from decisions.models import Token, User
from decisions.rights import Act, Held

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it loads our classes by name when it is imported

KEYWORD = "bearer"
LONGEST = 200  # characters of a token that are worth looking up
USED_EVERY = timedelta(minutes=1)  # how exactly `last_used_at` is known
SPANS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}


class WrongScope(Refused):
    """This token may not be used for that."""

    code = "wrong_scope"


@dataclass(frozen=True)
class Caller:
    """What a token lets its person do here: `queues` empty means all that the person may."""

    token_id: int
    user: User
    scopes: frozenset[str]
    queues: frozenset[int]
    held: Held  # where the person stands, as the look-up found it

    def reaches(self, queue_id: int | None) -> bool:
        """Say whether the token may be used on this queue (None = the site as a whole)."""
        return not self.queues or queue_id in self.queues

    def require(self, queue_id: int | None) -> None:
        """Refuse, as if the queue were not there, what lies outside the token's queues."""
        if not self.reaches(queue_id):
            raise NotFound

    def demand(self, act: Act, queue_id: int) -> None:
        """Refuse what the person may not do on this queue, at no further query."""
        stands = self.held.on(queue_id)
        if stands is None:
            raise NotFound
        rights.demand(stands, act, queue_id=queue_id)


def of(request: Request) -> Caller:
    """Return who calls; only behind `TokenAuthentication`."""
    assert isinstance(request.auth, Caller)
    return request.auth


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer rq_...`, looked up by its SHA-256 in one query."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != KEYWORD:
            return None
        found = _find(secret.strip(), timezone.now())
        if found is None:
            raise AuthenticationFailed(_("This token is not valid, or not any more."))
        return found.user, found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        return 'Bearer realm="review queue"'


# What `Token.objects.valid` says, as text: every call runs this, and to put the statement together anew takes longer
# than to run it. The rest of the person is read when somebody asks for it.
PERSON = ("id", "email", "name", "kind", "is_active")
FIND = f"""
    SELECT t.id, t.scopes, t.last_used_at,
           ARRAY(SELECT q.queue_id FROM decisions_token_queues q WHERE q.token_id = t.id),
           (SELECT json_agg(json_build_array(m.queue_id, m.role, m.value_limit))
            FROM decisions_membership m WHERE m.user_id = t.user_id), {rights.IN_FORCE},
           {", ".join(f"u.{name}" for name in PERSON)}
    FROM decisions_token t JOIN decisions_user u ON u.id = t.user_id
    WHERE t.digest = %s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %s) AND u.is_active
"""  # noqa: S608 - the names of columns are constants


def _find(secret: str, at: datetime) -> Caller | None:
    """Return who calls with this secret, if its token is valid, and note the use."""
    if len(secret) > LONGEST:
        return None
    with connection.cursor() as cursor:
        cursor.execute(FIND, [hashlib.sha256(secret.encode()).digest(), at])
        found = cursor.fetchone()
    if found is None:
        return None
    token_id, scopes, last_used_at, queues, memberships, versions, *person = found
    _note_use(token_id, last_used_at, at)
    user = User.from_db(connection.alias, PERSON, person)
    return Caller(
        token_id=token_id,
        user=user,
        scopes=frozenset(scopes),
        queues=frozenset(queues),
        held=Held.read(user.kind, memberships, versions),
    )


def _note_use(token_id: int, last_used_at: datetime | None, at: datetime) -> None:
    """Remember that the token was used, at most once a minute."""
    if last_used_at and at - last_used_at < USED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_EVERY)
    Token.objects.filter(stale, pk=token_id).update(last_used_at=at)


class HasScope(BasePermission):
    """Each view names the scopes of which the token must hold one. What the person may do, the core decides."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, Caller):
            return False  # the framework makes a 401 of it
        scopes: frozenset[str] = view.scopes  # type: ignore[attr-defined]  # every door names them
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
