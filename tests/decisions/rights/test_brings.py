"""What a person brings, opts out of and is excluded from, as rights know it."""

from dataclasses import replace

import pytest

from decisions import rights
from decisions.exceptions import Forbidden
from decisions.models import (
    Exclusion,
    Membership,
)
from decisions.rights import Act, Case, Standing
from tests.factories import NOON, make_queue, make_user

BRINGS = frozenset({"law", "language=fr"})


@pytest.mark.parametrize(
    ("act", "needs", "may"),
    [
        ("claim", "law", True),
        ("claim", "law\nlanguage=de", False),  # one skill of two
        ("decide", "language=de", False),
        ("escalate", "language=de", True),  # whoever cannot judge it can pass it on
        ("hold", "language=de", True),
        ("claim", "!topic=gore", False),  # opted out
        ("decide", "!topic=gore", True),  # who already has it may end it
        ("claim", "!topic=war", True),
    ],
)
def test_skills_bind_who_judges_and_an_opt_out_binds_the_claim(act: str, needs: str, may: bool) -> None:
    stands = Standing("reviewer", skills=BRINGS, shuns=frozenset({"topic=gore"}))
    assert rights.may(stands, Act(act), Case("soft", needs=frozenset(needs.split("\n")))) is may


@pytest.mark.parametrize("act", list(Act))
def test_an_exclusion_binds_every_judgement_and_nothing_else(act: Act) -> None:
    case = Case("soft", route={"override_pass": "pass", "reverse_hard": "hard"}.get(act, ""))
    free = Standing("manager")
    bound = replace(free, excluded=frozenset({"item:7"}))
    judging = act in {"claim", "decide", "take_over", "override_pass", "reverse_hard", "reverse_ruling"}
    marked = replace(case, marks=frozenset({"item:7", "subject:"}))
    assert rights.may(bound, act, marked) is (rights.may(free, act, case) and not judging)


@pytest.mark.django_db
def test_standing_reads_skills_opt_outs_and_exclusions_of_this_queue_only() -> None:
    queue, other = make_queue(), make_queue()
    person = make_user("reviewer", queue, opt_outs=[f"{queue.pk}:a=b", f"{other.pk}:c=d"])
    Membership.objects.filter(user=person).update(skills=["law"])
    for place, key in ((queue, "1"), (other, "2")):
        Exclusion.objects.create(user=person, queue=place, kind="item", key=key, why="own", by=person, at=NOON)
    stands = rights.standing(person, queue.pk)
    assert stands is not None
    assert [sorted(some) for some in (stands.skills, stands.shuns, stands.excluded)] == [["law"], ["a=b"], ["item:1"]]


@pytest.mark.django_db
def test_a_refusal_for_want_of_a_skill_names_it_and_one_for_an_exclusion_names_nothing() -> None:
    queue = make_queue()
    person = make_user("reviewer", queue)
    case = Case("soft", needs=frozenset({"language=fr", "!topic=war"}))
    with pytest.raises(Forbidden, match="language=fr"):
        rights.require(person, Act.DECIDE, queue_id=queue.pk, case=case)
    Exclusion.objects.create(user=person, queue=queue, kind="item", key="7", why="own", by=person, at=NOON)
    with pytest.raises(Forbidden, match="excluded"):
        rights.require(person, Act.DECIDE, queue_id=queue.pk, case=Case("soft", marks=frozenset({"item:7"})))
