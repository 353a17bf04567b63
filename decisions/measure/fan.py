"""Where a backlog goes: futures of arrivals against the work that is planned, what is due first is done first; pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from decisions.routing.policy import FloatArray
from decisions.routing.sampling import IntArray

BAND = (0.05, 0.5, 0.95)  # nine futures of ten lie between the outer two
TOLERATED = 0.1  # the part of futures that may break a deadline before one counts as to come
MOST_PEOPLE = 1000
HALVINGS = 8


@dataclass(frozen=True)
class Work:
    """What is to be done and what can be, in steps of time that follow each other.

    `overdue` tasks are past their deadline already; `owed` are due in each step (one entry more than there are steps:
    later). `arrivals` is what may come, of shape (futures, steps), `due` the step in which what arrives in each is due,
    never falling; `capacity` the decisions that fit in each.
    """

    overdue: float
    owed: FloatArray
    arrivals: FloatArray
    due: IntArray
    capacity: FloatArray


@dataclass(frozen=True)
class Fan:
    """The backlog at the end of each step, and the part of futures in which a deadline was broken by then.

    What is overdue from the start breaks none; `late` is the mean number of tasks that are past their deadline since.
    """

    low: FloatArray
    middle: FloatArray
    high: FloatArray
    broken: FloatArray
    late: FloatArray

    @property
    def risk(self) -> float:
        """The part of futures in which a deadline is broken at all."""
        return float(self.broken[-1]) if len(self.broken) else 0.0

    def breach(self) -> int | None:
        """Return the step by which half of the futures have broken a deadline; None where nine in ten never do.

        Where fewer than half but more than a tenth do: the step by which that tenth has.
        """
        if self.risk <= TOLERATED:
            return None
        return int(np.argmax(self.broken >= (0.5 if self.risk >= 0.5 else TOLERATED)))


def run(work: Work) -> Fan:
    """Follow each future: backlog(t+1) = max(0, backlog + arrivals - capacity).

    With N the running sum of arrivals less capacity, that is max(backlog + N(t), N(t) - min N up to t) (Lindley 1952).
    Tasks due by a step go before the others, so that of them the same holds with what arrived by the last step whose
    arrivals are due by then, less all that is done from there on.
    """
    steps = work.arrivals.shape[1]
    done = np.cumsum(work.capacity)
    net = np.cumsum(work.arrivals - work.capacity, axis=1)
    lowest = np.minimum.accumulate(net, axis=1)
    ends = np.maximum(work.overdue + work.owed.sum() + net, net - lowest)
    owed = work.overdue + np.cumsum(work.owed[:steps])
    last = np.searchsorted(work.due, np.arange(steps), side="right") - 1  # of the arrivals due by each step
    at = np.maximum(last, 0)
    waiting = np.maximum(owed + net[:, at], net[:, at] - lowest[:, at]) - (done - done[at])
    waiting = np.maximum(0.0, np.where(last < 0, owed - done, waiting))
    late = np.maximum(0.0, waiting - np.maximum(0.0, work.overdue - done))
    broken = np.logical_or.accumulate(late >= 0.5, axis=1)  # half a task is the rounding of one
    low, middle, high = np.quantile(ends, BAND, axis=0)
    return Fan(low, middle, high, broken.mean(axis=0), late.mean(axis=0))


def people_needed(work: Work, one_more: FloatArray) -> int | None:
    """Return how many more people keep the deadlines in nine futures of ten; None: no number does.

    Each adds `one_more` decisions a step. The smallest number, by doubling and then halving, for one more person never
    makes it worse.
    """
    if not one_more.any():
        return None
    return _least(lambda n: _is_safe(replace(work, capacity=work.capacity + n * one_more)), MOST_PEOPLE)


def share_that_fits(work: Work, fixed: float) -> float | None:
    """Return which share of the arrivals that a threshold may hold back can still come; None: not even none of them.

    `fixed` is the part of all arrivals, in [0, 1], that comes under any threshold. Rounded down to 1/256.
    """

    def safe(share: float) -> bool:
        return _is_safe(replace(work, arrivals=work.arrivals * (fixed + share * (1.0 - fixed))))

    if not safe(0.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if safe(middle) else (low, middle)
    return low


def _is_safe(work: Work) -> bool:
    return run(work).risk <= TOLERATED


def _least(enough: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number from 1 to `most` that is enough, None where none is."""
    high = 1
    while high < most and not enough(high):
        high = min(2 * high, most)
    if not enough(high):
        return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
