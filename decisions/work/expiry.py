"""What a queue does with a task that nobody decided in time: one rule for each purpose, read from its spec."""

from dataclasses import dataclass

from decisions.models import Task
from decisions.queues.spec import Outcome, Spec
from decisions.queues.spec_time import Lapsed
from decisions.work.why import Expiry

SOFT, CONTROL, AUDIT, SECOND, GOLD = (
    Task.Purpose.SOFT,
    Task.Purpose.CONTROL,
    Task.Purpose.AUDIT,
    Task.Purpose.SECOND,
    Task.Purpose.GOLD,
)


@dataclass(frozen=True)
class Rule:
    """What happens, and for `pass` and `act` the outcome that then holds."""

    word: Expiry
    outcome: Outcome | None = None


def rules(spec: Spec) -> dict[Task.Purpose, Rule]:
    """Return the rule of each purpose that has one; tasks of the others wait on, however late they are."""
    found = {
        SOFT: _item(spec, spec.expiry.soft, spec.expire_to),
        CONTROL: _item(spec, spec.expiry.control, spec.expiry.control_to or spec.expire_to),
        AUDIT: Rule(Expiry(spec.expiry.audit)),
        SECOND: Rule(Expiry(spec.expiry.second)),
        GOLD: Rule(Expiry.END),  # it measures a person, and nobody else can answer for them
    }
    return {purpose: rule for purpose, rule in found.items() if rule}


def _item(spec: Spec, lapsed: Lapsed | None, outcome: str) -> Rule | None:
    """Return the rule of an item on which nothing holds yet: without a word, its outcome is one to act on."""
    lapsed = lapsed or (Lapsed.ACT if outcome else Lapsed.WAIT)
    if lapsed is Lapsed.WAIT:
        return None
    named = {Lapsed.PASS: spec.routes.negative, Lapsed.ACT: outcome}.get(lapsed, "")
    return Rule(Expiry(lapsed), spec.outcome(named))
