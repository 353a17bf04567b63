"""Who is at work on a queue, who looks at it, and what each of them has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from decisions.models import Absence, Decision, Membership, Presence, Queue, Task, User
from decisions.work import fitness
from decisions.work import lease as leases

HERE = timedelta(minutes=3)  # so long after its last sign a page counts as open
AT_WORK = timedelta(minutes=15)  # so long after a decision a person counts as at work
EVERY = timedelta(seconds=45)  # how often a page notes that it is open

SEEN = """
    INSERT INTO decisions_presence (user_id, queue_id, place, seen_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (queue_id, user_id) DO UPDATE SET place = excluded.place, seen_at = excluded.seen_at
    WHERE decisions_presence.seen_at <= excluded.seen_at - %s
    OR decisions_presence.place <> excluded.place AND excluded.place = 'desk'
"""


@dataclass(frozen=True)
class Member:
    """A person of the queue: whether they work now (hold a task, or decided one lately) and where they look, if so.

    Who is away by the plan is not at work, whatever they hold.

    `held` are tasks they have claimed or put on hold, `kept` those assigned to them that they have not taken yet.
    """

    user: User
    role: str
    skills: tuple[str, ...]
    is_at_work: bool
    is_away: bool
    place: str
    held: Sequence[Task] = field(default=())
    kept: Sequence[Task] = field(default=())

    def get_role_display(self) -> str:
        """Return the role in words, as a membership does."""
        return str(Membership.Role(self.role).label)

    @property
    def load(self) -> int:
        return len(self.held) + len(self.kept)


@dataclass(frozen=True)
class Place:
    """A person's place on a queue: their role in words, and how many tasks they have there."""

    queue: Queue
    role: str
    had: int


def note(user: User, queue_id: int, place: Presence.Place, at: datetime) -> None:
    """Note that a person has a page of the queue open, at most every 45 s: one statement, and no part of the record."""
    params: list[Any] = [user.pk, queue_id, place, at, EVERY]
    with connection.cursor() as cursor:
        cursor.execute(SEEN, params)


def of(queue: Queue, at: datetime) -> list[Member]:
    """Return those who can be given work on a queue, who is at work first, then by name."""
    rows = fitness.workers(queue)
    ids = [row.user_id for row in rows]
    had = had_by(queue.pk, ids)
    away = set(
        Absence.objects.filter(person__in=ids, starts_at__lte=at, ends_at__gt=at).values_list("person", flat=True)
    )
    lately = Decision.objects.filter(queue=queue, at__gt=at - AT_WORK, at__lte=at, person__in=ids)
    working = set(lately.values_list("person", flat=True).distinct())
    seen = Presence.objects.filter(queue=queue, user__in=ids, seen_at__gt=at - HERE)
    places = dict(seen.values_list("user", "place"))
    found = [_member(row, had, working - away, places, is_away=row.user_id in away) for row in rows]
    return sorted(found, key=lambda one: (-one.is_at_work, not one.is_at_work and not one.place, str(one.user)))


def had_by(queue_id: int, ids: Sequence[int]) -> list[Task]:
    """Return what these people hold on a queue and what is assigned to them, the most urgent first.

    What is for one person alone without having been assigned is left out: it measures them, unseen.
    """
    held = Q(holder__in=ids, state__in=leases.HOLDING)
    kept = Q(only_for__in=ids, only_until__isnull=False, state=Task.State.WAITING)
    found = Task.objects.filter(held | kept, queue=queue_id)
    return list(found.select_related("item").order_by("due_at", "pk"))


def elsewhere(person_id: int, queues: Iterable[Queue]) -> list[Place]:
    """Return where else than here a person belongs, of some queues."""
    found = []
    for queue in queues:
        row = fitness.membership(queue, person_id)
        if row is not None:
            found.append(Place(queue, str(row.get_role_display()), len(had_by(queue.pk, [person_id]))))
    return found


def _member(
    row: Membership, had: Sequence[Task], working: set[int], places: dict[int, str], *, is_away: bool
) -> Member:
    held = [task for task in had if task.holder_id == row.user_id]
    kept = [task for task in had if task.holder_id is None and task.only_for_id == row.user_id]
    claimed = any(task.state == Task.State.CLAIMED for task in held)
    place = places.get(row.user_id, "")
    is_at_work = not is_away and (claimed or row.user_id in working or place == Presence.Place.DESK)
    return Member(row.user, row.role, tuple(row.skills), is_at_work, is_away, place, held, kept)
