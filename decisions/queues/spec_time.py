"""The parts of a queue's spec that speak of time: deadlines, what a missed one does, opening hours, too much work."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property


class Lapsed(StrEnum):
    """What becomes of an item that nobody decided in time."""

    PASS = "pass"  # noqa: S105 - a word, not a secret: it falls to the outcome that PASS stands for
    ACT = "act"  # it falls to an outcome that the spec names
    ESCALATE = "escalate"  # a lead decides
    WAIT = "wait"  # it waits on


class Unanswered(StrEnum):
    """What becomes of an audit or a second opinion that nobody gave in time."""

    END = "end"  # it ends without an answer, and those of its stratum stand for it
    ESCALATE = "escalate"  # a lead answers


class OverloadRule(StrEnum):
    """What a queue may do when more comes than people can do."""

    THRESHOLD = "threshold"  # raise the soft cut, within what the policy allows: more passes
    CROWD = "crowd"  # let the crowd take items for people
    STRETCH = "stretch"  # give items for people more time
    SECONDS = "seconds"  # open no second opinions
    CONTROL = "control"  # lower the control share to the floor that the policy allows
    AUDIT = "audit"  # lower the audits a day to the floor that the policy allows


@dataclass(frozen=True)
class Deadlines:
    """The time within which tasks of each purpose are decided; None = the queue's `sla`.

    An escalation without one keeps the deadline of the task it came from.
    """

    soft: timedelta | None = None
    control: timedelta | None = None
    audit: timedelta | None = None
    second: timedelta | None = None
    appeal: timedelta | None = None
    escalation: timedelta | None = None


@dataclass(frozen=True)
class Expiry:
    """What happens to a task past its deadline; for items None = act where an outcome is named, else wait.

    `control_to` is the outcome that a control falls to, "" = the queue's `expire_to`.
    """

    soft: Lapsed | None = None
    control: Lapsed | None = None
    control_to: str = ""
    audit: Unanswered = Unanswered.END
    second: Unanswered = Unanswered.END


@dataclass(frozen=True)
class Overload:
    """What happens when it does not fit: rules in the order in which they are taken, none = nothing by itself.

    The load is what must be done within one SLA over what can be. A step is taken at a load from `begin_load` on or
    once `begin_late` tasks will be late, and taken back below `end_load` with none late to be; at least `rest` lies
    between two steps. `stretch` is how many times longer deadlines get.
    """

    order: tuple[OverloadRule, ...] = ()
    begin_load: float = 0.8
    begin_late: int = 1
    end_load: float = 0.5
    rest: timedelta = timedelta(minutes=15)
    stretch: float = 2.0


@dataclass(frozen=True)
class Holiday:
    """A day on which a queue is closed, or open for other hours than its weekday says."""

    day: date
    name: str
    hours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calendar:
    """When a queue is open, by its own clock: "09:00-12:30" and so on for each weekday; no hours at all = always."""

    mon: tuple[str, ...] = ()
    tue: tuple[str, ...] = ()
    wed: tuple[str, ...] = ()
    thu: tuple[str, ...] = ()
    fri: tuple[str, ...] = ()
    sat: tuple[str, ...] = ()
    sun: tuple[str, ...] = ()
    holidays: tuple[Holiday, ...] = ()

    @property
    def week(self) -> tuple[tuple[str, ...], ...]:
        """The hours of each weekday, Monday first."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)

    @cached_property
    def is_always_open(self) -> bool:
        return not any(self.week)

    @cached_property
    def _special(self) -> dict[date, tuple[str, ...]]:
        return {holiday.day: holiday.hours for holiday in self.holidays}

    def hours_on(self, day: date) -> tuple[str, ...]:
        """Return the hours of a day."""
        return self._special.get(day, self.week[day.weekday()])
