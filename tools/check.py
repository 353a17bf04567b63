"""Run every check of `make check`, two at a time, and show what failed.

Nothing here needs a server: settings get addresses where nothing answers and secrets for one use.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reviewqueue.embedded import discover  # noqa: E402 (found only once the path is set)

PYTHON = (sys.executable,)
MODULE = (sys.executable, "-m")
MANAGE = (sys.executable, "-W", "ignore::RuntimeWarning", "manage.py")  # no database answers, as makemigrations notes
PRODUCTION = {"PUBLIC_URL": "https://review.example.org", "ALLOWED_HOSTS": "review.example.org"}


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and the command that tells."""

    title: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


# The longest first, so that the others run beside it.
CHECKS = [
    Check("types", (*MODULE, "mypy", ".")),
    Check("format", (*MODULE, "ruff", "format", "--check", "--quiet", ".")),
    Check("lint", (*MODULE, "ruff", "check", "--quiet", ".")),
    Check("system checks", (*MANAGE, "check")),
    Check("system checks for production", (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"), PRODUCTION),
    Check("migrations are made", (*MANAGE, "makemigrations", "--check", "--dry-run")),
    Check("templates compile", (*PYTHON, "tools/compile_templates.py")),
    Check("templates are tidy", (*MODULE, "djlint", "templates", "--lint", "--quiet")),
    Check("API description is up to date", (*PYTHON, "tools/schema.py", "--check")),
    Check("translations are complete", (*PYTHON, "tools/messages.py", "--check")),
    Check("vendored files are unchanged", (*PYTHON, "tools/vendor.py", "--check")),
]


def main() -> int:
    """Run all checks and return 1 if any failed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(passes, CHECKS))
    return 0 if all(results) else 1


def passes(check: Check) -> bool:
    """Run one check and print its line, with all it said if it failed."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 (commands of the table above)
        check.command,
        cwd=ROOT,
        env={**os.environ, **discover.placeholders(), **check.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    is_good = done.returncode == 0
    said = "" if is_good else f"{done.stdout.rstrip()}\n"
    sys.stdout.write(f"{'ok    ' if is_good else 'FAILED'} {time.monotonic() - began:5.1f} s  {check.title}\n{said}")
    sys.stdout.flush()
    return is_good


if __name__ == "__main__":
    sys.exit(main())
