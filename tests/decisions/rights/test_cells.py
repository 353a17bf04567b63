"""Role x act x limit: what each cell of the table of rights lets people do, case by case, stated plainly here.

The rule (`judge.may`) is held against these sentences in every case that value, purpose, rank, route and a hand in the
item can make, for each role and act. Which sentence stands in which cell is the table of `test_rights`.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product

import pytest

from decisions import rights
from decisions.models import Item, Task
from decisions.rights import Act, Case, Standing
from tests.decisions.rights.test_rights import ROLES, TABLE

ORDINARY = ("soft", "control", "audit", "second", "gold")
AGAIN = ("second", "gold", "appeal", "escalation")  # a second look, which needs somebody else
VALUES = (None, 0.0, 50.0, 50.01)  # at stake; a person is limited to 50, or not at all
LIMITS = (None, 50.0)
CASES = tuple(
    Case(purpose=purpose, rank=rank, value=value, route=route, own=own)
    for purpose, rank, value, route, own in product(
        ("", *Task.Purpose.values), range(4), VALUES, ("", *Item.Route.values), (False, True)
    )
)

Sentence = Callable[[Case], bool]


def affordable(case: Case, limit: float | None) -> bool:
    """Nobody limits the person, or the value at stake is known and not above their limit."""
    return limit is None or (case.value is not None and case.value <= limit)


def working(rank: int, *purposes: str) -> Sentence:
    """Tasks of these purposes, up to a rank, and no second look at what they had a hand in."""
    return lambda c: c.rank <= rank and c.purpose in purposes and not (c.own and c.purpose in AGAIN)


SENTENCES: dict[str, Sentence] = {
    "-": lambda _: False,
    "y": lambda c: c.rank <= 1,
    "c": working(0, *ORDINARY),
    "1": working(1, *ORDINARY),
    "x": working(2, *ORDINARY, "escalation"),
    "2": working(3, "", *ORDINARY, "escalation", "appeal"),
    "e": lambda c: c.purpose in ORDINARY,
    "s": lambda c: c.rank <= 2 and c.purpose in (*ORDINARY, "escalation"),
    "k": lambda c: c.rank <= 2,
    "h": lambda _: True,
    "o": lambda c: c.rank <= 1 and c.own,
    "v": lambda c: c.rank <= 1,
    "p": lambda c: c.rank <= 1 and c.route == "pass",
    "d": lambda c: c.rank <= 1 and c.route == "hard",
    "r": lambda c: c.rank <= 1 and c.own,
}
VALUED = set("c1x2vpdr")  # those that a person's own limit binds


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_in_each_case_what_its_cells_say(role: str) -> None:
    seen: Counter[bool] = Counter()
    for act in Act:
        letter = TABLE[act][role]
        for limit in LIMITS:
            stands = Standing(role, limit)
            for case in CASES:
                allowed = rights.may(stands, act, case)
                fits = letter not in VALUED or affordable(case, limit)
                assert allowed is (SENTENCES[letter](case) and fits), (act, limit, case)
                seen[allowed] += 1
    assert seen[True]
    assert seen[False]
    assert seen.total() == len(Act) * len(LIMITS) * len(CASES)


def test_no_sentence_is_without_a_cell() -> None:
    used = {letter for row in TABLE.values() for letter in row.values()}
    assert used == set(SENTENCES)
