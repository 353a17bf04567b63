"""Does what a new user does: a fresh clone, `make run`, one item all the way, Ctrl-C; then a second start.

Says what it did and how long it took, and fails where anything is missing or left over.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
QUEUE = "emails"
ITEM = {"external_id": "smoke-1", "payload": {"dollar": 3}, "source": "smoke"}
MOST_CLAIMS = 40
PATIENCE = 240.0  # seconds for what the worker does meanwhile: the demo imports its history at the same time
FIRST_SECONDS, LATER_SECONDS, STOP_SECONDS = 240.0, 60.0, 10.0  # on a shared machine; 120 and 15 on a quiet one


class Broken(Exception):  # noqa: N818 - what went wrong, in words
    """Something that a new user would stumble over."""


@dataclass
class Run:
    """One `make run` in a clone."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, Any]:
        """Call the API; return status and answer."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - loopback
                text = response.read().decode()
                is_json = response.headers.get_content_type() == "application/json"
                return response.status, json.loads(text) if is_json else text
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def manage(self, *words: str) -> str:
        """Run a command of the clone; return what it prints."""
        command = [str(self.folder / ".venv/bin/python"), "manage.py", *words]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)  # noqa: S603 - ours
        return done.stdout.strip()


def say(text: str) -> None:
    """Write one line at once."""
    sys.stdout.write(f"smoke: {text}\n")
    sys.stdout.flush()


def until(what: str, holds: Callable[[], Any], seconds: float) -> Any:
    """Wait until something holds and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.3)
    message = f"{what} did not come within {seconds:.0f} s"
    raise Broken(message)


@contextmanager
def running(folder: Path, port: int, seconds: float) -> Iterator[Run]:
    """Start `make run`, wait until it is ready, and end it as Ctrl-C does."""
    began = time.monotonic()
    named = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "RUN_DIR")  # a new user has none of these
    environment = {name: value for name, value in os.environ.items() if name not in named}
    process = subprocess.Popen(
        ["make", "run"],  # noqa: S607 - what the README says
        cwd=folder,
        env={**environment, "PORT": str(port), "RATE": "3", "REVIEWERS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    run = Run(folder, port, process)
    threading.Thread(target=lambda: run.lines.extend(process.stdout or ()), daemon=True).start()
    try:
        until("the first page", lambda: process.poll() is not None or (is_announced(run) and is_ready(run)), seconds)
        if process.poll() is not None:
            raise Broken("make run ended by itself:\n" + "".join(run.lines[-30:]))
        say(f"ready after {time.monotonic() - began:.1f} s")
        yield run
    except BaseException:
        sys.stdout.writelines(run.lines)
        raise
    finally:
        stop(run)


def is_announced(run: Run) -> bool:
    """Tell whether the terminal says where to go."""
    return any(f"open {run.url}" in line for line in run.lines)


def is_ready(run: Run) -> bool:
    """Tell whether the site answers that all it needs is there."""
    try:
        return run.call("GET", "/readyz")[0] == 200
    except OSError:
        return False


def stop(run: Run) -> None:
    """Press Ctrl-C; nothing of the run may be left."""
    began = time.monotonic()
    if run.process.poll() is None:
        os.killpg(run.process.pid, signal.SIGINT)
    try:
        run.process.wait(STOP_SECONDS + 10)
    finally:
        left = leftovers(run.folder)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    took = time.monotonic() - began
    if left:
        message = f"{len(left)} processes were left after Ctrl-C"
        raise Broken(message)
    if took > STOP_SECONDS:
        message = f"Ctrl-C took {took:.1f} s"
        raise Broken(message)
    say(f"stopped in {took:.1f} s, nothing is left running")


def leftovers(folder: Path) -> list[int]:
    """Return the processes that run from a folder or hold its path in their environment or command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told:
            found.append(int(entry.name))
    return found


def one_item(run: Run) -> None:
    """Send one item in and follow it until it is delivered, done and labelled."""
    sender = run.manage("create_token", "smoke", "--scope", "intake", "--queue", QUEUE)
    reviewer = run.manage(
        "create_token", "smoke", "--as", "lead@example.org", "--scope", "review", "--scope", "read", "--queue", QUEUE
    )
    labels = run.manage("create_token", "smoke", "--as", "manager@example.org", "--scope", "read", "--queue", QUEUE)
    # The manager may be asked for a second opinion on the item, and is told nothing of it until then; the auditor is.
    lives = run.manage("create_token", "smoke", "--as", "auditor@example.org", "--scope", "read", "--queue", QUEUE)
    status, item = run.call("POST", f"/api/v1/queues/{QUEUE}/items/", sender, ITEM)
    if status != 201 or item["route"] != "soft":
        message = f"the item was not taken in for people: {status} {item}"
        raise Broken(message)
    say(f"item in: {json.dumps(item)}")
    again = run.call("POST", f"/api/v1/queues/{QUEUE}/items/", sender, ITEM)
    if again[0] != 200 or not again[1]["duplicate"]:
        message = f"the same item again was no duplicate: {again}"
        raise Broken(message)
    decide_until(run, reviewer, item["id"])
    life = f"/api/v1/items/{item['id']}/"
    until("the delivery and its result", lambda: '"done"' in json.dumps(run.call("GET", life, lives)[1]), PATIENCE)
    say("delivered, and the receiver says it is done")
    until(
        "the label",
        lambda: f'"item":{item["id"]}' in compact(run.call("GET", f"/api/v1/labels/?queue={QUEUE}&after=0", labels)),
        PATIENCE,
    )
    say("labelled")


def compact(answer: tuple[int, Any]) -> str:
    """Return an answer as text without spaces."""
    return re.sub(r"\s", "", answer[1] if isinstance(answer[1], str) else json.dumps(answer[1]))


def decide_until(run: Run, token: str, item_id: int) -> None:
    """Claim and decide, most urgent first, until the item has been decided."""
    for _ in range(MOST_CLAIMS):
        status, claimed = run.call("POST", f"/api/v1/queues/{QUEUE}/claim/", token, {"count": 1})
        if status != 200:
            message = f"nothing to claim: {status} {claimed}"
            raise Broken(message)
        task = claimed["tasks"][0]
        answer = {"lease": task["lease"], "outcome": "spam", "reason": "offer", "active_seconds": 2.5}
        status, decided = run.call("POST", f"/api/v1/tasks/{task['id']}/decide/", token, answer)
        if status != 201:
            message = f"the decision was refused: {status} {decided}"
            raise Broken(message)
        if task["item"]["id"] == item_id:
            say(f"claimed and decided: {json.dumps(decided)[:200]}")
            return
    message = f"the item was not among the first {MOST_CLAIMS} tasks"
    raise Broken(message)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run it all; the clone goes in any case."""
    folder = Path(tempfile.mkdtemp(prefix="rq-smoke-"))
    folder.chmod(0o755)
    clone = folder / "clone"
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S603, S607 - our own
        port = free_port()
        with running(clone, port, FIRST_SECONDS) as run:
            if "reviewer@example.org" not in "".join(run.lines):
                raise Broken("make run did not print the people")
            one_item(run)
            say(run.manage("verify_log", "--deep").splitlines()[-1])
        with running(clone, port, LATER_SECONDS) as run:
            if "reviewer@example.org" in "".join(run.lines):
                raise Broken("a second make run printed passwords again")
    except Broken as error:
        say(f"FAILED: {error}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say("everything a new user does works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
