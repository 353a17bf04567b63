"""A person's own day: for their eyes only, and what they can still take back."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Avg, Count, Q

from decisions import rights
from decisions.models import Decision, Queue, Ruling, User
from decisions.rights import Reach
from decisions.work import pick


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
