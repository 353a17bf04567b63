"""Hints to Celery that something is due now; what a hint would start is found again by the sweeps without it."""

from functools import cache
from threading import Event, Thread
from time import sleep

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

PAUSE = 0.2  # seconds between two hints of one kind: more would say the same
SHY = 5.0  # seconds after which a broker that did not answer is asked again
EXPIRES = 30  # seconds after which a hint that nobody took is thrown away

logger = structlog.get_logger(__name__)


class Bell:
    """Sends one kind of hint from a thread of its own, so that nobody ever waits for the broker."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._rung = Event()
        Thread(target=self._serve, name=f"hint {task}", daemon=True).start()

    def ring(self) -> None:
        """Have the hint sent soon; ringing twice at once sends one."""
        self._rung.set()

    def _serve(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            sleep(PAUSE if self._send() else SHY)

    def _send(self) -> bool:
        try:
            current_app.send_task(f"decisions.tasks.{self._task}", expires=EXPIRES, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            logger.warning("hint_not_sent", task=self._task, error=str(error))
            return False
        return True


def on_commit(task: str) -> None:
    """Hint that a task of `decisions/tasks.py` has something to do, once the transaction is committed."""
    transaction.on_commit(_bell(task).ring)


@cache
def _bell(task: str) -> Bell:
    return Bell(task)
