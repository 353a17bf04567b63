"""Which of the items that people are sent they would not have reached in time, and what becomes of those; pure."""

from dataclasses import dataclass, replace

import numpy as np

from decisions.measure.regions import Band, CodeArray, Supposed
from decisions.queues.spec import Order
from decisions.routing.policy import BoolArray, FloatArray

DAY = 86400.0
ROUNDS = 1000  # at most, until a run of days ends as it began
Days = np.ndarray[tuple[int], np.dtype[np.intp]]


@dataclass(frozen=True)
class Lateness:
    """How a queue treats what nobody decided in time.

    `days` until its deadline, in which work in progress may pile up; within `step` seconds of a deadline `order` says
    what comes first. `becomes` the band as which it counts from then on: PASS, HARD, or NONE where it waits on.
    """

    days: float
    step: float
    order: Order
    becomes: Band


def shares(demand: FloatArray, first: FloatArray, per_day: float, days: float) -> FloatArray:
    """Return of what comes on each day, oldest first, the part in [0, 1] that is not reached within `days`.

    `first` of each day's `demand` (tasks) is done before all else, as the control group is. What is left of the day's
    capacity goes to the rest in the order of deadlines, so that no more than `days` of work can wait: a fluid queue,
    backlog(t+1) = min(most, max(0, backlog + arrivals - capacity)). The days are run again and again, until
    they begin with what such days leave behind.
    """
    rest = np.maximum(0.0, demand - first)
    capacity = np.maximum(0.0, per_day - first)
    late, waiting = np.zeros(len(rest)), 0.0
    for _round in range(ROUNDS):
        before = waiting
        for day in range(len(rest)):
            left = max(0.0, waiting + rest[day] - capacity[day])
            waiting = min(left, capacity[day] * days)
            late[day] = left - waiting
        if waiting == before:
            break
    return np.minimum(1.0, np.divide(late, rest, out=np.zeros(len(rest)), where=rest > 0))


def apply(supposed: Supposed, late: FloatArray, end: float, rule: Lateness) -> Supposed:
    """Return the world as it is once a part of each day's SOFT items was not reached; `late` is oldest day first.

    The last in their order go unreached: the least likely, the least at stake, or the last to arrive within their step.
    """
    if not late.any():
        return supposed
    stream, labels = supposed.world.stream, supposed.world.labels
    of_items = _priority(stream.p, stream.value, stream.arrived, rule)
    of_labels = _priority(labels.p, labels.value, labels.arrived, rule)
    soft, day_of = supposed.items == Band.SOFT, days(stream.arrived, end, len(late))
    cuts = np.full(len(late), -np.inf)
    for day in np.flatnonzero(late).tolist():
        own = soft & (day_of == day)
        cuts[day] = _cut(of_items[own], stream.weight[own], float(late[day]))
    return replace(
        supposed,
        items=_moved(supposed.items, soft & (of_items < cuts[day_of]), rule),
        labels=_moved(
            supposed.labels,
            (supposed.labels == Band.SOFT) & (of_labels < cuts[days(labels.arrived, end, len(late))]),
            rule,
        ),
    )


def _moved(bands: CodeArray, which: BoolArray, rule: Lateness) -> CodeArray:
    moved: CodeArray = np.where(which, np.int8(rule.becomes), bands).astype(np.int8)
    return moved


def days(arrived: FloatArray, end: float, count: int) -> Days:
    """Return the span of 24 hours before `end` in which each came, 0 for the oldest; older ones count to it."""
    return np.clip(count - 1 - ((end - arrived) // DAY), 0, count - 1).astype(np.intp)


def _priority(p: FloatArray, value: FloatArray, arrived: FloatArray, rule: Lateness) -> FloatArray:
    """Return what is larger for what comes first."""
    if rule.order == Order.SCORE:
        return np.nan_to_num(p)
    if rule.order == Order.VALUE:
        return np.nan_to_num(p) * np.nan_to_num(value)
    return -(arrived % rule.step)


def _cut(priority: FloatArray, weight: FloatArray, part: float) -> float:
    """Return the priority below which this part of the items (by weight) lies."""
    if part >= 1.0 or not len(priority):
        return np.inf
    order = np.argsort(priority, kind="stable")
    gone = np.cumsum(weight[order])
    place = int(np.searchsorted(gone, part * gone[-1], side="right"))
    return float(priority[order][min(place, len(order) - 1)])
