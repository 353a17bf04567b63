"""The processes that `make run` keeps up, as one table."""

import sys
from dataclasses import dataclass
from pathlib import Path

from . import ports


@dataclass(frozen=True)
class Options:
    """What the caller of `make run` chose."""

    port: int
    rate: float
    reviewers: int

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://{ports.LOOPBACK}:{self.port}/"


@dataclass(frozen=True)
class Child:
    """One process to keep up."""

    name: str
    command: tuple[str, ...]
    on_terminal: bool = False  # it says what it does there, not in a log


@dataclass(frozen=True)
class Step:
    """Something to be done once before the children start."""

    title: str
    child: Child
    on_terminal: bool = False


@dataclass(frozen=True)
class Plan:
    """What one run does, in order; the first child is the site, and they are stopped in the reverse order."""

    tables: Step
    preparation: Step
    children: tuple[Child, ...]


def plan(options: Options, run_dir: Path) -> Plan:
    """Return the plan of `make run`; a rate of 0 leaves the replay out, and no reviewers leave them out."""
    python, django = (sys.executable, "-m"), (sys.executable, "manage.py")
    celery = (*python, "celery", "--app", "reviewqueue")
    tables = Step("Database tables", Child("migrate", (*django, "migrate", "--noinput")))
    preparation = Step(
        "The site, and its demo queues, models and people",
        Child("setup", (*django, "demo", "setup")),
        on_terminal=True,
    )
    children = (
        Child(
            "web", (*python, "gunicorn", "reviewqueue.wsgi", f"--bind={ports.LOOPBACK}:{options.port}", "--workers=2")
        ),
        Child("worker", (*celery, "worker", "--concurrency=2", "--loglevel=INFO")),
        Child("beat", (*celery, "beat", f"--schedule={run_dir / 'beat-schedule'}", "--pidfile=", "--loglevel=INFO")),
        Child("receiver", (*django, "demo", "receiver")),
        Child("replay", (*django, "demo", "replay", "--rate", f"{options.rate:g}")),
        Child("reviewers", (*django, "demo", "reviewers", "--people", str(options.reviewers))),
        Child("history", (*django, "demo", "history"), on_terminal=True),
    )
    left_out = {name for name, value in (("replay", options.rate), ("reviewers", options.reviewers)) if not value}
    return Plan(tables, preparation, tuple(child for child in children if child.name not in left_out))
