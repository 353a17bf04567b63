"""The rule: whether a person who stands so may do an act in a case. Pure; the table is a value of theirs."""

from dataclasses import dataclass, replace

from decisions.models import Task, User
from decisions.queues.needs import SENSITIVE
from decisions.rights.default import CASEWORK, DEFAULT, INDEPENDENT, PERSONAL, SERVICE
from decisions.rights.words import JUDGING, SKILLED, Act, Limit, Own, Role, Table


@dataclass(frozen=True)
class Case:
    """What an act is about.

    `own`: the person had a hand in the task's item before (`has_hand`), or made what is to be undone, reversed or read.
    `is_others`: the task is for somebody else alone. `needs`: what its item asks of a person (`queues.needs`); `marks`:
    `subject:` and `item:` of it, which an exclusion names.
    """

    purpose: str = ""
    rank: int = Task.Rank.REVIEWER
    value: float | None = None
    route: str = ""
    own: bool = False
    is_demo: bool = False
    is_others: bool = False
    needs: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Standing:
    """A person's role on a queue, the value up to which it counts (None = any), what kind of person it is.

    `table` is the table of rights in force there: it is read together with the role. `skills` are the tags that they
    bring, `shuns` those of what they opted out of, `excluded` the marks of what they do not judge.
    """

    role: str
    value_limit: float | None = None
    kind: str = User.Kind.PERSON
    table: Table = DEFAULT
    skills: frozenset[str] = frozenset()
    shuns: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()


NONE: frozenset[str] = frozenset()
NOBODY = Case()


def limit(standing: Standing, act: Act) -> Limit | None:
    """Return how far this standing may do the act, None when not at all."""
    if standing.kind == User.Kind.SIMULATED and act not in CASEWORK:
        return None
    if standing.kind == User.Kind.SERVICE and act in PERSONAL:
        return None
    also = SERVICE.get(act) if standing.kind == User.Kind.SERVICE else None
    return also or standing.table.limit(act, standing.role)


def may(standing: Standing, act: Act, case: Case = NOBODY) -> bool:
    """Return whether this standing covers the act in this case. An unknown value is above every limit."""
    to = limit(standing, act)
    if to is None or (standing.kind == User.Kind.SIMULATED and not case.is_demo):
        return False
    return (
        case.rank <= to.rank
        and not case.is_others
        and (to.purposes is None or case.purpose in to.purposes)
        and (to.routes is None or case.route in to.routes)
        and all(case.value is not None and case.value <= most for most in ceilings(standing, to))
        and _own_fits(to, case)
        and not lacks(standing, act, case)
        and not (act in JUDGING and case.marks & standing.excluded)
        and not (act == Act.CLAIM and case.needs & {SENSITIVE + tag for tag in standing.shuns})
    )


def lacks(standing: Standing, act: Act, case: Case) -> frozenset[str]:
    """Return the skills that the act needs in this case and the person does not bring."""
    if act not in SKILLED:
        return frozenset()
    return frozenset(tag for tag in case.needs if not tag.startswith(SENSITIVE)) - standing.skills


def ceilings(standing: Standing, to: Limit) -> list[float]:
    """Return the values above which this right of this person ends: their own limit, and the right's."""
    own = standing.value_limit if to.is_valued else None
    return [most for most in (own, to.up_to) if most is not None]


def _own_fits(to: Limit, case: Case) -> bool:
    if to.own == Own.ONLY:
        return case.own
    return to.own == Own.ANY or not case.own or case.purpose not in INDEPENDENT


def who_holds(act: Act, case: Case = NOBODY, table: Table = DEFAULT) -> list[str]:
    """Return the roles in which somebody else, whom no value limit binds, may do this."""
    fresh = replace(case, own=case.own and case.purpose not in INDEPENDENT, is_others=False, needs=NONE, marks=NONE)
    return [role for role in Role if may(Standing(role, table=table), act, fresh)]
