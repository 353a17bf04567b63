"""Who may do what, where and up to which value: one table, as a pure function and as SQL."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from decisions.exceptions import Forbidden, NotFound
from decisions.models import Item, Membership, Task, User

Role = Membership.Role
Purpose = Task.Purpose


class Act(StrEnum):
    """All that a person may have the right to do. The word is what a refusal names."""

    CLAIM = "claim"
    DECIDE = "decide"
    ESCALATE = "escalate"
    HOLD = "hold"
    UNDO = "undo"
    TAKE_OVER = "take_over"  # answer an item past its waiting task, which is then cancelled
    OVERRIDE_PASS = "override_pass"  # noqa: S105 - a right, not a password
    REVERSE_HARD = "reverse_hard"
    REVERSE_RULING = "reverse_ruling"
    SEE_SCORE = "see_score"
    SEE_PERSONAL = "see_personal"
    READ_QUEUE = "read_queue"
    READ_RECORD = "read_record"
    EXPORT = "export"
    VERIFY = "verify"
    ERASE = "erase"
    LEGAL_HOLD = "legal_hold"
    DRAFT_POLICY = "draft_policy"
    APPROVE_POLICY = "approve_policy"  # of somebody else; on a queue without four eyes one's own too
    PUBLISH_POLICY = "publish_policy"
    ROLL_BACK_POLICY = "roll_back_policy"
    CLOSE_FRAME = "close_frame"  # draw audits of what was passed, before the day is over
    APPLY_QUEUE = "apply_queue"
    PAUSE_QUEUE = "pause_queue"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_SHIFTS = "manage_shifts"
    MANAGE_ENDPOINT = "manage_endpoint"
    REPLAY_DELIVERY = "replay_delivery"
    INTAKE = "intake"
    RECORD_RESULT = "record_result"
    FEED_LABELS = "feed_labels"  # read what training gets
    SEE_ALERTS = "see_alerts"
    HANDLE_ALERTS = "handle_alerts"  # acknowledge, put off, diagnose, close
    MARK_GOLD = "mark_gold"  # say what an item is known to be, and take that back
    SEE_ACCURACY = "see_accuracy"  # of others: how often they err and agree
    LIFT_PAUSE = "lift_pause"  # let somebody work again whom their errors paused


class Own(StrEnum):
    """What it means that the person already had a hand in the case."""

    ANY = "any"  # nothing
    ONLY = "only"  # it must be their own
    INDEPENDENT = "independent"  # a second opinion, an appeal or an escalation needs somebody else


@dataclass(frozen=True)
class Limit:
    """How far a right goes. `purposes` and `routes` None = all; `is_valued`: the person's value limit applies."""

    is_valued: bool = False
    rank: int = Task.Rank.REVIEWER
    purposes: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    own: Own = Own.ANY


@dataclass(frozen=True)
class Case:
    """What an act is about.

    `own`: the person had a hand in the task's item before (`has_hand`), or made what is to be undone, reversed or read.
    `is_others`: the task is for somebody else alone.
    """

    purpose: str = ""
    rank: int = Task.Rank.REVIEWER
    value: float | None = None
    route: str = ""
    own: bool = False
    is_demo: bool = False
    is_others: bool = False


@dataclass(frozen=True)
class Standing:
    """A person's role on a queue, the value up to which it counts (None = any), and what kind of person it is."""

    role: str
    value_limit: float | None = None
    kind: str = User.Kind.PERSON


INDEPENDENT = frozenset({Purpose.SECOND, Purpose.GOLD, Purpose.APPEAL, Purpose.ESCALATION})
ORDINARY = frozenset(Purpose) - {Purpose.APPEAL, Purpose.ESCALATION}
CASEWORK = frozenset({Act.CLAIM, Act.DECIDE, Act.ESCALATE, Act.HOLD, Act.UNDO})

YES = Limit()
OWN = Limit(own=Own.ONLY)
WORK = Limit(is_valued=True, purposes=ORDINARY, own=Own.INDEPENDENT)
LEADING = Limit(is_valued=True, rank=Task.Rank.LEAD, own=Own.INDEPENDENT)
# An escalation ends with who takes it: it can be released, not passed on under a new name.
ESCALATING = Limit(rank=Task.Rank.LEAD, purposes=frozenset(Purpose) - {Purpose.ESCALATION})
SENIOR = Limit(rank=Task.Rank.LEAD)
VALUED = Limit(is_valued=True, rank=Task.Rank.LEAD)
PASSED = Limit(is_valued=True, routes=frozenset({Item.Route.PASS}))
DONE_HARD = Limit(is_valued=True, routes=frozenset({Item.Route.HARD}))
OWN_RULING = Limit(is_valued=True, own=Own.ONLY)

# Who is missing may not. Duties are kept apart: auditors read, keep evidence and decide nothing; administrators manage
# people and connections, decide nothing and see neither scores nor personal fields; managers route, leads judge cases.
TABLE: dict[Act, dict[str, Limit]] = {
    Act.CLAIM: {Role.REVIEWER: WORK, Role.LEAD: LEADING, Role.MANAGER: LEADING},
    Act.DECIDE: {Role.REVIEWER: WORK, Role.LEAD: LEADING, Role.MANAGER: LEADING},
    Act.ESCALATE: {Role.REVIEWER: ESCALATING, Role.LEAD: ESCALATING, Role.MANAGER: ESCALATING},
    Act.HOLD: {Role.REVIEWER: YES, Role.LEAD: SENIOR, Role.MANAGER: SENIOR},
    Act.UNDO: {Role.REVIEWER: OWN, Role.LEAD: OWN, Role.MANAGER: OWN},
    Act.TAKE_OVER: {Role.LEAD: VALUED, Role.MANAGER: VALUED},
    Act.OVERRIDE_PASS: {Role.LEAD: PASSED, Role.MANAGER: PASSED},
    Act.REVERSE_HARD: {Role.LEAD: DONE_HARD, Role.MANAGER: DONE_HARD},
    Act.REVERSE_RULING: {Role.REVIEWER: OWN_RULING, Role.LEAD: VALUED, Role.MANAGER: VALUED},
    Act.SEE_SCORE: dict.fromkeys((Role.REVIEWER, Role.LEAD, Role.MANAGER, Role.AUDITOR), YES),
    Act.SEE_PERSONAL: dict.fromkeys((Role.REVIEWER, Role.LEAD, Role.MANAGER), YES),
    Act.READ_QUEUE: dict.fromkeys(Role, YES),
    Act.READ_RECORD: {**dict.fromkeys(Role, YES), Role.REVIEWER: OWN},
    Act.EXPORT: dict.fromkeys((Role.MANAGER, Role.AUDITOR), YES),
    Act.VERIFY: dict.fromkeys((Role.MANAGER, Role.AUDITOR, Role.ADMIN), YES),
    Act.ERASE: {Role.ADMIN: YES},
    Act.LEGAL_HOLD: dict.fromkeys((Role.AUDITOR, Role.ADMIN), YES),
    Act.DRAFT_POLICY: {Role.MANAGER: YES},
    Act.APPROVE_POLICY: {Role.MANAGER: YES},
    Act.PUBLISH_POLICY: {Role.MANAGER: YES},
    Act.ROLL_BACK_POLICY: {Role.MANAGER: YES},
    Act.CLOSE_FRAME: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.APPLY_QUEUE: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.PAUSE_QUEUE: dict.fromkeys((Role.LEAD, Role.MANAGER, Role.ADMIN), YES),
    Act.MANAGE_PEOPLE: {Role.ADMIN: YES},
    Act.MANAGE_SHIFTS: dict.fromkeys((Role.LEAD, Role.MANAGER), YES),
    Act.MANAGE_ENDPOINT: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.REPLAY_DELIVERY: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.INTAKE: {Role.MANAGER: YES},
    Act.RECORD_RESULT: {Role.MANAGER: YES},
    Act.FEED_LABELS: dict.fromkeys((Role.MANAGER, Role.AUDITOR), YES),
    Act.SEE_ALERTS: dict.fromkeys((Role.LEAD, Role.MANAGER, Role.AUDITOR, Role.ADMIN), YES),
    Act.HANDLE_ALERTS: dict.fromkeys((Role.LEAD, Role.MANAGER, Role.ADMIN), YES),
    Act.MARK_GOLD: {Role.LEAD: YES},
    Act.SEE_ACCURACY: {Role.LEAD: YES},
    Act.LIFT_PAUSE: {Role.LEAD: YES},
}
# What another system may besides its role, whatever that is; its token's scopes narrow both.
SERVICE = {Act.READ_QUEUE: YES, Act.INTAKE: YES, Act.RECORD_RESULT: YES, Act.FEED_LABELS: YES}

NOBODY = Case()


def limit(standing: Standing, act: Act) -> Limit | None:
    """Return how far this standing may do the act, None when not at all."""
    if standing.kind == User.Kind.SIMULATED and act not in CASEWORK:
        return None
    also = SERVICE.get(act) if standing.kind == User.Kind.SERVICE else None
    return also or TABLE[act].get(standing.role)


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
        and _value_fits(standing, to, case.value)
        and _own_fits(to, case)
    )


def _value_fits(standing: Standing, to: Limit, value: float | None) -> bool:
    if not to.is_valued or standing.value_limit is None:
        return True
    return value is not None and value <= standing.value_limit


def _own_fits(to: Limit, case: Case) -> bool:
    if to.own == Own.ONLY:
        return case.own
    return to.own == Own.ANY or not case.own or case.purpose not in INDEPENDENT


def who_holds(act: Act, case: Case = NOBODY) -> list[str]:
    """Return the roles in which somebody else, whom no value limit binds, may do this."""
    fresh = replace(case, own=case.own and case.purpose not in INDEPENDENT, is_others=False)
    return [role for role in Role if may(Standing(role), act, fresh)]


# `Membership.objects.of(user).on(queue_id)` as text: each call and page asks this, some twice, and to put the
# statement together anew takes longer than to run it.
STANDING = """
    SELECT m.role, m.value_limit FROM decisions_membership m JOIN decisions_user u ON u.id = m.user_id
    WHERE m.user_id = %s AND u.is_active AND (m.queue_id = %s OR m.queue_id IS NULL)
    ORDER BY m.queue_id NULLS LAST LIMIT 1
"""


def standing(user: User, queue_id: int | None) -> Standing | None:
    """Return where a person stands on a queue (None: the whole site), or None when they do not belong there.

    The membership on the queue itself goes before one on all queues, even where it gives less.
    """
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [user.pk, queue_id])
        found = cursor.fetchone()
    if found is None:
        return None
    role, value_limit = found
    return Standing(role, value_limit, user.kind)


def standings(user: User) -> dict[int | None, Standing]:
    """Return where a person stands on each queue that they belong to; under None on all others."""
    found = Membership.objects.of(user).values_list("queue", "role", "value_limit")
    return {queue: Standing(role, value_limit, user.kind) for queue, role, value_limit in found}


def standing_of(
    memberships: Iterable[tuple[int | None, str, float | None]], queue_id: int, kind: str
) -> Standing | None:
    """Return the same from a person's memberships (queue or None for all, role, limit), read before."""
    found = {queue: (role, value_limit) for queue, role, value_limit in memberships}
    held = found.get(queue_id, found.get(None))
    return Standing(Role(held[0]), held[1], kind) if held else None


def require(user: User, act: Act, *, queue_id: int | None, case: Case = NOBODY) -> Standing:
    """Return the person's standing, or refuse: NotFound for who does not belong there, Forbidden naming the right."""
    stands = standing(user, queue_id)
    if stands is None:
        raise NotFound
    demand(stands, act, queue_id=queue_id, case=case)
    return stands


def demand(stands: Standing, act: Act, *, queue_id: int | None, case: Case = NOBODY) -> None:
    """Refuse with Forbidden, naming the right and who has it, what this standing does not cover."""
    if may(stands, act, case):
        return
    detail = _("You lack the right “%(right)s” here.") % {"right": act.value}
    holders = ", ".join(str(Role(role).label) for role in who_holds(act, case))
    if holders:
        detail += " " + _("Those who have it, within their limits: %(roles)s.") % {"roles": holders}
    raise Forbidden(detail, right=act.value, queue_id=queue_id)


def holders(act: Act, queue_id: int) -> list[User]:
    """Return the people who have a right on a queue, by name; other systems and simulated reviewers apart."""
    roles = who_holds(act)
    members = Membership.objects.filter(role__in=roles, user__is_active=True, user__kind=User.Kind.PERSON)
    found = members.filter(Q(queue=queue_id) | Q(queue=None)).values("user")
    people = User.objects.filter(pk__in=found).order_by("name", "email")
    return [user for user in people if (stands := standing(user, queue_id)) and may(stands, act)]


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
        if to.is_valued and stands.value_limit is not None:
            parts.append(("coalesce(decisions_task.value <= %s, false)", (stands.value_limit,)))
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
