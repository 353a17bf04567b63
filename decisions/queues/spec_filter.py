"""The part of a queue's spec that says what the filter model may block."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Filter:
    """What a filter, which foretells where the model errs, keeps from the machine; without a cut there is none.

    `cut` in (0, 1) is the probability of an error at or above which an item is blocked, `let_through` in (0, 1) the
    share of those that goes on all the same, by lot. `cost_block` (f) is the money that a needless block costs,
    `cost_error` (i) what an error of the machine costs that was let through. `min_labels` rows teach it at least.
    """

    cut: float | None = None
    let_through: float = 0.1
    cost_block: float | None = None
    cost_error: float | None = None
    min_labels: int = 200

    @property
    def even(self) -> float:
        """The share of blocks that must be right for them to pay, f / i; 1 where no costs are said."""
        return self.cost_block / self.cost_error if self.cost_block and self.cost_error else 1.0
