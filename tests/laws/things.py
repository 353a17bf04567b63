"""The people, items, tasks and rulings of the model: what they are, and how a task changes hands."""

from dataclasses import dataclass, field
from datetime import datetime

HOLDING = ("claimed", "held")
OPEN = ("waiting", *HOLDING)


@dataclass
class Person:
    """Somebody who works here; without a role they left. `grades`: how often they were graded."""

    pk: int
    role: str
    limit: float | None = None
    is_paused: bool = False
    grades: int = 0


@dataclass
class Ruled:
    """A ruling: `task` and `round` of the decision that made it, if one did; `final_at` ends its undo window."""

    outcome: str
    source: str
    final_at: datetime
    person: int | None = None
    task: int | None = None
    round: int = 0
    before: "Ruled | None" = None
    is_fed: bool = False


@dataclass
class Thing:
    """An item: what the machine did, and what was ruled since."""

    pk: int
    route: str
    value: float | None
    machine: str
    rulings: list[Ruled] = field(default_factory=list)
    gold: str = ""

    @property
    def last(self) -> Ruled | None:
        return self.rulings[-1] if self.rulings else None


@dataclass
class Asked:
    """An override that waits for a second person; `rulings` is how many there were when it was asked for."""

    pk: int
    item: int
    person: int
    outcome: str
    rulings: int
    expires_at: datetime
    state: str = "waiting"
    closer: int | None = None


@dataclass
class Appealed:
    """An appeal against what held, by its task; who filed it has a hand in the item."""

    item: int
    by: int
    held: str
    state: str = "open"


@dataclass
class Work:
    """A task. `place` is where it stands in the queue, `until` the end of its lease or hold.

    `is_waiting`: its holder waits for information, so its deadline stands still. `skipped_by`: who, and when.
    """

    pk: int
    item: int
    purpose: str
    rank: int
    value: float | None
    due: datetime
    place: tuple[object, ...]
    only_for: int | None = None
    kept_until: datetime | None = None
    parent: "Work | None" = None
    state: str = "waiting"
    round: int = 1
    holder: int | None = None
    lease: int = 0
    until: datetime | None = None
    is_waiting: bool = False
    skipped_by: dict[int, datetime] = field(default_factory=dict)
    decided_by: list[int] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    escalated_by: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_over(self, at: datetime) -> bool:
        """Return whether its lease has run out, swept or not."""
        return self.until is not None and self.until <= at

    def keep(self, state: str, holder: int, until: datetime) -> None:
        """Somebody holds it."""
        self.state, self.holder, self.until = state, holder, until

    def leave(self, state: str) -> None:
        """Nobody holds it any more."""
        self.state, self.holder, self.until, self.is_waiting = state, None, None, False

    def wait(self, until: datetime, at: datetime) -> None:
        """Stop the clock of the deadline until a time, unless it has passed."""
        if self.due > at:
            self.due, self.is_waiting = until + (self.due - at), True

    def go_on(self, at: datetime) -> None:
        """Let the deadline's clock run again, before the time that was said."""
        if self.is_waiting and self.until and self.due > self.until:
            self.due = at + (self.due - self.until)
        self.is_waiting = False
