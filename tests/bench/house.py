"""Where the bench takes place: servers of its own with the settings of production, and a database a size."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reviewqueue.embedded import locks, secrets, servers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".run" / "bench"


@contextmanager
def opened() -> Iterator[Path]:
    """Start PostgreSQL and Valkey as `make run` does, name them to the settings, and remove everything at the end.

    One bench at a time: two would measure each other.
    """
    FOLDER.parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(FOLDER.with_suffix(".lock"), wait=False))
        except BlockingIOError:
            sys.exit("Another bench is running here: the two would measure each other.")
        servers.remove(FOLDER)  # of a bench that was killed
        try:
            found = servers.start(FOLDER, servers.Wish(bound_to_parent=True))
            os.environ.update(secrets.ensure(FOLDER))
            os.environ.update(found.environment())
            os.environ.update(RUN_DIR=str(FOLDER), DATA_DIR=str(FOLDER / "data"), API_THROTTLE="1000000000/min")
            os.environ["DJANGO_SETTINGS_MODULE"] = "reviewqueue.settings"
            yield FOLDER
        finally:
            servers.remove(FOLDER)
