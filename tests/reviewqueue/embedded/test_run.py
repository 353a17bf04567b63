"""`make run` brings up, keeps up and takes down; nothing stays, whatever ends it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewqueue.embedded import children, ports, processes, run, servers
from reviewqueue.embedded.errors import EmbeddedError
from reviewqueue.embedded.supervisor import MARK, Supervisor, end_marked

BASE_DIR = Path(__file__).resolve().parents[3]
SMALL_RUN = "tests.reviewqueue.embedded.small_run"


class Running:
    """A small `make run` in a process of its own, and what it says."""

    def __init__(self, run_dir: Path, environment: dict[str, str], *unwilling: str) -> None:
        self.run_dir, self.environment, self.unwilling = run_dir, environment, unwilling
        self.port = ports.choose(None)
        self.output = run_dir / "said"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", SMALL_RUN, str(self.run_dir), str(self.port), *self.unwilling]
        with self.output.open("wb") as output:
            return subprocess.Popen(command, cwd=BASE_DIR, env=self.environment, stdout=output, stderr=output)

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        assert processes.wait(lambda: words in self.said(), 30), f"{words!r} was not said, but: {self.said()}"

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(15)

    def processes(self) -> list[int]:
        """Everything that belongs to this run, the run itself left out."""
        found = processes.in_environment(MARK, str(self.run_dir))
        data = self.run_dir / "postgres" / "data"
        return (
            found
            + processes.working_in(data, "postgres")
            + processes.working_in(self.run_dir / "valkey", "valkey-server")
        )


@pytest.fixture
def running(run_dir: Path, bare_environment: dict[str, str]) -> Iterator[Running]:
    started = Running(run_dir, bare_environment)
    yield started
    started.end(signal.SIGKILL)


@pytest.fixture
def unwilling(run_dir: Path, bare_environment: dict[str, str]) -> Iterator[Running]:
    """One with a child that ignores every request to end and has a child itself."""
    started = Running(run_dir, bare_environment, "stubborn")
    yield started
    started.end(signal.SIGKILL)
    end_marked(run_dir)


def test_ctrl_c_stops_everything_in_time_even_what_will_not_end(unwilling: Running) -> None:
    unwilling.wait_for("Ready: open")
    assert re.search(r"^shown$", unwilling.said(), re.MULTILINE)
    assert (unwilling.run_dir / "log" / "step.log").read_text() == "in its log\n"
    unwilling.wait_for("once has finished.")
    assert len(unwilling.processes()) > 5
    began = time.monotonic()
    unwilling.process.send_signal(signal.SIGINT)
    assert unwilling.end(signal.SIGINT) == 0  # an impatient second one changes nothing
    assert time.monotonic() - began < 10
    assert "Everything is stopped" in unwilling.said()
    assert unwilling.processes() == []


def test_only_the_unwilling_outlives_a_killed_run_and_the_next_run_ends_that(unwilling: Running) -> None:
    unwilling.wait_for("once has finished.")
    unwilling.end(signal.SIGKILL)
    assert processes.wait(lambda: len(unwilling.processes()) == 2, 10)  # the stubborn one and what it started
    unwilling.process = unwilling.start()
    unwilling.wait_for("Ended processes that an earlier run had left.")
    unwilling.wait_for("Ready: open")


def test_a_second_run_says_that_one_is_up(running: Running) -> None:
    running.wait_for("Ready: open")
    command = [sys.executable, "-m", SMALL_RUN, str(running.run_dir), str(ports.choose(None))]
    second = subprocess.run(
        command, cwd=BASE_DIR, env=running.environment, capture_output=True, text=True, timeout=20, check=False
    )
    assert second.returncode == 1
    assert f"It is running already: http://127.0.0.1:{running.port}/ (process {running.process.pid})" in second.stderr
    assert running.process.poll() is None


def test_what_dies_is_started_again(running: Running) -> None:
    running.wait_for("once has finished.")
    running.wait_for("Ready: open")
    web = next(pid for pid in running.processes() if "http.server" in Path(f"/proc/{pid}/cmdline").read_text())
    os.kill(web, signal.SIGKILL)
    running.wait_for("web was ended by signal 9 and starts again in 1 s")
    chosen = children.Options(port=running.port, rate=0, reviewers=0)
    assert processes.wait(lambda: run.is_ready(chosen), 10)
    os.kill(servers.read(running.run_dir).pids["postgres"], signal.SIGKILL)
    running.wait_for("An embedded server has ended and starts again.")
    assert processes.wait(lambda: servers.find(running.run_dir) is not None, 15)


def test_servers_started_by_hand_are_used_and_stay(run_dir: Path, bare_environment: dict[str, str]) -> None:
    by_hand = servers.start(run_dir)
    running = Running(run_dir, bare_environment)
    running.wait_for("Ready: open")
    assert running.end(signal.SIGTERM) == 0
    assert servers.find(run_dir) == by_hand


def test_a_taken_port_is_named(empty_dir: Path, bare_environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", SMALL_RUN, str(empty_dir), str(port)]
        refused = subprocess.run(
            command, cwd=BASE_DIR, env=bare_environment, capture_output=True, text=True, timeout=20, check=False
        )
    assert refused.returncode == 1
    assert f"Port {port} is in use by another program." in refused.stderr
    assert not (empty_dir / "postgres").exists()


def test_a_step_that_fails_ends_the_run_with_the_end_of_its_log(empty_dir: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(empty_dir, BASE_DIR, dict(os.environ), said.append)
    broken = children.Step(
        "Tables", children.Child("migrate", (sys.executable, "-c", "raise SystemExit('no such table')"))
    )
    with pytest.raises(EmbeddedError, match=r"(?s)Tables: this step failed.*no such table"):
        run.take_step(supervisor, broken)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, children.Options(8000, 2, 3)),  # the defaults
        ({"PORT": "9001", "RATE": "0.5", "REVIEWERS": "0"}, children.Options(9001, 0.5, 0)),  # all chosen
        (
            {"PORT": "", "RATE": "", "REVIEWERS": ""},
            children.Options(8000, 2, 3),
        ),  # as an empty make variable gives them
    ],
)
def test_options_are_read(environment: dict[str, str], expected: children.Options) -> None:
    assert run.options(environment) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "0"), ("PORT", "web"), ("RATE", "-1"), ("RATE", "nan"), ("REVIEWERS", "1.5")]
)
def test_options_that_cannot_be_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(EmbeddedError, match=name):
        run.options({name: value})


def test_a_rate_of_zero_and_no_reviewers_leave_both_out(tmp_path: Path) -> None:
    names = [child.name for child in children.plan(children.Options(8000, 0, 0), tmp_path).children]
    assert names == ["web", "worker", "beat", "receiver", "history"]
    names = [child.name for child in children.plan(children.Options(8000, 1, 1), tmp_path).children]
    assert names == ["web", "worker", "beat", "receiver", "replay", "reviewers", "history"]


def test_given_servers_are_used_instead_of_embedded_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/db")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert (run.wish().database, run.wish().redis) == (False, True)
    earlier = servers.Servers("postgres://a", "postgres://o", "redis://r", pids={"postgres": 1, "valkey": 2})
    found = earlier.limited_to(run.wish())
    assert found.pids == {"valkey": 2}
    environment = run.settings(tmp_path, found, children.Options(8000, 0, 0))
    assert environment["DATABASE_URL"] == "postgres://elsewhere/db"
    assert "DATABASE_OWNER_URL" not in environment
    assert environment["REDIS_URL"] == "redis://r"


def test_long_logs_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_bytes(b"x" * (run.LONG_LOG + 1))
    (tmp_path / "beat.log").write_text("short")
    run.set_aside_long_logs(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"web.log.old", "beat.log"}
