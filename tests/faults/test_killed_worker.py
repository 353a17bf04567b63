"""kill -9 of a real Celery worker in mid-delivery: nothing is lost, and what is told again has the same id and body."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from decisions.models import Action, Delivery, Event
from decisions.record import proof
from tests.databases import Clone
from tests.decisions.effects.world import LOOPBACK, Letter, make_actions, make_endpoint, receiver
from tests.factories import make_queue

ROOT = Path(__file__).resolve().parents[2]
COUNT, BEFORE = 80, 30
REDIS_DB = 11  # a Redis of its own: no other worker takes its messages


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def worker(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker with its beat in a process group of their own; killed at the end whatever happens."""
    schedule = f"--schedule={folder / 'beat'}"
    command = [sys.executable, "-m", "celery", "--app", "reviewqueue", "worker", "--beat", schedule, "--concurrency=1"]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_worker_killed_in_mid_delivery_loses_nothing(committed_db: Clone, settings: Settings, tmp_path: Path) -> None:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    redis_url = urlsplit(settings.REDIS_URL)._replace(path=f"/{REDIS_DB}").geturl()
    environment = {
        **committed_db.environment,
        "REDIS_URL": redis_url,
        "OUTBOUND_ALLOWED": LOOPBACK,
        "DATA_DIR": str(tmp_path),
        "RUN_DIR": str(tmp_path),
    }
    release = Flag()

    def hold_back(letter: Letter) -> tuple[int, dict[str, str]]:
        if len(world.letters) > BEFORE:
            release.wait(60)
        return 200, {}

    with receiver() as world, Redis.from_url(redis_url) as redis:
        redis.flushdb()
        world.reply = hold_back
        queue = make_queue()
        secret = make_endpoint(queue, world.url, timezone.now())
        actions = make_actions(queue, timezone.now(), COUNT)
        with worker(environment, tmp_path) as first:
            wait_until(lambda: len(world.letters) > BEFORE)
            wait_until(lambda: Action.objects.filter(state="delivered").exists())
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
        interrupted = set(Action.objects.filter(state="pending", attempts__gt=0).values_list("pk", flat=True))
        assert interrupted
        release.set()
        redis.flushdb()  # Redis forgot all of it
        Action.objects.filter(state="pending").update(next_at=timezone.now())  # the lease of 45 s ends now
        with worker(environment, tmp_path):
            wait_until(lambda: not Action.objects.exclude(state="delivered").exists())
        redis.flushdb()

    bodies = defaultdict(set)
    for letter in world.letters:
        assert letter.is_signed_with(secret)
        bodies[letter.id].add(letter.body)
    assert set(bodies) == {f"act_{action.pk}" for action in actions}
    assert all(len(different) == 1 for different in bodies.values())
    repeats = {told for told in bodies if world.ids.count(told) > 1}
    assert repeats <= {f"act_{pk}" for pk in interrupted}
    assert Delivery.objects.filter(status=200).values("action").distinct().count() == COUNT
    assert Delivery.objects.count() == COUNT
    assert Event.objects.filter(chain=queue.pk, kind=Event.Kind.ACTION_DELIVERED).exists()
    assert proof.verify(queue.pk).bad == ()
