"""A folder for embedded servers that are gone when the test is."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewqueue.embedded import secrets, servers

QUICK = servers.Wish(settings={"fsync": "off"})
NOT_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "RUN_DIR", *secrets.MAKERS)


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    """A folder in which nothing ran yet."""
    folder = Path(tempfile.mkdtemp(prefix="rq-test-"))
    yield folder
    servers.remove(folder)


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A folder whose servers ran and were stopped, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="rq-test-"))
    servers.start(folder, QUICK)
    servers.stop(folder)
    (folder / servers.FILE).unlink()
    yield folder
    servers.remove(folder)


@pytest.fixture
def run_dir(empty_dir: Path, template: Path) -> Path:
    """A folder with a cluster that was made already, which saves its making."""
    shutil.copytree(template, empty_dir, dirs_exist_ok=True)
    return empty_dir


@pytest.fixture
def bare_environment() -> dict[str, str]:
    """The environment of somebody who set nothing."""
    return {name: value for name, value in os.environ.items() if name not in NOT_OURS}
