"""Which queues a person finds on a page."""

from collections.abc import Iterable

from decisions import rights
from decisions.exceptions import NotFound
from decisions.models import Item, Queue, User
from decisions.rights import Act, Standing


def where(person: User, act: Act) -> list[Queue]:
    """Return the queues with a spec on which the person has the right, by title."""
    queues = Queue.objects.filter(version__isnull=False).select_related("version")
    return sorted(among(queues, person, act), key=lambda queue: queue.spec.title)


def among(queues: Iterable[Queue], person: User, act: Act) -> list[Queue]:
    """Return those of these queues on which the person has the right; one statement, however many they are."""
    held = rights.of(person)
    return [queue for queue in queues if _covers(held.on(queue.pk), act)]


def one(person: User, slug: str, act: Act, *, item_id: int | None = None) -> Queue:
    """Return a queue on which the person has the right: NotFound for who does not belong there, else Forbidden.

    The refusal names the item that the page is about, where it is one of the queue's.
    """
    queue = Queue.objects.filter(slug=slug, version__isnull=False).select_related("version").first()
    if queue is None:
        raise NotFound
    if not may(person, queue, act):
        about = Item.objects.filter(pk=item_id, queue=queue).values_list("pk", flat=True).first() if item_id else None
        rights.require(person, act, queue_id=queue.pk, item_id=about)
    return queue


def demand_item(queue: Queue, item_id: int) -> None:
    """Refuse an item that is not of this queue."""
    if not Item.objects.filter(pk=item_id, queue=queue).exists():
        raise NotFound


def may(person: User, queue: Queue | None, act: Act) -> bool:
    """Tell whether the person has the right on the queue (None: the site) as a whole.

    The right to work is one for which Reach then sets limits.
    """
    return _covers(rights.standing(person, queue.pk if queue else None), act)


def _covers(standing: Standing | None, act: Act) -> bool:
    if standing is None:
        return False
    return rights.limit(standing, act) is not None if act in rights.CASEWORK else rights.may(standing, act)
