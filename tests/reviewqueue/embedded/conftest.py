"""A folder for embedded servers that are gone when the test is."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewqueue.embedded import secrets, servers

NOT_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "RUN_DIR", *secrets.MAKERS)


@pytest.fixture
def run_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rq-test-"))
    yield folder
    servers.remove(folder)


@pytest.fixture
def bare_environment() -> dict[str, str]:
    """The environment of somebody who set nothing."""
    return {name: value for name, value in os.environ.items() if name not in NOT_OURS}
