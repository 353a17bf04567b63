"""What a miss of each item costs as the queue's value formula says, known as soon as the item arrives."""

from collections.abc import Sequence

import numpy as np

from decisions.intake.parse import Row
from decisions.queues.spec import Money, Spec
from decisions.routing.policy import FloatArray

MOST = 1e15  # money; whoever sends more than that means something else, and its square must stay a number


def of(rows: Sequence[Row], spec: Spec) -> FloatArray | None:
    """Return the money, >= 0, lost by each item if it is a positive that nobody stops: `tp` - `fn`; NaN: not known.

    An amount is not known where the field that it hangs on is missing or no number. None where the formula has the same
    amount for every item: then there is nothing to weigh audits by.
    """
    caught, missed = spec.value.tp, spec.value.fn
    if not spec.value.is_harm_of_item:
        return None
    lost = np.array([_amount(row, caught, spec) - _amount(row, missed, spec) for row in rows], dtype=np.float64)
    return np.clip(lost, 0.0, MOST)


def _amount(row: Row, money: Money, spec: Spec) -> float:
    return money.base + money.factor * _field(row, money.field, spec) if money.field else money.base


def _field(row: Row, name: str, spec: Spec) -> float:
    """Return a number of the payload, of the value at stake the one that is stored; NaN where there is none."""
    value = row.value if name == spec.value_field and row.value is not None else row.payload.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
