"""`make run`: brings everything up on one machine, keeps it up, and takes it all down again."""

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from . import children, discover, locks, ports, processes, secrets, servers
from .children import Options, Plan, Step
from .errors import EmbeddedError
from .supervisor import Supervisor, end_marked

BASE_DIR = Path(__file__).resolve().parents[2]
READY_SECONDS = 90
TICK = 0.25
LONG_LOG = 10_000_000


@dataclass
class Terminal:
    """Says what happens, with the seconds since the start."""

    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Write one line."""
        sys.stdout.write(f"{time.monotonic() - self.began:6.1f} s  {text}\n")
        sys.stdout.flush()


def options(environment: Mapping[str, str]) -> Options:
    """Read what the caller chose; what cannot be is refused by name."""
    try:
        chosen = Options(
            port=int(environment.get("PORT") or 8000),
            rate=float(environment.get("RATE") or 2),
            reviewers=int(environment.get("REVIEWERS") or 3),
        )
    except ValueError as error:
        message = f"PORT and REVIEWERS take whole numbers and RATE takes items per second: {error}."
        raise EmbeddedError(message) from error
    if not (0 < chosen.port < 65536 and 0 <= chosen.rate < 10_000 and 0 <= chosen.reviewers <= 100):
        raise EmbeddedError("PORT is 1 to 65535, RATE 0 to 10000 items per second, REVIEWERS 0 to 100.")
    return chosen


def wish() -> servers.Wish:
    """Want only those embedded servers that the environment does not name others for."""
    return servers.Wish(
        database=not discover.is_given("DATABASE_URL"),
        redis=not discover.is_given("REDIS_URL"),
        bound_to_parent=True,
    )


def settings(run_dir: Path, found: servers.Servers, chosen: Options) -> dict[str, str]:
    """Return the environment of the children: the caller's, and what the embedded run adds where that is silent."""
    added = {
        **secrets.ensure(run_dir),
        **found.environment(),
        "RUN_DIR": str(run_dir),
        "PUBLIC_URL": chosen.url.rstrip("/"),
        "OUTBOUND_ALLOWED": f"{ports.LOOPBACK}/32",  # the demo's receiver listens there
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **{name: value for name, value in added.items() if not discover.is_given(name)}}


@contextmanager
def only_one(run_dir: Path, chosen: str) -> Iterator[None]:
    """Refuse what must not happen while a run is up in this folder; the lock's text tells who holds it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    lock = run_dir / "run.lock"
    with ExitStack() as stack:
        try:
            handle = stack.enter_context(locks.held(lock, wait=False))
        except BlockingIOError as error:
            message = f"It is running already: {lock.read_text()}. Stop it first, or set RUN_DIR and PORT."
            raise EmbeddedError(message) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{chosen} (process {os.getpid()})".encode(), 0)
        yield


def bring_up(supervisor: Supervisor, chosen: Options, plan: Plan) -> None:
    """Make the tables, prepare while the site starts, wait until it answers, then start what works behind it."""
    site, *others = plan.children
    take_step(supervisor, plan.tables)
    supervisor.keep([site])
    take_step(supervisor, plan.preparation)
    wait_until_ready(supervisor, chosen)
    supervisor.say(f"Ready: open {chosen.url} (Ctrl-C stops everything).")
    supervisor.say("Starting " + ", ".join(child.name for child in others))
    supervisor.keep(others)


def take_step(supervisor: Supervisor, step: Step) -> None:
    """Do one step; one that fails ends the run, with the end of its log."""
    supervisor.say(step.title)
    if supervisor.run_once(step.child, on_terminal=step.on_terminal) == 0:
        return
    log = supervisor.log_of(step.child)
    message = f"{step.title}: this step failed."
    if not step.on_terminal:
        message += f" The end of {log}:\n{tail(log)}"
    raise EmbeddedError(message)


def wait_until_ready(supervisor: Supervisor, chosen: Options) -> None:
    """Look after the children until the site answers."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready(chosen):
        if time.monotonic() > deadline:
            log = supervisor.run_dir / "log" / "web.log"
            message = f"The site does not answer after {READY_SECONDS} s. The end of {log}:\n{tail(log)}"
            raise EmbeddedError(message)
        supervisor.look_after()
        time.sleep(TICK)


def is_ready(chosen: Options) -> bool:
    """Tell whether the site says that it can serve."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{chosen.url}readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


def keep_up(supervisor: Supervisor, found: servers.Servers) -> None:
    """Look after children and embedded servers until we are told to stop."""
    while True:
        supervisor.look_after()
        if not all(processes.is_alive(pid) for pid in found.pids.values()):
            supervisor.say("An embedded server has ended and starts again.")
            found = servers.start(supervisor.run_dir, wish())
        time.sleep(TICK)


def serve(terminal: Terminal, chosen: Options, run_dir: Path, plan: Plan) -> None:
    """Bring everything up, keep it up, and take it down whatever happens."""
    if end_marked(run_dir):
        terminal.say("Ended processes that an earlier run had left.")
    if not ports.is_free(chosen.port):
        message = f"Port {chosen.port} is in use by another program. Choose another: make run PORT={chosen.port + 1}"
        raise EmbeddedError(message)
    set_aside_long_logs(run_dir / "log")
    supervisor = None
    try:
        terminal.say("PostgreSQL and Valkey")
        found = servers.start(run_dir, wish())
        if found.data:
            terminal.say(f"Data is in {Path(found.data).parent}, logs are in {run_dir / 'log'}.")
        supervisor = Supervisor(run_dir, BASE_DIR, settings(run_dir, found, chosen), terminal.say)
        bring_up(supervisor, chosen, plan)
        keep_up(supervisor, found)
    finally:
        on_stop_signals(signal.SIG_IGN)
        terminal.say("Stopping")
        take_down(supervisor, run_dir)
        terminal.say("Everything is stopped; the data is kept.")


def set_aside_long_logs(folder: Path) -> None:
    """Begin logs anew that have grown long; the one before is kept."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > LONG_LOG:
            log.replace(log.with_suffix(".log.old"))


def take_down(supervisor: Supervisor | None, run_dir: Path) -> None:
    """Stop the children, then the servers; those that somebody started by hand stay."""
    if supervisor:
        supervisor.stop()
    if servers.read(run_dir).bound_to_parent:
        servers.stop(run_dir)


def on_stop_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Say what happens when somebody wants us to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Begin to stop; nothing interrupts that any more."""
    on_stop_signals(signal.SIG_IGN)
    raise KeyboardInterrupt


def run(chosen: Options, run_dir: Path, plan: Plan) -> int:
    """Run until told to stop; return 1 where it could not."""
    on_stop_signals(interrupt)
    try:
        with only_one(run_dir, chosen.url):
            serve(Terminal(), chosen, run_dir, plan)
    except KeyboardInterrupt:
        return 0
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
    return 1


def main() -> int:
    """Run what the environment asks for."""
    run_dir = discover.run_dir(BASE_DIR)
    try:
        chosen = options(os.environ)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return run(chosen, run_dir, children.plan(chosen, run_dir))


if __name__ == "__main__":
    sys.exit(main())
