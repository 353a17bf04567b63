"""Where people stand, read with the table of rights in force there; refusals name the right and who has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.exceptions import Forbidden, NotFound
from decisions.models import Membership, User
from decisions.rights import stored
from decisions.rights.judge import NOBODY, Case, Standing, lacks, may, who_holds
from decisions.rights.words import JUDGING, Act, Role, Table

NAMED = 5  # people whom a refusal names

# `Membership.objects.of(user).on(queue_id)` as text: each call and page asks this, some twice, and to put the
# statement together anew takes longer than to run it. Which rights are in force there comes with it.
STANDING = """
    SELECT m.role, m.value_limit, m.skills, u.opt_outs,
    ARRAY(SELECT e.kind || ':' || e.key FROM decisions_exclusion e WHERE e.user_id = u.id AND e.queue_id = %s), (
        SELECT json_agg(json_build_array(f.version_id, f.since) ORDER BY f.queue_id NULLS FIRST)
        FROM decisions_rightsinforce f WHERE f.queue_id = %s OR f.queue_id IS NULL
    )
    FROM decisions_membership m JOIN decisions_user u ON u.id = m.user_id
    WHERE m.user_id = %s AND u.is_active AND (m.queue_id = %s OR m.queue_id IS NULL)
    ORDER BY m.queue_id NULLS LAST LIMIT 1
"""
# All that is in force, as a value for `Held`.
IN_FORCE = """(
    SELECT json_agg(json_build_array(f.queue_id, f.version_id, f.since) ORDER BY f.queue_id NULLS FIRST)
    FROM public.decisions_rightsinforce f
)"""
MEMBERSHIPS = f"""
    SELECT json_agg(json_build_array(m.queue_id, m.role, m.value_limit)), {IN_FORCE}
    FROM decisions_membership m JOIN decisions_user u ON u.id = m.user_id WHERE m.user_id = %s AND u.is_active
"""  # noqa: S608 - put together from constants


def standing(user: User, queue_id: int | None) -> Standing | None:
    """Return where a person stands on a queue (None: the whole site), or None when they do not belong there.

    The membership on the queue itself goes before one on all queues, even where it gives less.
    """
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [queue_id, queue_id, user.pk, queue_id])
        found = cursor.fetchone()
    if found is None:
        return None
    role, value_limit, skills, opt_outs, excluded, versions = found
    place = f"{queue_id}:"
    return Standing(
        role,
        value_limit,
        user.kind,
        stored.in_force(versions),
        skills=frozenset(skills),
        shuns=frozenset(one.removeprefix(place) for one in opt_outs if one.startswith(place)),
        excluded=frozenset(excluded),
    )


@dataclass(frozen=True)
class Held:
    """All memberships of a person (queue or None for all: role, value limit), and all rights in force."""

    kind: str
    roles: Mapping[int | None, tuple[str, float | None]] = field(default_factory=dict)
    versions: tuple[tuple[int | None, int, str], ...] = ()

    @classmethod
    def read(cls, kind: str, memberships: Iterable[Any] | None, versions: Iterable[Any] | None) -> "Held":
        """Return it from what `MEMBERSHIPS` found."""
        roles = {queue: (role, limit) for queue, role, limit in memberships or ()}
        return cls(kind, roles, tuple((queue, pk, since) for queue, pk, since in versions or ()))

    def on(self, queue_id: int | None) -> Standing | None:
        """Return where the person stands on a queue (None: the whole site), None when they do not belong there."""
        role = self.roles.get(queue_id, self.roles.get(None))
        return Standing(*role, self.kind, self.table(queue_id)) if role else None

    def table(self, queue_id: int | None) -> Table:
        """Return the rights in force on a queue (None: on the whole site)."""
        return stored.in_force((pk, since) for queue, pk, since in self.versions if queue in (None, queue_id))


def of(user: User) -> Held:
    """Return where a person stands on all queues, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(MEMBERSHIPS, [user.pk])
        return Held.read(user.kind, *cursor.fetchone())


def table(queue_id: int | None) -> Table:
    """Return the rights in force on a queue (None: on the whole site)."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {IN_FORCE}")
        return Held.read("", (), cursor.fetchone()[0]).table(queue_id)


def require(user: User, act: Act, *, queue_id: int | None, case: Case = NOBODY, item_id: int | None = None) -> Standing:
    """Return the person's standing, or refuse: NotFound for who does not belong there, Forbidden naming the right."""
    stands = standing(user, queue_id)
    if stands is None:
        raise NotFound
    demand(stands, act, queue_id=queue_id, case=case, item_id=item_id)
    return stands


def demand(
    stands: Standing, act: Act, *, queue_id: int | None, case: Case = NOBODY, item_id: int | None = None
) -> None:
    """Refuse with Forbidden what this standing does not cover; `item_id` is the item it was about.

    The refusal names the right and the roles that have it; their people too to who may read the whole record.
    """
    if may(stands, act, case):
        return
    if act in JUDGING and case.marks & stands.excluded:
        raise Forbidden(
            _("You are excluded from judging this one."), right=act.value, queue_id=queue_id, item_id=item_id
        )
    if missing := lacks(stands, act, case):
        detail = _("This needs skills that you do not have here: %(skills)s.") % {"skills": ", ".join(sorted(missing))}
        raise Forbidden(detail, right=act.value, queue_id=queue_id, item_id=item_id)
    detail = _("You lack the right “%(right)s” here.") % {"right": act.value}
    roles = ", ".join(str(Role(role).label) for role in who_holds(act, case, stands.table))
    if roles:
        detail += " " + _("Those who have it, within their limits: %(roles)s.") % {"roles": roles}
        if may(stands, Act.READ_RECORD):
            detail += _names(act, queue_id, case)
    raise Forbidden(detail, right=act.value, queue_id=queue_id, item_id=item_id)


def _names(act: Act, queue_id: int | None, case: Case) -> str:
    people = [str(person) for person in holders(act, queue_id, case)]
    named = ", ".join(people[:NAMED])
    more = len(people) - NAMED
    if more > 0:
        named += " " + ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more}
    return " " + _("They are: %(people)s.") % {"people": named} if people else ""


def holders(act: Act, queue_id: int | None, case: Case = NOBODY) -> list[User]:
    """Return the people who have a right on a queue, by name; other systems and simulated reviewers apart."""
    here = table(queue_id)
    members = Membership.objects.filter(Q(queue=queue_id) | Q(queue=None), user__is_active=True)
    rows = members.filter(user__kind=User.Kind.PERSON).select_related("user").order_by("queue")
    # Those on the queue come first, those on all queues (NULL) last: the first one counts.
    counts: dict[int, Membership] = {}
    for row in rows:
        counts.setdefault(row.user_id, row)
    able = (row for row in counts.values() if may(Standing(row.role, row.value_limit, table=here), act, case))
    return sorted((row.user for row in able), key=lambda user: (user.name, user.email))
