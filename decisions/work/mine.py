"""A person's own day: for their eyes only, and what they can still take back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Q

from decisions import rights
from decisions.models import Decision, Queue, Ruling, Task, User
from decisions.queues import needs
from decisions.rights import Act, Reach
from decisions.work import pick

BREAK = timedelta(minutes=15)  # so long without an answer is a break
STRETCH = timedelta(minutes=90)  # so long at a stretch, a break is due
HOUR = timedelta(hours=1)
HEAVY = 24  # sensitive items within an hour after which one is due
LOOK_BACK = timedelta(hours=8)
MOST = 2_000  # answers that are looked at


@dataclass(frozen=True)
class Day:
    """What somebody did on a queue today, by the queue's own clock. Times in seconds, None = not measured."""

    done: int
    overrides: int
    mean_active: float | None


def day(person: User, queue: Queue, at: datetime) -> Day:
    """Count a person's decisions on a queue since its midnight; one that was undone does not count."""
    midnight = at.astimezone(queue.spec.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Decision.objects.filter(person=person, queue=queue, at__gte=midnight, at__lte=at)
    undone = Ruling.objects.filter(
        source=Ruling.Source.UNDO, person=person, queue=queue, at__gte=midnight, at__lte=at
    ).count()
    counted = today.aggregate(
        done=Count("pk", distinct=True),
        overrides=Count("pk", filter=Q(rulings__is_override=True), distinct=True),
        active=Avg("active_seconds"),
    )
    return Day(done=max(0, counted["done"] - undone), overrides=counted["overrides"], mean_active=counted["active"])


@dataclass(frozen=True)
class Strain:
    """What a person has looked at and how long without a break, for their eyes only.

    `seen` counts answered items by sensitive category since the queue's midnight, `lately` those of the last hour on
    all queues. `since` is when they last began after a break of a quarter of an hour; None where nobody is at it.
    """

    seen: dict[str, int]
    lately: int
    since: datetime | None

    def needs_break(self, at: datetime) -> bool:
        """Tell whether a break is due: an hour and a half at a stretch, or two dozen sensitive items within an hour."""
        return self.lately >= HEAVY or (self.since is not None and at - self.since >= STRETCH)


def strain(person: User, queue: Queue, at: datetime) -> Strain:
    """Count what a person looked at today on a queue and how long they have been at it anywhere."""
    midnight = at.astimezone(queue.spec.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Decision.objects.filter(person=person, at__lte=at)
    today = mine.filter(queue=queue, at__gte=midnight, task__needs__startswith=needs.SENSITIVE)
    counted = Counter(
        tag.removeprefix(needs.SENSITIVE)
        for asked in today.values_list("task__needs", flat=True)
        for tag in needs.tags(asked)
        if tag.startswith(needs.SENSITIVE)
    )
    lately = mine.filter(at__gt=at - HOUR, task__needs__startswith=needs.SENSITIVE).count()
    times = mine.filter(at__gt=at - LOOK_BACK).order_by("-at").values_list("at", flat=True)[:MOST]
    return Strain(dict(counted), lately, _began(list(times), at))


def _began(times: Sequence[datetime], at: datetime) -> datetime | None:
    """Return when a stretch of work that still goes on began, from the times of answers, the last one first."""
    since, later = None, at
    for one in times:
        if later - one > BREAK:
            break
        since = later = one
    return since


def undoable(person: User, queue: Queue, at: datetime) -> Decision | None:
    """Return the person's last decision on the queue while it still holds and its undo window is open."""
    recent = Decision.objects.filter(person=person, queue=queue, at__gt=at - queue.spec.undo)
    last = recent.select_related("item").order_by("-at", "-pk").first()
    if last is None:
        return None
    holds = Ruling.objects.filter(item=last.item_id).order_by("-no").first()
    return last if holds is not None and holds.decision_id == last.pk and holds.source != "undo" else None


def waits(person: User, queue: Queue) -> bool:
    """Tell whether a task waits on the queue that this person may claim."""
    stands = rights.standing(person, queue.pk)
    if stands is None:
        return False
    return pick.waits(Reach.of(stands, person), queue.pk)


def settles(person: User, queue: Queue) -> bool:
    """Tell whether a person is one of those on the queue who settle disagreements."""
    stands = rights.standing(person, queue.pk)
    to = stands and rights.limit(stands, Act.CLAIM)
    return bool(to and to.rank >= Task.Rank.EXPERT)
