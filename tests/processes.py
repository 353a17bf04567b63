"""The real processes of the site, on a test's own database and Redis: started, called, killed, started again."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from reviewqueue.embedded import children, ports, processes, servers, valkey
from reviewqueue.embedded.processes import Program

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1/32"
READY_SECONDS = 90.0
CALL_SECONDS = 30.0
PATIENCE = 90.0  # seconds after which a caller that gets no answer gives up
WORKER = ("worker", "beat")
EVERYTHING = ("web", *WORKER)
IN_FLIGHT = "in_flight"

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """What a call was answered: `data` is JSON where the answer is, else text."""

    status: int
    data: Any


@dataclass
class Site:
    """Web, worker and beat with the command lines of `make run`, each in a session of its own."""

    environment: Mapping[str, str]
    folder: Path
    port: int = field(default_factory=lambda: ports.choose(None))
    pids: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)  # how long each call took

    @property
    def url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}"

    def start(self, *names: str) -> None:
        """Start processes; returns when the web process serves."""
        options = children.Options(port=self.port, rate=0, reviewers=0)
        commands = {child.name: child.command for child in children.plan(options, self.folder).children}
        for name in names:
            program = Program(
                command=commands[name],
                cwd=ROOT,
                log=self.folder / "log" / f"{name}.log",
                environment={**self.environment, "PUBLIC_URL": self.url},
            )
            self.pids[name] = processes.spawn(program, bound_to_parent=True)
        if "web" in names:
            until(self.is_serving, READY_SECONDS, lambda: self.last_words("web"))

    def kill(self, *names: str) -> None:
        """End processes and all their children at once, as kill -9 does."""
        for name in names:
            pid = self.pids.pop(name)
            os.killpg(pid, signal.SIGKILL)
            assert processes.wait(lambda pid=pid: not processes.is_alive(pid), 10), name  # type: ignore[misc]

    def is_serving(self) -> bool:
        """Tell whether the web process answers; whether Redis does too is not asked."""
        try:
            return self.call("GET", "/readyz").status == 200
        except (OSError, HTTPException):
            return False

    def call(self, method: str, path: str, token: str = "", body: Any = None, key: str = "") -> Answer:
        """Call the API once. A body of bytes is sent as NDJSON; a key makes the call one that happens once."""
        is_lines = isinstance(body, bytes)
        headers = {
            "Content-Type": "application/x-ndjson" if is_lines else "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **({"Idempotency-Key": key} if key else {}),
        }
        data = body if is_lines or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        began = time.monotonic()
        try:
            with _opener.open(request, timeout=CALL_SECONDS) as response:
                return _read(response.status, response.headers.get_content_type(), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _read(error.code, error.headers.get_content_type(), error.read())
        finally:
            self.seconds.append(time.monotonic() - began)

    def insist(self, method: str, path: str, token: str = "", body: Any = None, key: str = "") -> Answer:
        """Call the same until there is an answer that is not a fault of the site."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self.call(method, path, token, body, key)
                if answer.status < 500 and not (answer.status == 409 and answer.data.get("code") == IN_FLIGHT):
                    return answer
                last: object = answer
            except (OSError, HTTPException) as error:
                last = error
            assert time.monotonic() < end, f"{method} {path}: {last}"
            time.sleep(0.1)

    def manage(self, *words: str) -> None:
        """Run a command of `manage.py`."""
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def last_words(self, name: str) -> str:
        """Return the end of a process's log."""
        log = self.folder / "log" / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


def _read(status: int, kind: str, content: bytes) -> Answer:
    text = content.decode()
    is_json = kind == "application/json" or kind.endswith("+json")
    return Answer(status, json.loads(text) if is_json and text else text)


def until(holds: Callable[[], Any], seconds: float, why: Callable[[], object] = str) -> Any:
    """Wait until something holds, and return it; fail with what `why` says."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"it did not happen within {seconds:g} s. {why()}"
        time.sleep(0.05)
    return found


@contextmanager
def running(addresses: Mapping[str, str], folder: Path) -> Iterator[Site]:
    """Give a site on these addresses; whatever of it runs at the end is killed."""
    site = Site(
        environment={
            **addresses,
            "RUN_DIR": str(folder),
            "DATA_DIR": str(folder / "data"),
            "OUTBOUND_ALLOWED": LOOPBACK,
            "LOG_LEVEL": "WARNING",
        },
        folder=folder,
    )
    try:
        yield site
    finally:
        site.kill(*site.pids)


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """Run a Valkey that nobody else uses: no other worker takes its messages, and it may be killed."""
    try:
        yield revive_redis(folder)
    finally:
        servers.stop(folder)


def kill_redis(folder: Path) -> None:
    """End the Valkey of a folder at once; it forgets everything."""
    store = servers.store_of(folder)
    processes.send(valkey.processes(store), signal.SIGKILL)
    assert processes.wait(lambda: not valkey.processes(store), 5)


def revive_redis(folder: Path) -> str:
    """Start the Valkey of a folder, at the port it had; return its address."""
    return servers.start(folder, servers.Wish(database=False, bound_to_parent=True)).redis_url
