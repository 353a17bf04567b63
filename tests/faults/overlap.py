"""Two transactions that really overlap: one is held open until the other waits for it, or has passed it by."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

PATIENCE = 10.0  # seconds


class Elsewhere:
    """Another process, as far as the database can tell: a thread with its own connection."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def runs(self, call: Callable[..., Any], **given: Any) -> "Future[Any]":
        """Start a call there."""
        return self._pool.submit(_with_own_connection, call, given)

    def passes(self, call: Callable[..., Any], **given: Any) -> Any:
        """Run a call there that must not wait for the transaction here, and return what it returns."""
        return self.runs(call, **given).result(timeout=PATIENCE)

    def waits(self, call: Callable[..., Any], **given: Any) -> "Future[Any]":
        """Start a call there, and return when the database says that it waits for the transaction here."""
        future = self.runs(call, **given)
        end = time.monotonic() + PATIENCE
        while not _somebody_waits():
            assert not future.done(), future.exception() or future.result()
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.01)
        return future


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Give another process to run into the open transaction of this one."""
    with ThreadPoolExecutor(1) as pool:
        yield Elsewhere(pool)


def _with_own_connection(call: Callable[..., Any], given: dict[str, Any]) -> Any:
    try:
        return call(**given)
    finally:
        connection.close()


def _somebody_waits() -> bool:
    """Return whether a session waits for a lock that this one holds."""
    assert transaction.get_connection().in_atomic_block
    with connection.cursor() as cursor:
        # Not pg_stat_activity: its first answer in a transaction is kept to the end.
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
