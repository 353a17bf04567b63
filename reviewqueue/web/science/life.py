"""What a queue's policy page shows: each policy's next step and who may take it, the canary, and what happened when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions import rights
from decisions.measure import summary, volumes
from decisions.measure.volumes import Volume
from decisions.models import KnownCheck, Policy, PolicyChange, Queue, User
from decisions.rights import Act
from decisions.routing import guard, known, promises, publish, terms, trials
from decisions.routing.guard import Check, Guard, Sign, Verdict
from decisions.routing.publish import STEPS
from reviewqueue.web import queues

State = Policy.State
Kind = PolicyChange.Kind

NAMES = {
    Kind.APPROVED: "approve",
    Kind.WITHDRAWN: "withdraw",
    Kind.CANARY: "canary",
    Kind.STOPPED: "stop",
    Kind.PUBLISHED: "publish",
    Kind.ROLLED_BACK: "roll_back",
}
# What may follow from each state, the usual step first.
NEXT: dict[str, tuple[Kind, ...]] = {
    State.DRAFT: (Kind.APPROVED, Kind.WITHDRAWN),
    State.APPROVED: (Kind.CANARY, Kind.PUBLISHED, Kind.WITHDRAWN),
    State.CANARY: (Kind.PUBLISHED, Kind.STOPPED),
}
ICONS = {
    Kind.APPROVED: "second",
    Kind.WITHDRAWN: "cross",
    Kind.CANARY: "eye",
    Kind.STOPPED: "stop",
    Kind.PUBLISHED: "check",
    Kind.ROLLED_BACK: "undo",
}
TERM = {
    "model": gettext_lazy("Model"),
    "hard": gettext_lazy("Hard from"),
    "soft": gettext_lazy("Soft from"),
    "suggest": gettext_lazy("Suggest positive from"),
    "control_share": gettext_lazy("Control share"),
    "audit_budget": gettext_lazy("Audits a day"),
    "precision_target": gettext_lazy("Precision target"),
    "calibration": gettext_lazy("Calibration"),
    "mean_p": gettext_lazy("Mean probability at the start"),
    "overload_soft": gettext_lazy("Soft under overload, at most"),
    "control_floor": gettext_lazy("Control share under overload, at least"),
    "audit_floor": gettext_lazy("Audits a day under overload, at least"),
}
SIGN = {
    Sign.HARD: gettext_lazy("Share of hard items"),
    Sign.OVERRIDES: gettext_lazy("Suggestions overridden"),
    Sign.PRECISION: gettext_lazy("Precision of hard items"),
}


@dataclass(frozen=True)
class Line:
    """A policy that is not live yet: the steps this person may take, and who else is needed."""

    policy: Policy
    steps: Sequence[str]
    approvers: Sequence[User] = ()
    is_mine: bool = False
    changes: Sequence[PolicyChange] = ()
    check: KnownCheck | None = None
    missed: str = ""  # which promises on known data it breaks, in words


@dataclass(frozen=True)
class Entry:
    """One line of the history."""

    at: datetime
    title: str
    who: User | None
    why: str
    icon: str
    is_machine: bool


def ahead(queue_ids: Iterable[int]) -> dict[int, list[Policy]]:
    """Return by queue the policies that are not live yet, newest first."""
    found: dict[int, list[Policy]] = {}
    for policy in Policy.objects.filter(queue__in=queue_ids, state__in=NEXT).order_by("-no"):
        found.setdefault(policy.queue_id, []).append(policy)
    return found


def open_lines(person: User, queue: Queue) -> list[Line]:
    """Return the drafts, the approved policies and the canary, newest first."""
    found = Policy.objects.filter(queue=queue, state__in=NEXT).select_related("model", "author").order_by("-no")
    policies = list(found.prefetch_related("changes__person"))
    may = {kind: queues.may(person, queue, step.act) for kind, step in STEPS.items()}
    holders = rights.holders(Act.APPROVE_POLICY, queue.pk) if policies else []
    is_busy = any(policy.state == State.CANARY for policy in policies)
    checks = known.of_policies(queue.pk, [policy.pk for policy in policies]) if policies else {}
    lines = [_line(policy, person, queue, may, holders, is_busy=is_busy) for policy in policies]
    return [_checked(line, checks.get(line.policy.pk), queue) for line in lines]


def _line(
    policy: Policy, person: User, queue: Queue, may: dict[Kind, bool], holders: list[User], *, is_busy: bool
) -> Line:
    is_mine = queue.spec.four_eyes and policy.author_id == person.pk
    steps = [kind for kind in NEXT[policy.state] if may[kind]]
    if is_mine:
        steps = [kind for kind in steps if kind != Kind.APPROVED]
    if is_busy and policy.state == State.APPROVED:
        steps = [kind for kind in steps if kind == Kind.WITHDRAWN]
    others = [user for user in holders if not queue.spec.four_eyes or user.pk != policy.author_id]
    return Line(policy, [NAMES[kind] for kind in steps], others, is_mine, list(policy.changes.all()))


def _checked(line: Line, made: KnownCheck | None, queue: Queue) -> Line:
    """Add how a policy did on the known data."""
    if made is None:
        return line
    return replace(line, check=made, missed=promises.missed(made.figures, summary.noun(queue.spec)))


def canary(queue: Queue, at: datetime) -> dict[str, Any] | None:
    """Return the canary as its guard sees it, with what it and the live policy routed since its hour; None: none."""
    trial = trials.running(queue.pk)
    if trial is None:
        return None
    start = trial.start.at.replace(minute=0, second=0, microsecond=0)
    routed = volumes.by_policy(queue.pk, [trial.canary.pk, trial.live.pk], since=start)
    seen: Guard = guard.judge(trial, at)
    return {
        "trial": trial,
        "checks": [{"check": check, "title": SIGN[check.sign], "told": told(check)} for check in seen.checks],
        "sides": _sides([trial.canary, trial.live], routed),
    }


def told(check: Check) -> str:
    """Return in words how a sign stands."""
    if check.verdict == Verdict.IDLE:
        if check.sign == Sign.PRECISION:
            return _("Not judged: it needs a precision target and a control share.")
        return _("Not judged: one of the two does nothing automatically.")
    if check.verdict == Verdict.WAITING:
        return _("Too little to judge: %(needed)s are needed.") % {"needed": check.needed}
    if check.sign == Sign.PRECISION:
        words = {"wealth": f"{min(check.wealth or 1.0, 999.0):.1f}", "page": f"{guard.PAGE:g}"}
        return _("The evidence that the target is missed is %(wealth)s; the canary stops at %(page)s.") % words
    if check.sign == Sign.OVERRIDES:
        return _("Stops when it is for certain more than %(factor)s times the live policy's.") % {
            "factor": check.factor
        }
    return _("Stops when the two are for certain more than a factor of %(factor)s apart.") % {"factor": check.factor}


def compared(queue: Queue, one: Policy, other: Policy) -> dict[str, Any]:
    """Return what tells two policies apart: terms, and what each really routed in the last 30 days."""
    return {
        "terms": [
            {"label": TERM[d.name], "one": _written(d.name, d.one), "other": _written(d.name, d.other)}
            for d in terms.differences(one, other)
        ],
        "sides": _sides([one, other], volumes.by_policy(queue.pk, [one.pk, other.pk])),
    }


def _written(name: str, value: Any) -> Any:
    """Return a term as it is read: a calibrator by its name."""
    return value.get("id", _("scores as they came")) if name == "calibration" else value


def history(queue: Queue, most: int) -> list[Entry]:
    """Return what happened to the queue's policies, newest first: drafts and every step."""
    drafts = Policy.objects.filter(queue=queue).select_related("author").order_by("-no")[:most]
    changes = PolicyChange.objects.filter(queue=queue).select_related("policy", "person").order_by("-pk")[:most]
    drafted = [Entry(p.created_at, _titled(p, _("Drafted")), p.author, p.why, "edit", is_machine=False) for p in drafts]
    moved = [_moved(change) for change in changes]
    return sorted([*moved, *drafted], key=lambda entry: entry.at, reverse=True)[:most]


def back(queue: Queue) -> dict[str, Any] | None:
    """Return the policy that one click brings back, and a reason to begin with."""
    earlier = publish.previous(queue)
    live = Policy.objects.live().filter(queue=queue).values_list("no", flat=True).first()
    if earlier is None:
        return None
    why = _("Policy %(live)s does worse than policy %(no)s did") % {"live": live, "no": earlier.no}
    return {"policy": earlier, "why": why}


def _moved(change: PolicyChange) -> Entry:
    title = _titled(change.policy, change.get_kind_display())
    is_machine = change.kind == Kind.STOPPED and change.person is None
    return Entry(change.at, title, change.person, change.why, ICONS[Kind(change.kind)], is_machine=is_machine)


def _titled(policy: Policy, what: str) -> str:
    return _("Policy %(no)s: %(what)s") % {"no": policy.no, "what": what}


def _sides(policies: Iterable[Policy], routed: dict[int, Volume]) -> list[dict[str, Any]]:
    return [{"policy": policy, "routed": routed[policy.pk]} for policy in policies]
