"""Going from queue to queue, so that one that cannot be looked at hides none of the others."""

from collections.abc import Callable, Iterable

from decisions.models import Queue


def of(queues: Iterable[Queue], look: Callable[[Queue], int], *, broken: str) -> int:
    """Look at each queue and return the sum of what was found; raises at the end what went wrong, as `broken`."""
    found, errors = 0, []
    for queue in queues:
        try:
            found += look(queue)
        except Exception as error:  # told at the end, when the others have been looked at
            errors.append(error)
    if errors:
        raise ExceptionGroup(broken, errors)
    return found
