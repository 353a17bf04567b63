"""What a person's right reaches: their hand in an item, and the rule as a condition that SQL can use."""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from decisions.models import Item, Task, User
from decisions.queues import needs
from decisions.queues.needs import SENSITIVE
from decisions.rights.default import INDEPENDENT
from decisions.rights.judge import Case, Standing, ceilings, limit
from decisions.rights.words import JUDGING, SKILLED, Act, Own

# A hand in an item: another of its tasks decided, a ruling made outside the queue, an override asked for, confirmed or
# refused, an appeal filed, or escalated. Scalar subqueries, for
# an EXISTS may be planned as a hash of all that the person ever did.
HAND = """coalesce(
    (SELECT true FROM decisions_decision d WHERE d.item_id = decisions_task.item_id
     AND d.person_id = {person} AND d.task_id <> decisions_task.id LIMIT 1),
    (SELECT true FROM decisions_ruling r WHERE r.item_id = decisions_task.item_id
     AND r.person_id = {person} AND r.decision_id IS NULL LIMIT 1),
    (SELECT true FROM decisions_pendingoverride p WHERE p.item_id = decisions_task.item_id
     AND (p.person_id = {person} OR p.closer_id = {person}) LIMIT 1),
    (SELECT true FROM decisions_appeal a WHERE a.item_id = decisions_task.item_id
     AND a.filed_by_id = {person} LIMIT 1),
    (SELECT true FROM decisions_task o JOIN decisions_move m ON m.task_id = o.id
     WHERE o.item_id = decisions_task.item_id AND m.kind = 'escalated' AND m.person_id = {person} LIMIT 1),
    false)"""
# What can be told from a task's rank and needs alone: every skill is one of the person's, and nothing sensitive is one
# of those that they opted out of.
POOL = """decisions_task.rank <= {rank} AND ({skills}::text[] IS NULL OR decisions_task.needs = '' OR (
    SELECT bool_and(CASE WHEN starts_with(tag, '!') THEN tag <> ALL({shuns}::text[])
                    ELSE tag = ANY({skills}::text[]) END)
    FROM unnest(string_to_array(decisions_task.needs, chr(10))) tag))"""
OWNED = "(decisions_task.only_for_id IS NULL OR decisions_task.only_for_id = {person})"
# `may` in SQL, on `decisions_task`. A claim has it in a function too: who changes it makes that anew (`pick.make`).
RULE = f"""{POOL}
    AND {OWNED}
    AND ({{purposes}}::text[] IS NULL OR decisions_task.purpose = ANY({{purposes}}::text[]))
    AND ({{most}}::float8 IS NULL OR coalesce(decisions_task.value <= {{most}}::float8, false))
    AND (decisions_task.is_demo OR NOT {{is_simulated}})
    AND (decisions_task.purpose <> ALL({{independent}}::text[]) OR NOT {HAND})
    AND (cardinality({{excluded}}::text[]) = 0 OR NOT (
        SELECT ARRAY['subject:' || i.subject, 'item:' || i.external_id] && {{excluded}}::text[]
        FROM decisions_item i WHERE i.id = decisions_task.item_id))"""  # noqa: S608 - put together from constants
# The values that stand in it, with their types.
VALUES = {
    "rank": "integer",
    "skills": "text[]",
    "shuns": "text[]",
    "person": "bigint",
    "purposes": "text[]",
    "most": "float8",
    "is_simulated": "boolean",
    "independent": "text[]",
    "excluded": "text[]",
}
SPOT = re.compile(r"\{(\w+)\}")


def case_of(task: Task, user: User) -> Case:
    """Return what a task is to this person; their hand in its item is looked up only where it matters."""
    own = task.purpose in INDEPENDENT and has_hand(task, user)
    is_others = task.only_for_id not in (None, user.pk)
    return Case(
        task.purpose,
        task.rank,
        task.value,
        own=own,
        is_demo=task.is_demo,
        is_others=is_others,
        needs=needs.tags(task.needs),
        marks=marks_of(task.item),
    )


def marks_of(item: Item) -> frozenset[str]:
    """Return what an exclusion from an item can name."""
    return frozenset({f"subject:{item.subject}", f"item:{item.external_id}"})


def has_hand(task: Task, user: User) -> bool:
    """Return whether the person decided another task of this item, ruled on it or escalated it."""
    return Task.objects.filter(_raw(HAND, {"person": user.pk}), pk=task.pk).exists()


@dataclass(frozen=True)
class Reach:
    """The tasks a standing covers for an act, as a condition on `decisions_task`: `may` in SQL.

    `values` are those that stand in `RULE`; None covers no task at all.
    """

    values: dict[str, Any] | None

    @classmethod
    def of(cls, stands: Standing, user: User, act: Act = Act.CLAIM) -> "Reach":
        """Return the condition for this person; none of the tasks when the right is missing."""
        to = limit(stands, act)
        if to is None:
            return cls(None)
        shuns = stands.shuns if act == Act.CLAIM else ()
        return cls(
            {
                "rank": int(to.rank),
                "skills": sorted(stands.skills) if act in SKILLED else None,
                "shuns": sorted(SENSITIVE + tag for tag in shuns),
                "person": user.pk,
                "purposes": None if to.purposes is None else sorted(to.purposes),
                "most": min(ceilings(stands, to), default=None),
                "is_simulated": stands.kind == User.Kind.SIMULATED,
                "independent": sorted(INDEPENDENT) if to.own == Own.INDEPENDENT else [],
                "excluded": sorted(stands.excluded) if act in JUDGING else [],
            }
        )

    def narrowed(self, purpose: str) -> "Reach":
        """Return what of it is of one purpose."""
        return Reach(self.values and {**self.values, "purposes": [purpose]})

    @property
    def condition(self) -> RawSQL:
        """The same as an expression: `Task.objects.waiting().filter(reach.condition)`."""
        return _raw(RULE, self.values) if self.values is not None else RawSQL("false", (), BooleanField())

    @property
    def whoever_has_it(self) -> RawSQL:
        """The same, as if no task were kept for anybody: what the person could be given."""
        return _raw(RULE.replace(OWNED, "true"), self.values) if self.values is not None else self.condition


def _raw(text: str, values: dict[str, Any]) -> RawSQL:
    """Return a condition as an expression. The text is put together from constants; every value is a parameter."""
    params = tuple(values[name] for name in SPOT.findall(text))
    return RawSQL(SPOT.sub("%s", text), params, BooleanField())  # noqa: S611
