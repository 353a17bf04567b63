"""`manage.py` finds the embedded servers, and says in one sentence when they do not run."""

import subprocess
import sys
from pathlib import Path

from reviewqueue.embedded import servers
from tests.reviewqueue.embedded.conftest import QUICK

BASE_DIR = Path(__file__).resolve().parents[3]
NOT_RUNNING = "The embedded servers are not running. Start them with `make run`, or set DATABASE_URL.\n"
COUNT = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT 41 + 1'); print(k.fetchone()[0])"


def manage(environment: dict[str, str], run_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={**environment, "RUN_DIR": str(run_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_commands_find_the_servers_and_say_when_they_have_stopped(
    run_dir: Path, bare_environment: dict[str, str]
) -> None:
    servers.start(run_dir, QUICK)
    found = manage(bare_environment, run_dir, "shell", "--no-imports", "--command", COUNT)
    assert found.stdout == "42\n", found.stderr
    servers.stop(run_dir)
    missing = manage(bare_environment, run_dir, "shell", "--no-imports", "--command", COUNT)
    assert (missing.returncode, missing.stderr) == (1, NOT_RUNNING)


def test_on_a_fresh_checkout_only_commands_without_a_database_work(
    empty_dir: Path, bare_environment: dict[str, str]
) -> None:
    missing = manage(bare_environment, empty_dir, "shell", "--no-imports", "--command", COUNT)
    assert (missing.returncode, missing.stderr) == (1, NOT_RUNNING)
    works = manage(bare_environment, empty_dir, "diffsettings")
    assert works.returncode == 0, works.stderr
    assert not list(empty_dir.iterdir())
