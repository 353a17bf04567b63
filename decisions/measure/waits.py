"""How long what arrives waits for a person, where nothing has piled up: Erlang C (1917); pure.

Arrivals at random at a steady rate, people who each take as long as it takes (exponential times), first come first
served, nobody leaves. Real queues are less even, so real waits are longer as a rule: a floor, not a promise.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Waits:
    """What c people mean for tasks that arrive at `arrivals` an hour and take `handling` seconds each.

    `busy` is arrivals per capacity; at 1 and above the queue grows without end: `share` is 1 and `mean` None. `mean` is
    in seconds, over all tasks, also those that do not wait.
    """

    people: int
    arrivals: float
    handling: float
    busy: float
    share: float
    mean: float | None

    def longer_than(self, seconds: float) -> float:
        """Return the share of tasks that wait longer: P(wait) exp(-(c mu - lambda) T)."""
        if self.busy >= 1:
            return 1.0
        spare = (self.people / self.handling) - self.arrivals / 3600.0
        return self.share * math.exp(-spare * seconds)


def erlang_b(offered: float, people: int) -> float:
    """Return the share that would be turned away if nobody could wait: B = 1; for k = 1..c: B = aB / (k + aB)."""
    blocked = 1.0
    for k in range(1, people + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked


def erlang_c(offered: float, people: int) -> float:
    """Return the share that has to wait: B / (1 - (a/c)(1 - B)); 1 where more is offered than people can do."""
    if offered >= people:
        return 1.0
    blocked = erlang_b(offered, people)
    return blocked / (1.0 - offered / people * (1.0 - blocked))


def of(people: int, *, arrivals: float, handling: float) -> Waits:
    """Return the waits for a number of people; `arrivals` an hour, `handling` in seconds, above 0."""
    offered = arrivals * handling / 3600.0
    share = erlang_c(offered, people)
    mean = share / (people / handling - arrivals / 3600.0) if offered < people else None
    return Waits(people, arrivals, handling, offered / people if people else math.inf, share, mean)


def table(people: int, *, arrivals: float, handling: float, more: int = 4) -> list[Waits]:
    """Return the waits for so many people, for one fewer, and for some more, from one person on."""
    least = max(1, min(people - 1, max(1, math.ceil(arrivals * handling / 3600.0))))
    return [of(c, arrivals=arrivals, handling=handling) for c in range(least, max(people, least) + more + 1)]
