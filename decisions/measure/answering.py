"""How good a queue's answers are: each person's accuracy and agreement, for leads; and one's own, for oneself."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np

from decisions import rights
from decisions.measure import agreement, answers, dawid_skene
from decisions.measure.accuracy import Rate, rate
from decisions.measure.agreement import Agreement
from decisions.measure.answers import Checked
from decisions.models import Grade, Queue, User
from decisions.rights import Act
from decisions.work import claim, disputes, gold, grading
from decisions.work.disputes import Settled

FEWEST = 30  # answers or common items of what is told of a person or a pair
PAIRS = 20  # of people, those with the most items in common


@dataclass(frozen=True)
class Own:
    """How a person did on a queue in the last 28 days.

    `gold`: right of the gold items; `second`: right of what was answered twice and where that is known; `agreed`: the
    same as the other of all that was answered twice.
    """

    gold: Rate
    second: Rate
    agreed: Rate
    grade: Grade | None

    @property
    def right(self) -> Rate:
        """Of all that was checked."""
        return Rate(self.gold.hits + self.second.hits, self.gold.n + self.second.n)

    @property
    def is_paused(self) -> bool:
        return self.grade is not None and self.grade.is_paused


@dataclass(frozen=True)
class Person(Own):
    """The same of somebody, and what the answers of all say of them where no truth is known (Dawid and Skene)."""

    user: User
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True)
class Pair:
    """How far two people agree beyond chance on the items that both answered."""

    one: User
    other: User
    units: int
    kappa: float | None


@dataclass(frozen=True)
class Report:
    """What leads see of a queue: people by name, never by figure."""

    since: datetime
    people: tuple[Person, ...]
    alpha: Agreement
    pairs: tuple[Pair, ...]
    waiting: int
    settled: tuple[Settled, ...]
    gold: dict[str, int]


def of_person(queue: Queue, person: User, at: datetime) -> Own:
    """Return how a person did on a queue, for themselves; refuses who does not work there."""
    claim.standing(person, queue.pk)
    seen = answers.checked(queue.pk, queue.spec, start=at - grading.COUNTED, at=at, person_id=person.pk)
    return _own(seen, person.pk, grading.newest(queue.pk, person.pk))


def of_queue(queue: Queue, by: User, at: datetime) -> Report:
    """Return how good the answers of a queue are; refuses who may not see how often others err."""
    rights.require(by, Act.SEE_ACCURACY, queue_id=queue.pk)
    since = at - grading.COUNTED
    seen = answers.checked(queue.pk, queue.spec, start=since, at=at)
    grades = grading.all_newest(queue.pk)
    users = User.objects.in_bulk({*seen.person.tolist(), *grades})
    marks = list(gold.marked(queue.pk).values_list("outcome", flat=True))
    return Report(
        since=since,
        people=_people(seen, users, grades),
        alpha=agreement.measured(agreement.counted(seen.item, seen.outcome)),
        pairs=_pairs(seen, users),
        waiting=disputes.waiting(queue.pk).count(),
        settled=tuple(disputes.settled(queue.pk)),
        gold={key: marks.count(key) for key in sorted(set(marks))},
    )


def _people(seen: Checked, users: dict[int, User], grades: dict[int, Grade]) -> tuple[Person, ...]:
    rates = _rates(seen)
    found = []
    for pk, user in sorted(users.items(), key=lambda pair: (str(pair[1]), pair[0])):
        own = _own(seen, pk, grades.get(pk))
        sensitivity, specificity = rates.get(pk, (None, None))
        found.append(Person(own.gold, own.second, own.agreed, own.grade, user, sensitivity, specificity))
    return tuple(found)


def _own(seen: Checked, person_id: int, grade: Grade | None) -> Own:
    mine = seen.person == person_id
    known = mine & ~np.isnan(seen.y) & ~np.isnan(seen.truth)
    right, same = seen.y == seen.truth, seen.outcome == seen.second
    is_gold = seen.source == "gold"
    return Own(rate(right, known & is_gold), rate(right, known & ~is_gold), rate(same, mine & ~is_gold), grade)


def _rates(seen: Checked) -> dict[int, tuple[float, float]]:
    """Return each person's sensitivity and specificity by all answers together, of those who gave enough."""
    told = seen.where(~np.isnan(seen.y))
    known = np.where(told.source == "gold", told.truth, np.nan)
    fit = dawid_skene.fit(told.person, told.item, told.y, known)
    _people, counts = np.unique(told.person, return_counts=True)
    rows = zip(fit.people.tolist(), fit.sensitivity.tolist(), fit.specificity.tolist(), counts.tolist(), strict=True)
    return {pk: (sensitivity, specificity) for pk, sensitivity, specificity, n in rows if n >= FEWEST}


def _pairs(seen: Checked, users: dict[int, User]) -> tuple[Pair, ...]:
    """Return the pairs of people who answered at least 30 of the same items, those with the most first."""
    said: dict[int, dict[int, str]] = defaultdict(dict)
    for item, person, outcome in zip(seen.item.tolist(), seen.person.tolist(), seen.outcome, strict=True):
        said[item][person] = outcome
    both: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for answered in said.values():
        for one, other in combinations(sorted(answered), 2):
            both[one, other].append((answered[one], answered[other]))
    enough = [pair for pair in both.items() if len(pair[1]) >= FEWEST]
    enough.sort(key=lambda pair: (-len(pair[1]), pair[0]))
    found = []
    for (one, other), told in enough[:PAIRS]:
        first, second = np.array(told, dtype=np.object_).T
        found.append(Pair(users[one], users[other], len(told), agreement.kappa(first, second)))
    return tuple(found)
