"""The two sites under measure, each behind its own web server with the same settings, and a client for both."""

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.db import connections

from reviewqueue.embedded import children, ports, processes
from reviewqueue.embedded.processes import Program

ROOT = Path(__file__).resolve().parents[2]
OURS, BARE = "reviewqueue.wsgi", "tests.bench.bare.wsgi"
READY_SECONDS = 60.0
JSON = "application/json"
KEPT = {"CONN_MAX_AGE": "3600"}  # no session begins anew in the middle of a figure


@dataclass
class Client:
    """One caller with one connection that is kept open."""

    port: int
    token: str = ""
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(ports.LOOPBACK, self.port, timeout=120)

    def post(self, path: str, body: bytes, kind: str = JSON) -> tuple[float, Any]:
        """Send a body; return the seconds until the whole answer was here, and the answer. Refuses a refusal."""
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        began = time.perf_counter()
        self.connection.request("POST", path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - began
        if response.status not in (200, 201):
            message = f"{path}: {response.status} {content[:300]!r}"
            raise RuntimeError(message)
        return seconds, json.loads(content)


@dataclass(frozen=True)
class Site:
    """A running site: its port, its web server, and the name that its sessions have in the database."""

    port: int
    pid: int
    name: str

    def cpu(self) -> float:
        """Return the seconds of processor time that its processes and their database sessions have used so far."""
        return sum(_seconds(pid) for pid in [*_family(self.pid), *sessions(self.name)])


def sessions(name: str) -> list[int]:
    """Return the processes that serve the sessions of this name."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [name])
        return [row[0] for row in cursor.fetchall()]


def cpu_of_sessions(name: str) -> float:
    """Return the seconds of processor time that the sessions of this name have used so far."""
    return sum(map(_seconds, sessions(name)))


def _family(leader: int) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _group(entry) == leader]


def _group(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(name: str, environment: Mapping[str, str], log: Path) -> Iterator[Site]:
    """Run a site with the web server's command line of `make run`."""
    port = ports.choose(None)
    options = children.Options(port=port, rate=0, reviewers=0)
    (web,) = (child for child in children.plan(options, log.parent).children if child.name == "web")
    command = tuple(name if part == OURS else part for part in web.command)
    pid = processes.spawn(
        Program(command, ROOT, log, environment={**environment, **KEPT, "PGAPPNAME": name}), bound_to_parent=True
    )
    try:
        if not processes.wait(lambda: not ports.is_free(port) or not processes.is_alive(pid), READY_SECONDS):
            message = f"{name} does not serve."
            raise RuntimeError(message)
        yield Site(port, pid, name)
    finally:
        os.killpg(pid, signal.SIGTERM)
        processes.wait(lambda: not processes.is_alive(pid), 30)
