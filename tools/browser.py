"""See to it that there is a browser for the tests that need one; exit 1, loudly, where none can be had.

Debian's chromium if it is there or can be installed, else the one that Playwright fetches.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser")
APT = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
MISSING = """
********************************************************************************
No browser could be found or installed. The tests marked `browser` (tests/browser
and the browser part of tests/test_flow.py) are LEFT OUT of this run.
Install chromium, or run `.venv/bin/playwright install chromium`.
********************************************************************************
"""


def main() -> int:
    """Find a browser or bring one."""
    if find() or (install() and find()):
        return 0
    sys.stderr.write(MISSING)
    return 1


def find() -> str | None:
    """Return the browser that the tests will use."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.access(path, os.X_OK) else None


def install() -> bool:
    """Install a browser in one of the ways that this machine allows."""
    if os.geteuid() == 0 and shutil.which("apt-get") and runs(["apt-get", "update"]) and runs(APT):
        return True
    return runs([sys.executable, "-m", "playwright", "install", "chromium"])


def runs(command: list[str]) -> bool:
    """Tell whether a command succeeds; what it says goes to standard error."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode == 0  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
