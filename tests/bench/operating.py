"""What measured figures cost: the operating point of a queue with a million items in its window."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

from django.conf import settings
from django.test import Client

from decisions.measure import rollups
from decisions.models import Queue
from tests import databases
from tests.bench.promises import Promise
from tests.decisions.measure import crowd
from tests.factories import make_queue, make_token, make_user

ITEMS = 1_000_000
BUDGET = 200  # audits a day
CALLS = 15
MOST = 0.5  # seconds


def measure() -> list[Promise]:
    """Put a million items behind a queue, audited each day, and read its figures as a person and as a program do."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    with databases.template("operating"):
        queue, now = make_queue(), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        crowd.fill(queue, ITEMS, end=now, budget=BUDGET)
        spent = _seconds(lambda: rollups.roll_up(now), calls=1)
        crowd.analyze()
        return [Promise("hourly figures of a million items, once: seconds", 1, spent), *_readings(queue)]


def _readings(queue: Queue) -> list[Promise]:
    person = make_user("manager", queue)
    client, headers = Client(), {"Authorization": f"Bearer {make_token(person, 'read')[1]}"}
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[-1])
    page = _seconds(lambda: _read(client, f"/policy/{queue.slug}/operating-point/?window=28d"))
    call = _seconds(lambda: _read(Client(), f"/api/v1/queues/{queue.slug}/operating-point/", **headers))
    return [
        Promise("page of the operating point, a million items in the window: seconds", CALLS, page, at_most=MOST),
        Promise("call for the operating point: seconds", CALLS, call, at_most=MOST),
    ]


def _read(client: Client, path: str, **headers: str) -> None:
    answer = client.get(path, headers=headers, secure=True)
    assert answer.status_code == 200, answer.content[:500]


def _seconds(read: Callable[[], object], calls: int = CALLS) -> float:
    """Return the median of the seconds that some calls took."""
    spent = []
    for _ in range(calls):
        began = time.perf_counter()
        read()
        spent.append(time.perf_counter() - began)
    return median(spent)
