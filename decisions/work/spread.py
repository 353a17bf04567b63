"""Who gets which task when work is handed over: a pure rule over loads and what each person could be given."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """How much a person has already, and how much they may have: both numbers of tasks."""

    has: int
    most: int


def spread(tasks: Sequence[int], able: Mapping[int, Set[int]], loads: Mapping[int, Load]) -> dict[int, int | None]:
    """Return whom each task goes to, None where nobody can take it.

    Tasks are given out in the order in which they come. Each goes to the person who has the least of those who may be
    given it (`able`: person to tasks) and have room; of equals to the one with the lower id.
    """
    has = {person: load.has for person, load in loads.items()}
    given: dict[int, int | None] = {}
    for task in tasks:
        fits = [p for p, load in loads.items() if has[p] < load.most and task in able.get(p, frozenset())]
        given[task] = min(fits, key=lambda person: (has[person], person), default=None)
        if (to := given[task]) is not None:
            has[to] += 1
    return given


def levelled(
    kept: Mapping[int, int], order: Sequence[int], able: Mapping[int, Set[int]], loads: Mapping[int, Load]
) -> dict[int, int | None]:
    """Return whom each kept task goes to so that loads become as equal as they can, with as few changes as that takes.

    `kept` says for whom a task is kept now, `order` which is due first. What is kept for somebody without a load (who
    is not at work) goes to others, or to nobody where no one can take it. Of those at work, who has the most hands the
    least urgent task that somebody else can take to who has the least of those, as long as they differ by two or more.
    """
    has = {person: load.has for person, load in loads.items()}
    to: dict[int, int | None] = dict(kept)
    homeless = [task for task in order if kept[task] not in loads]
    for task, person in spread(homeless, able, loads).items():
        to[task] = person
        if person is not None:
            has[person] += 1
    while step := _step(to, has, order, able, loads):
        task, person = step
        has[to[task] or 0] -= 1
        has[person] += 1
        to[task] = person
    return to


def _step(
    to: Mapping[int, int | None],
    has: Mapping[int, int],
    order: Sequence[int],
    able: Mapping[int, Set[int]],
    loads: Mapping[int, Load],
) -> tuple[int, int] | None:
    for rich in sorted(loads, key=lambda person: (-has[person], person)):
        for poor in sorted(loads, key=lambda person: (has[person], person)):
            if has[rich] - has[poor] < 2:
                break
            moving = (task for task in reversed(order) if to[task] == rich and task in able.get(poor, frozenset()))
            if has[poor] < loads[poor].most and (task := next(moving, None)) is not None:
                return task, poor
    return None
