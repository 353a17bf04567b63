"""The rights as they stand in code: version 0, which holds until somebody changes them."""

from decisions.models import Item, Task
from decisions.rights.words import Act, Limit, Own, Purpose, Role, Table

INDEPENDENT = frozenset({Purpose.SECOND, Purpose.GOLD, Purpose.APPEAL, Purpose.ESCALATION})
ORDINARY = frozenset(Purpose) - {Purpose.APPEAL, Purpose.ESCALATION}
EXPERTS = frozenset(Purpose) - {Purpose.APPEAL}
CASEWORK = frozenset({Act.CLAIM, Act.DECIDE, Act.ESCALATE, Act.HOLD, Act.UNDO})

YES = Limit()
OWN = Limit(own=Own.ONLY)
# What the crowd may take, a queue's spec says; the rank of each task follows from it.
HELPING = Limit(is_valued=True, rank=Task.Rank.CROWD, purposes=ORDINARY, own=Own.INDEPENDENT)
WORK = Limit(is_valued=True, purposes=ORDINARY, own=Own.INDEPENDENT)
SETTLING = Limit(is_valued=True, rank=Task.Rank.EXPERT, purposes=EXPERTS, own=Own.INDEPENDENT)
LEADING = Limit(is_valued=True, rank=Task.Rank.LEAD, own=Own.INDEPENDENT)
# An expert passes a case on to a lead. With a lead it ends, and an appeal with who judges it: it can be released, not
# passed on under a new name.
PASSING_ON = Limit(rank=Task.Rank.EXPERT, purposes=EXPERTS)
ESCALATING = Limit(rank=Task.Rank.LEAD, purposes=ORDINARY)
SKILLED = Limit(rank=Task.Rank.EXPERT)
SENIOR = Limit(rank=Task.Rank.LEAD)
VALUED = Limit(is_valued=True)
PASSED = Limit(is_valued=True, routes=frozenset({Item.Route.PASS}))
DONE_HARD = Limit(is_valued=True, routes=frozenset({Item.Route.HARD}))
OWN_RULING = Limit(is_valued=True, own=Own.ONLY)

WORKERS = (Role.CROWD, Role.REVIEWER, Role.EXPERT, Role.LEAD, Role.MANAGER)
WORKING: dict[str, Limit] = {
    Role.CROWD: HELPING,
    Role.REVIEWER: WORK,
    Role.EXPERT: SETTLING,
    Role.LEAD: LEADING,
    Role.MANAGER: LEADING,
}

# Who is missing may not. Duties are kept apart: auditors read, keep evidence and decide nothing; administrators manage
# people and connections, decide nothing and see neither scores nor personal fields; managers route, leads judge cases.
CELLS: dict[Act, dict[str, Limit]] = {
    Act.CLAIM: WORKING,
    Act.DECIDE: WORKING,
    Act.ESCALATE: {
        **dict.fromkeys((Role.CROWD, Role.REVIEWER, Role.LEAD, Role.MANAGER), ESCALATING),
        Role.EXPERT: PASSING_ON,
    },
    Act.HOLD: {Role.CROWD: YES, Role.REVIEWER: YES, Role.EXPERT: SKILLED, Role.LEAD: SENIOR, Role.MANAGER: SENIOR},
    Act.UNDO: dict.fromkeys(WORKERS, OWN),
    Act.TAKE_OVER: {Role.LEAD: VALUED, Role.MANAGER: VALUED},
    Act.OVERRIDE_PASS: {Role.LEAD: PASSED, Role.MANAGER: PASSED},
    Act.REVERSE_HARD: {Role.LEAD: DONE_HARD, Role.MANAGER: DONE_HARD},
    Act.REVERSE_RULING: {
        Role.REVIEWER: OWN_RULING,
        Role.EXPERT: OWN_RULING,
        Role.LEAD: VALUED,
        Role.MANAGER: VALUED,
    },
    Act.SEE_SCORE: dict.fromkeys((*WORKERS, Role.AUDITOR), YES),
    Act.SEE_PERSONAL: dict.fromkeys((Role.REVIEWER, Role.EXPERT, Role.LEAD, Role.MANAGER), YES),
    Act.READ_QUEUE: dict.fromkeys(Role, YES),
    Act.READ_RECORD: {**dict.fromkeys(Role, YES), Role.CROWD: OWN, Role.REVIEWER: OWN, Role.EXPERT: OWN},
    Act.EXPORT: dict.fromkeys((Role.MANAGER, Role.AUDITOR), YES),
    Act.VERIFY: dict.fromkeys((Role.MANAGER, Role.AUDITOR, Role.ADMIN), YES),
    Act.ERASE: {Role.ADMIN: YES},
    Act.LEGAL_HOLD: dict.fromkeys((Role.AUDITOR, Role.ADMIN), YES),
    Act.DRAFT_POLICY: {Role.MANAGER: YES},
    Act.APPROVE_POLICY: {Role.MANAGER: YES},
    Act.PUBLISH_POLICY: {Role.MANAGER: YES},
    Act.ROLL_BACK_POLICY: {Role.MANAGER: YES},
    Act.RUN_SHADOW: {Role.MANAGER: YES},
    Act.TRAIN: {Role.MANAGER: YES},
    Act.CLOSE_FRAME: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.APPLY_QUEUE: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.PAUSE_QUEUE: dict.fromkeys((Role.LEAD, Role.MANAGER, Role.ADMIN), YES),
    Act.RELIEVE: {Role.MANAGER: YES},
    Act.ASSIGN: dict.fromkeys((Role.LEAD, Role.MANAGER), YES),
    Act.SEE_TEAM: dict.fromkeys((Role.LEAD, Role.MANAGER), YES),
    Act.MANAGE_TEAM: dict.fromkeys((Role.LEAD, Role.MANAGER), YES),
    Act.MANAGE_PEOPLE: {Role.ADMIN: YES},
    Act.SEE_RIGHTS: dict.fromkeys((Role.AUDITOR, Role.ADMIN), YES),
    Act.MANAGE_RIGHTS: {Role.ADMIN: YES},
    Act.MANAGE_SHIFTS: dict.fromkeys((Role.LEAD, Role.MANAGER), YES),
    Act.MANAGE_ENDPOINT: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.REPLAY_DELIVERY: dict.fromkeys((Role.MANAGER, Role.ADMIN), YES),
    Act.INTAKE: {Role.MANAGER: YES},
    Act.FILE_APPEAL: dict.fromkeys((Role.LEAD, Role.MANAGER), YES),
    Act.RECORD_RESULT: {Role.MANAGER: YES},
    Act.TELL_TRUTH: {Role.MANAGER: YES},
    Act.FREEZE_DATA_SET: {Role.MANAGER: YES},
    Act.FEED_LABELS: dict.fromkeys((Role.MANAGER, Role.AUDITOR), YES),
    Act.SEE_ALERTS: dict.fromkeys((Role.LEAD, Role.MANAGER, Role.AUDITOR, Role.ADMIN), YES),
    Act.HANDLE_ALERTS: dict.fromkeys((Role.LEAD, Role.MANAGER, Role.ADMIN), YES),
    Act.MARK_GOLD: dict.fromkeys((Role.EXPERT, Role.LEAD), YES),
    Act.SEE_ACCURACY: {Role.LEAD: YES},
    Act.LIFT_PAUSE: {Role.LEAD: YES},
}
# What no table takes from administrators, so that there is always somebody who can give it back.
KEPT = frozenset({Act.MANAGE_PEOPLE, Act.SEE_RIGHTS, Act.MANAGE_RIGHTS})
# What only people do, never another system, whatever its role.
PERSONAL = frozenset({Act.MANAGE_RIGHTS})
# What another system may besides its role, whatever that is; its token's scopes narrow both.
SERVICE = dict.fromkeys(
    (Act.READ_QUEUE, Act.INTAKE, Act.FILE_APPEAL, Act.RECORD_RESULT, Act.TELL_TRUTH, Act.FEED_LABELS), YES
)

DEFAULT = Table(CELLS)
