"""When it does not fit: which overload rule takes a step, or is taken back. A pure function over figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from decisions.models import Policy
from decisions.queues.relief import LEVELS
from decisions.queues.spec_time import Overload, OverloadRule

Rule = OverloadRule


class Mode(StrEnum):
    """Who decides about a rule."""

    AUTO = "auto"  # the figures
    ON = "on"  # a person switched it on, as far as it goes
    OFF = "off"  # a person switched it off


@dataclass(frozen=True)
class Figures:
    """What the decision rests on.

    `load` is what must be done by some deadline over what can be done by then, the worst of all deadlines (inf: nobody
    works), `at_risk` the tasks that will be late, `demand` the items an hour that would come to people without any
    raised cut, `capacity` the decisions an hour over one SLA.
    """

    load: float
    at_risk: int
    backlog: int
    demand: float
    capacity: float

    @property
    def utilisation(self) -> float:
        return self.demand / self.capacity if self.capacity else (inf if self.demand else 0.0)

    @property
    def is_known(self) -> bool:
        """Whether anybody is known to work, and how fast: without shifts, with nobody here, figures say nothing."""
        return self.capacity > 0


@dataclass(frozen=True)
class Standing:
    """How far a rule goes now, 0 = not at all, and who decides about it."""

    level: int = 0
    mode: Mode = Mode.AUTO


@dataclass(frozen=True)
class Step:
    """A rule whose level changes."""

    rule: Rule
    old: int
    new: int


def limits(policy: Policy) -> dict[Rule, int]:
    """Return how far each rule can go under a policy: its bounds were approved with it."""
    can_raise = None not in (policy.soft, policy.overload_soft) and policy.soft != policy.overload_soft
    can_spare = policy.control_floor is not None and policy.control_floor < policy.control_share
    can_skip = policy.audit_floor is not None and policy.audit_floor < policy.audit_budget
    return {
        Rule.THRESHOLD: LEVELS if can_raise else 0,
        **dict.fromkeys((Rule.CROWD, Rule.STRETCH, Rule.SECONDS), 1),
        Rule.CONTROL: int(can_spare),
        Rule.AUDIT: int(can_skip),
    }


def step(
    figures: Figures,
    standing: Mapping[Rule, Standing],
    most: Mapping[Rule, int],
    asked: Overload,
    *,
    has_rested: bool,
) -> Step | None:
    """Return the one step to take now, None where all may stay as it is.

    What can no longer go as far as it does is put right at once: a rule that left the queue's order, or a bound that
    the policy no longer has. Else, once some time has passed since the last step: under overload the first rule of the
    order that can still go further does, by one level; when it is over, the last rule that does something gives up one.
    In between everything stays. A rule that a person switched on or off is theirs.
    """
    if late := _put_right(standing, most, asked):
        return late
    if not has_rested or not figures.is_known:
        return None
    mine = [rule for rule in asked.order if standing.get(rule, Standing()).mode is Mode.AUTO]
    levels = {rule: standing.get(rule, Standing()).level for rule in mine}
    if figures.load >= asked.begin_load or figures.at_risk >= asked.begin_late:
        return next((Step(rule, levels[rule], levels[rule] + 1) for rule in mine if levels[rule] < most[rule]), None)
    if figures.load <= asked.end_load and not figures.at_risk and figures.utilisation <= 1:
        return next((Step(rule, levels[rule], levels[rule] - 1) for rule in reversed(mine) if levels[rule]), None)
    return None


def _put_right(standing: Mapping[Rule, Standing], most: Mapping[Rule, int], asked: Overload) -> Step | None:
    for rule, stands in standing.items():
        far = most[rule] if rule in asked.order or stands.mode is Mode.ON else 0
        if stands.level > far or (stands.mode is Mode.ON and stands.level < far):
            return Step(rule, stands.level, far)
    return None
