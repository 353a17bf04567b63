"""Which queues a person finds on a page."""

from decisions import rights
from decisions.exceptions import NotFound
from decisions.models import Queue, User
from decisions.rights import Act


def where(person: User, act: Act) -> list[Queue]:
    """Return the queues with a spec on which the person has the right, by title."""
    found = [
        queue
        for queue in Queue.objects.filter(version__isnull=False).select_related("version")
        if may(person, queue, act)
    ]
    return sorted(found, key=lambda queue: queue.spec.title)


def one(person: User, slug: str, act: Act) -> Queue:
    """Return a queue on which the person has the right: NotFound for who does not belong there, else Forbidden."""
    queue = Queue.objects.filter(slug=slug, version__isnull=False).select_related("version").first()
    if queue is None:
        raise NotFound
    standing = rights.standing(person, queue.pk)
    if standing is None:
        raise NotFound
    if rights.limit(standing, act) is None:
        rights.demand(standing, act, queue_id=queue.pk)
    return queue


def may(person: User, queue: Queue, act: Act) -> bool:
    """Tell whether the person has the right on the queue, in some cases at least."""
    standing = rights.standing(person, queue.pk)
    return standing is not None and rights.limit(standing, act) is not None
