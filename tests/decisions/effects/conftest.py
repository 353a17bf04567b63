"""A queue whose actions go to a receiver on loopback."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.utils import timezone
from pytest_django import Settings

from decisions.models import Queue
from tests.decisions.effects.world import LOOPBACK, Receiver, make_endpoint, receiver
from tests.factories import make_queue


@dataclass
class Street:
    """A queue, who is told of its actions, and the secret between them."""

    queue: Queue
    world: Receiver
    secret: str


@pytest.fixture
def world(settings: Settings) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    with receiver() as it:
        yield it


@pytest.fixture
def street(db: None, world: Receiver) -> Street:
    queue = make_queue()
    return Street(queue, world, make_endpoint(queue, world.url, timezone.now()))
