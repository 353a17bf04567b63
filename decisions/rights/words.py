"""The words of rights: what may be done, how far, and the table that says which role may."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from decisions.models import Membership, Task

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
    RUN_SHADOW = "run_shadow"  # let a model score beside the one that routes, and stop that
    TRAIN = "train"  # start a training run and cancel it
    CLOSE_FRAME = "close_frame"  # draw audits of what was passed, before the day is over
    APPLY_QUEUE = "apply_queue"
    PAUSE_QUEUE = "pause_queue"
    RELIEVE = "relieve"  # switch the rules for when it does not fit on and off
    ASSIGN = "assign"  # give a task to a person, take it back, balance
    SEE_TEAM = "see_team"  # who is at work and what each of them holds
    MANAGE_TEAM = "manage_team"  # skills, exclusions and absences of those who work here
    MANAGE_PEOPLE = "manage_people"
    SEE_RIGHTS = "see_rights"  # the table of rights, its history, and who is a member
    MANAGE_RIGHTS = "manage_rights"  # change the table, or agree to somebody else's change
    MANAGE_SHIFTS = "manage_shifts"
    MANAGE_ENDPOINT = "manage_endpoint"
    REPLAY_DELIVERY = "replay_delivery"
    INTAKE = "intake"
    FILE_APPEAL = "file_appeal"  # bring in what somebody outside objects to
    RECORD_RESULT = "record_result"
    TELL_TRUTH = "tell_truth"  # bring in what turned out to be true, and what end users say
    FREEZE_DATA_SET = "freeze_data_set"  # and take its rows along
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


# Acts that need the skills an item asks for, and those that nobody does to what they are excluded from.
SKILLED = frozenset({Act.CLAIM, Act.DECIDE})
JUDGING = SKILLED | {Act.TAKE_OVER, Act.OVERRIDE_PASS, Act.REVERSE_HARD, Act.REVERSE_RULING}


@dataclass(frozen=True)
class Limit:
    """How far a right goes. `purposes` and `routes` None = all.

    `is_valued`: the person's own value limit applies; `up_to`: no value above this, whoever it is (None = any).
    """

    is_valued: bool = False
    rank: int = Task.Rank.REVIEWER
    purposes: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    own: Own = Own.ANY
    up_to: float | None = None


Cells = Mapping[Act, Mapping[str, Limit | None]]


@dataclass(frozen=True)
class Table:
    """Which role may do what, how far: a value. Who is missing may not.

    `versions` are those it is made of, the site's first: (id, since when) of each. None of them = as it stands in code.
    """

    cells: Cells = field(hash=False)
    versions: tuple[tuple[int, str], ...] = ()

    def limit(self, act: Act, role: str) -> Limit | None:
        """Return how far a role may do the act, None when not at all."""
        return self.cells.get(act, {}).get(role)

    def under(self, cells: Cells, version: tuple[int, str]) -> "Table":
        """Return this table with other cells in place of some of its own."""
        laid = {act: MappingProxyType({**self.cells.get(act, {}), **cells.get(act, {})}) for act in Act}
        return Table(MappingProxyType(laid), (*self.versions, version))
