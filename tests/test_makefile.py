"""The targets that README and CI name are there, explained, and run what they say."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("help", "run", "test", "check", "fix", "proof", "smoke", "bench", "lock", "clean")


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_is_the_default_and_explains_every_target() -> None:
    shown = make()
    assert shown == make("help")
    assert tuple(re.findall(r"^make (\w+) +\S", shown, re.MULTILINE)) == TARGETS


@pytest.mark.parametrize(
    ("target", "program"),
    [
        ("run", "python -m reviewqueue.embedded.run"),
        ("test", 'python -m pytest -n 2 -m "not proof"'),
        ("check", "python tools/check.py"),
        ("proof", "python -m pytest -n 2 --dist worksteal -m proof"),
        ("bench", "python -m tests.bench"),
        ("clean", "python -m reviewqueue.embedded remove"),
    ],
)
def test_a_target_runs_its_program(target: str, program: str) -> None:
    assert program in make("--dry-run", target)


def test_what_is_installed_is_pinned_with_hashes() -> None:
    asked = make("--dry-run", "--always-make", "test")
    assert "install --require-hashes -r requirements/dev.txt" in asked
