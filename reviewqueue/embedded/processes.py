"""Start, recognise and end processes of our own, surely and without leaving any behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
PAUSE = 0.05
GONE = " (deleted)"  # what the kernel appends to a path that is no more


@dataclass(frozen=True)
class Identity:
    """As whom a program runs: as ourselves, mapped to an ordinary user by a namespace, or as another user."""

    mapped: bool = False
    user: tuple[int, int] | None = None


@dataclass(frozen=True)
class Program:
    """A command with all that it needs to become a process."""

    command: tuple[str, ...]
    cwd: Path
    log: Path | None  # none: what it says goes to our terminal
    identity: Identity = Identity()
    environment: Mapping[str, str] | None = None
    death_signal: int = signal.SIGTERM


def launched(
    command: Iterable[str],
    *,
    cwd: Path,
    identity: Identity,
    own_session: bool,
    parent: int | None = None,
    death_signal: int = signal.SIGTERM,
) -> list[str]:
    """Return the command line that starts the command through the launcher."""
    plan = {
        "cwd": str(cwd),
        "own_session": own_session,
        "mapped": identity.mapped,
        "user": identity.user,
        "parent": parent,
        "death_signal": death_signal,
    }
    return [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(plan), *command]


def run(
    command: Iterable[str], *, identity: Identity, cwd: Path, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end and return what it said."""
    return subprocess.run(  # noqa: S603 (the command is ours, not a user's)
        launched(command, cwd=cwd, identity=identity, own_session=False),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def spawn(program: Program, *, bound_to_parent: bool) -> int:
    """Start a program in a session of its own, its output appended to its log if it has one, and return its process id.

    Bound to its parent, it gets its death signal from the kernel when the calling thread ends, however that happens.
    """
    command = launched(
        program.command,
        cwd=program.cwd,
        identity=program.identity,
        own_session=True,
        parent=os.getpid() if bound_to_parent else None,
        death_signal=program.death_signal,
    )
    redirections: list[tuple[int | str, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    if program.log:
        program.log.parent.mkdir(parents=True, exist_ok=True)
        redirections += [
            (os.POSIX_SPAWN_OPEN, 1, str(program.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
    environment = os.environ if program.environment is None else program.environment
    return os.posix_spawn(command[0], command, environment, file_actions=redirections, setsigmask=[])


def in_environment(name: str, value: str) -> list[int]:
    """Return the processes that carry a variable with this value: how all descendants of a child are recognised."""
    wanted = f"{name}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            variables = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:  # it ended meanwhile, or is not ours to look at
            continue
        if wanted in variables:
            found.append(int(entry.name))
    return sorted(found)


def reap(pid: int) -> int | None:
    """Return the exit code of a child of ours that has ended, else None."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that ended but was not yet collected does not."""
    reap(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def working_in(directory: Path, program: str) -> list[int]:
    """Return the processes of a program whose working directory is the given one: how leftovers are recognised.

    A directory that was deleted under a process still counts, and so does a program that was replaced by a newer one.
    """
    wanted = str(directory.resolve())
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            place, binary = str((entry / "cwd").readlink()), str((entry / "exe").readlink())
        except OSError:  # it ended meanwhile, or is not ours to look at
            continue
        if place.removesuffix(GONE) == wanted and Path(binary.removesuffix(GONE)).name == program:
            found.append(int(entry.name))
    return sorted(found)


def send(pids: Iterable[int], number: int) -> None:
    """Signal the processes that are still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds, at most so long, and tell whether it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
