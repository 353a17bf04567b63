"""What a person's right reaches: their hand in an item, and the rule as a condition that SQL can use."""

from dataclasses import dataclass

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from decisions.models import Task, User
from decisions.rights.default import INDEPENDENT
from decisions.rights.judge import Case, Standing, ceilings, limit
from decisions.rights.words import Act, Own

# A hand in an item: another of its tasks decided, a ruling made outside the queue, or escalated. Scalar subqueries, for
# an EXISTS may be planned as a hash of all that the person ever did.
HAND = """coalesce(
    (SELECT true FROM decisions_decision d WHERE d.item_id = decisions_task.item_id
     AND d.person_id = %s AND d.task_id <> decisions_task.id LIMIT 1),
    (SELECT true FROM decisions_ruling r WHERE r.item_id = decisions_task.item_id
     AND r.person_id = %s AND r.decision_id IS NULL LIMIT 1),
    (SELECT true FROM decisions_task o JOIN decisions_move m ON m.task_id = o.id
     WHERE o.item_id = decisions_task.item_id AND m.kind = 'escalated' AND m.person_id = %s LIMIT 1),
    false)"""


def case_of(task: Task, user: User) -> Case:
    """Return what a task is to this person; their hand in its item is looked up only where it matters."""
    own = task.purpose in INDEPENDENT and has_hand(task, user)
    is_others = task.only_for_id not in (None, user.pk)
    return Case(task.purpose, task.rank, task.value, own=own, is_demo=task.is_demo, is_others=is_others)


def has_hand(task: Task, user: User) -> bool:
    """Return whether the person decided another task of this item, ruled on it or escalated it."""
    hand = RawSQL(HAND, (user.pk,) * 3, BooleanField())  # noqa: S611 - a constant; every value is a parameter
    return Task.objects.filter(hand, pk=task.pk).exists()


@dataclass(frozen=True)
class Reach:
    """The tasks a standing covers for an act, as a condition on `decisions_task`: `may` in SQL."""

    sql: str
    params: tuple[object, ...]

    @classmethod
    def of(cls, stands: Standing, user: User, act: Act = Act.CLAIM) -> "Reach":
        """Return the condition for this person; none of the tasks when the right is missing."""
        to = limit(stands, act)
        if to is None:
            return cls("false", ())
        parts: list[tuple[str, tuple[object, ...]]] = [
            ("decisions_task.rank <= %s", (int(to.rank),)),
            ("(decisions_task.only_for_id IS NULL OR decisions_task.only_for_id = %s)", (user.pk,)),
        ]
        if to.purposes is not None:
            parts.append(("decisions_task.purpose = ANY(%s)", (sorted(to.purposes),)))
        parts += [("coalesce(decisions_task.value <= %s, false)", (most,)) for most in ceilings(stands, to)]
        if stands.kind == User.Kind.SIMULATED:
            parts.append(("decisions_task.is_demo", ()))
        if to.own == Own.INDEPENDENT:
            own = f"(NOT decisions_task.purpose = ANY(%s) OR NOT {HAND})"
            parts.append((own, (sorted(INDEPENDENT), user.pk, user.pk, user.pk)))
        return cls(" AND ".join(sql for sql, _params in parts), tuple(p for _sql, params in parts for p in params))

    @property
    def condition(self) -> RawSQL:
        """The same as an expression: `Task.objects.waiting().filter(reach.condition)`."""
        # The text is put together from this module's constants; every value is a parameter.
        return RawSQL(self.sql, self.params, BooleanField())  # noqa: S611
