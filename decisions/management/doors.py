"""What management commands have in common as doors: who acts, and refusals as messages."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from decisions.exceptions import Forbidden, Refused
from decisions.models import Queue, User
from decisions.record import log


def person(email: str) -> User:
    """Return the active person with this e-mail address."""
    found = User.objects.filter(email=email.lower(), is_active=True).first()
    if found is None:
        message = f"There is no active person {email}."
        raise CommandError(message)
    return found


def queue(slug: str) -> Queue:
    """Return the queue with this slug."""
    found = Queue.objects.filter(slug=slug).first()
    if found is None:
        message = f"There is no queue “{slug}”."
        raise CommandError(message)
    return found


@contextmanager
def refusals(user: User | None = None) -> Iterator[None]:
    """Turn a refusal into the command's message; a right that a person lacks is noted in the record."""
    try:
        yield
    except Forbidden as error:
        if user is not None:
            log.refuse(user, error, log.now())
        raise CommandError(error.detail) from error
    except Refused as error:
        parts = [": ".join(part for part in (fault.field, fault.detail) if part) for fault in error.faults]
        raise CommandError("\n".join(parts) or error.detail) from error
