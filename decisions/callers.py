"""Who calls with a token, what that lets them do, and what moves the queue that they name: known after one trip."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from decisions import rights
from decisions.exceptions import NotFound
from decisions.models import Token, User
from decisions.queues import live
from decisions.queues.live import Live, Moves
from decisions.record import guards
from decisions.rights import Act, Held

LONGEST = 200  # characters of a secret that are worth looking up
USED_EVERY = timedelta(minutes=1)  # how exactly `last_used_at` is known

# What `Token.objects.valid` says, as a function: every call asks it, and to plan the statement takes three times as
# long as to run it. The rest of the person is read when somebody asks for it.
PERSON = ("id", "email", "name", "kind", "is_active")
FINDING = f"""
    CREATE OR REPLACE FUNCTION public.decisions_caller(secret_digest bytea, seen_at timestamptz, queue_slug text)
    RETURNS TABLE (
        token_id bigint, scopes varchar[], last_used_at timestamptz, queues bigint[], memberships json, versions json,
        user_id bigint, email varchar, name varchar, kind varchar, is_active boolean,
        slug varchar, queue_id bigint, created_at timestamptz, version_id bigint, policy_id bigint, is_paused boolean,
        model_id bigint, canary_id bigint, canary_share double precision, frame_id bigint, overload text,
        is_filter_off boolean
    ) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RETURN QUERY
        SELECT t.id, t.scopes, t.last_used_at,
               ARRAY(SELECT q.queue_id FROM public.decisions_token_queues q WHERE q.token_id = t.id),
               (SELECT json_agg(json_build_array(m.queue_id, m.role, m.value_limit))
                FROM public.decisions_membership m WHERE m.user_id = t.user_id), {rights.IN_FORCE},
               u.id, u.email, u.name, u.kind, u.is_active, moves.*
        FROM public.decisions_token t JOIN public.decisions_user u ON u.id = t.user_id
        LEFT JOIN public.decisions_moves(queue_slug) moves ON true
        WHERE t.digest = secret_digest AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > seen_at)
              AND u.is_active;
    END
    $$
"""  # noqa: S608 - put together from constants
FIND = "SELECT * FROM decisions_caller(%s, %s, %s)"


@dataclass(frozen=True)
class Caller:
    """What a token lets its person do here: `queues` empty means all that the person may."""

    token_id: int
    user: User
    scopes: frozenset[str]
    queues: frozenset[int]
    held: Held  # where the person stands
    moves: Moves | None  # of the queue that the call names, None where it names none or it is not there

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

    def queue(self, slug: str) -> Live:
        """Return the queue of this name, by which it was looked up, as it is in force; NotFound beyond the token."""
        try:
            queue = live.of_moves(self.moves, slug)
        except NotFound:
            raise NotFound from None  # in the same words as for a queue that is not theirs
        self.require(queue.queue_id)
        return queue


def find(secret: str, at: datetime, queue: str = "") -> Caller | None:
    """Return who calls with this secret and names this queue, if the token is valid, and note its use."""
    if len(secret) > LONGEST:
        return None
    with connection.cursor() as cursor:
        cursor.execute(FIND, [hashlib.sha256(secret.encode()).digest(), at, queue])
        found = cursor.fetchone()
    if found is None:
        return None
    moves = found[-live.MOVING :]
    token_id, scopes, last_used_at, queues, memberships, versions, *person = found[: -live.MOVING]
    _note_use(token_id, last_used_at, at)
    user = User.from_db(connection.alias, PERSON, person)
    return Caller(
        token_id=token_id,
        user=user,
        scopes=frozenset(scopes),
        queues=frozenset(queues),
        held=Held.read(user.kind, memberships, versions),
        moves=None if moves[0] is None else moves,
    )


def _note_use(token_id: int, last_used_at: datetime | None, at: datetime) -> None:
    """Remember that the token was used, at most once a minute."""
    if last_used_at and at - last_used_at < USED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - USED_EVERY)
    Token.objects.filter(stale, pk=token_id).update(last_used_at=at)


def make_caller(connection: BaseDatabaseWrapper) -> None:
    """Make the function that `find` asks, after those it asks itself; migrations call this."""
    guards.make_function(connection, "decisions_caller", FINDING)
