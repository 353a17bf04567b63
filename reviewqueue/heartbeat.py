"""Signs of life of the Celery processes: a file for each role, touched while it works, read by health checks."""

from celery.signals import beat_init, before_task_publish, heartbeat_sent
from django.conf import settings


def touch(role: str) -> None:
    """Leave the sign of life of a role."""
    path = settings.RUN_DIR / "alive" / role
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@heartbeat_sent.connect
def worker_is_alive(**_: object) -> None:
    """The worker's connection to the broker is up: it says so every few seconds."""
    touch("worker")


@beat_init.connect
def watch_beat(**_: object) -> None:
    """Only in beat, every message sent is a sign of life."""
    before_task_publish.connect(beat_is_alive)


def beat_is_alive(**_: object) -> None:
    """The scheduler sends what is due."""
    touch("beat")
