"""Keeps children up: starts them, starts them again with patience when they fail, ends them in time."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import processes
from .children import Child

MARK = "REVIEWQUEUE_RUN"
GRACE_SECONDS = 5.0
STEADY_SECONDS = 60.0
LONGEST_PAUSE = 30.0


@dataclass
class Kept:
    """A child with its present process and what happened to it."""

    child: Child
    pid: int | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0
    has_finished: bool = False


@dataclass
class Supervisor:
    """Everything that one `make run` keeps up; each process carries a mark that names the run folder."""

    run_dir: Path
    base_dir: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]
    kept: list[Kept] = field(default_factory=list)

    def program(self, child: Child, log: Path | None) -> processes.Program:
        """Describe the process of a child."""
        environment = {**self.environment, MARK: str(self.run_dir)}
        return processes.Program(child.command, cwd=self.base_dir, log=log, environment=environment)

    def log_of(self, child: Child) -> Path:
        """Return where a child writes."""
        return self.run_dir / "log" / f"{child.name}.log"

    def run_once(self, child: Child, *, on_terminal: bool = False) -> int:
        """Run a child to its end and return its exit code."""
        pid = processes.spawn(self.program(child, None if on_terminal else self.log_of(child)), bound_to_parent=True)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def keep(self, children: Iterable[Child]) -> None:
        """Start children and keep them from now on."""
        for child in children:
            self.kept.append(Kept(child))
            self.start(self.kept[-1])

    def start(self, kept: Kept) -> None:
        """Start one child."""
        kept.started = time.monotonic()
        log = None if kept.child.on_terminal else self.log_of(kept.child)
        kept.pid = processes.spawn(self.program(kept.child, log), bound_to_parent=True)

    def look_after(self) -> None:
        """Notice who ended and start again whose pause is over; to be called again and again."""
        for kept in self.kept:
            if kept.pid is not None:
                code = processes.reap(kept.pid)
                if code is not None:
                    self.note_end(kept, code)
            elif not kept.has_finished and time.monotonic() >= kept.due:
                self.start(kept)

    def note_end(self, kept: Kept, code: int) -> None:
        """Remember that a child ended: for good, or to be started again after a pause that grows."""
        if kept.pid is not None:
            processes.send(in_session(kept.pid), signal.SIGKILL)
        kept.pid = None
        kept.has_finished = code == 0
        if kept.has_finished:
            self.say(f"{kept.child.name} has finished.")
            return
        lived = time.monotonic() - kept.started
        kept.failures = 1 if lived > STEADY_SECONDS else kept.failures + 1
        pause = min(LONGEST_PAUSE, 2.0 ** (kept.failures - 1))
        kept.due = time.monotonic() + pause
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self.say(f"{kept.child.name} {how} and starts again in {pause:g} s; see {self.log_of(kept.child)}.")

    def stop(self) -> None:
        """End every child, last started first: asked to, then by force, with all that they started."""
        for kept in reversed(self.kept):
            if kept.pid is not None:
                processes.send([kept.pid], signal.SIGTERM)
        processes.wait(lambda: not any(kept.pid and processes.is_alive(kept.pid) for kept in self.kept), GRACE_SECONDS)
        self.kept.clear()
        end_marked(self.run_dir)


def in_session(pid: int) -> list[int]:
    """Return what is left of a child's own session."""
    left = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == pid:
                left.append(int(entry.name))
        except ProcessLookupError:
            continue
    return left


def end_marked(run_dir: Path) -> int:
    """End by force whatever still carries the mark of this run folder and return how many there were."""
    left = processes.in_environment(MARK, str(run_dir))
    processes.send(left, signal.SIGKILL)
    processes.wait(lambda: not any(processes.is_alive(pid) for pid in left), 2)
    return len(left)
