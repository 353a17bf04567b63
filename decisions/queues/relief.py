"""Which of a queue's overload rules are in force, as what routes and opens tasks sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from decisions.queues.spec_time import OverloadRule

LEVELS = 4  # steps from a policy's own soft cut to the highest that it allows


@dataclass(frozen=True)
class Relief:
    """How far each rule goes: the level of the soft cut, 0 to LEVELS, and whether each of the others holds."""

    threshold: int = 0
    crowd: bool = False
    stretch: bool = False
    seconds: bool = False
    control: bool = False
    audit: bool = False

    @classmethod
    def of(cls, standing: Mapping[str, Mapping[str, Any]]) -> Self:
        """Return it from what a queue keeps of its rules, by their words."""
        levels = {rule.value: int(standing.get(rule, {}).get("level", 0)) for rule in OverloadRule}
        threshold = levels.pop(OverloadRule.THRESHOLD)
        return cls(threshold, **{name: level > 0 for name, level in levels.items()})


NONE = Relief()
