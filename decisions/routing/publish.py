"""The life of a policy: drafted, live, retired and back. Its thresholds never change; a queue has one live policy."""

from datetime import datetime
from typing import Any, TypedDict

from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import locks, people, rights
from decisions.exceptions import Conflict, Fault, Invalid
from decisions.models import Event, ModelVersion, Policy, PolicyChange, Queue, User
from decisions.queues import checks
from decisions.record import log
from decisions.rights import Act

TERMS = (
    *("model_id", "hard", "soft", "suggest", "control_share", "audit_budget", "precision_target"),
    *("calibration", "mean_p"),
)

# From which states each step leads to a live policy, and what the record calls it.
STEPS = {
    PolicyChange.Kind.PUBLISHED: ((Policy.State.DRAFT, Policy.State.APPROVED), Event.Kind.POLICY_PUBLISHED),
    PolicyChange.Kind.ROLLED_BACK: ((Policy.State.RETIRED,), Event.Kind.POLICY_ROLLED_BACK),
}


class Changes(TypedDict, total=False):
    """What a draft has that the live policy has not; cuts are in score units."""

    model: ModelVersion | None
    hard: float | None
    soft: float | None
    suggest: float
    control_share: float
    audit_budget: int
    precision_target: float | None
    calibration: dict[str, Any]
    mean_p: float


def lock(queue_id: int) -> None:
    """Let nobody else change this queue's policies or version until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.POLICIES, queue_id])


@transaction.atomic
def draft(*, queue: Queue, changes: Changes, by: User | None, why: str, objective: str = "", at: datetime) -> Policy:
    """Store a policy that differs from the live one by `changes`, and does not route yet.

    A new model comes without the old one's calibration. `by` None is whoever holds the server's shell. Refuses cuts out
    of the model's range or order.
    """
    if by is not None:
        rights.require(by, Act.DRAFT_POLICY, queue_id=queue.pk)
    lock(queue.pk)
    live = Policy.objects.live().select_related("model").filter(queue=queue).first()
    policy = _write(queue, live, changes, by=by, why=why, objective=objective, at=at)
    entry = {"policy": policy.pk, "before": described(live), "after": described(policy)}
    log.append(Event.Kind.POLICY_DRAFTED, chain=queue.pk, actor=by, at=at, entry=entry, rows=(policy,))
    return policy


@transaction.atomic
def first(*, queue: Queue, changes: Changes, by: User | None, why: str, objective: str, at: datetime) -> Policy:
    """Store a new queue's first policy, live at once. Who may apply the queue's file may do this."""
    if by is not None:
        rights.require(by, Act.APPLY_QUEUE, queue_id=queue.pk)
    lock(queue.pk)
    if Policy.objects.filter(queue=queue).exists():
        raise Conflict(_("This queue has a policy already."))
    policy = _write(queue, None, changes, by=by, why=why, objective=objective, at=at)
    _go_live(policy, kind=PolicyChange.Kind.PUBLISHED, by=by, why=why, at=at)
    return policy


@transaction.atomic
def publish(*, policy: Policy, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Make a draft the policy that routes from now on. Refuses one that is no draft, and a queue without an owner."""
    if by is not None:
        rights.require(by, Act.PUBLISH_POLICY, queue_id=policy.queue_id)
    lock(policy.queue_id)
    return _go_live(policy, kind=PolicyChange.Kind.PUBLISHED, by=by, why=why, at=at)


@transaction.atomic
def roll_back(*, queue: Queue, by: User | None, why: str, at: datetime, to: Policy | None = None) -> PolicyChange:
    """Make the policy that was live before (or the retired one named) the live one again."""
    if by is not None:
        rights.require(by, Act.ROLL_BACK_POLICY, queue_id=queue.pk)
    lock(queue.pk)
    earlier = to or previous(queue)
    if earlier is None or earlier.queue_id != queue.pk:
        raise Conflict(_("There is no earlier policy to go back to."))
    return _go_live(earlier, kind=PolicyChange.Kind.ROLLED_BACK, by=by, why=why, at=at)


def previous(queue: Queue) -> Policy | None:
    """Return the policy that the live one replaced."""
    retired = Policy.objects.filter(queue=queue, state=Policy.State.RETIRED)
    return retired.order_by("-retired_at", "-id").first()


def next_no(queue: Queue) -> int:
    """Return the number of the next policy; only under the lock."""
    last = Policy.objects.filter(queue=queue).order_by("-no").values_list("no", flat=True).first()
    return (last or 0) + 1


def described(policy: Policy | None) -> dict[str, Any] | None:
    """Return what a policy does to scores, for the record."""
    return None if policy is None else {"no": policy.no, **{name: getattr(policy, name) for name in TERMS}}


def _write(
    queue: Queue, live: Policy | None, changes: Changes, *, by: User | None, why: str, objective: str, at: datetime
) -> Policy:
    """Store a draft: the live policy's terms with the changes; refuses what is unfit."""
    terms: dict[str, Any] = {} if live is None else {name: getattr(live, name) for name in ("model", *TERMS[1:])}
    if "model" in changes and (live is None or changes["model"] != live.model):
        terms |= {"calibration": {}, "mean_p": 0.0}
    policy = Policy(
        **{**terms, **changes},
        queue=queue,
        no=next_no(queue),
        objective=objective or (live.objective if live else ""),
        why=why,
        author=by,
        created_at=at,
    )
    _check(policy)
    policy.save(force_insert=True)
    return policy


def _go_live(policy: Policy, *, kind: PolicyChange.Kind, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Retire the live policy, make this one live and note it; refuses a state from which that is no step."""
    if not why.strip():
        raise Invalid(faults=[Fault("why", "blank", _("must not be empty"))])
    _require_owner(policy.queue)
    states, told = STEPS[kind]
    live = Policy.objects.live().filter(queue=policy.queue_id).first()
    Policy.objects.live().filter(queue=policy.queue_id).update(state=Policy.State.RETIRED, retired_at=at)
    fresh = Policy.objects.filter(pk=policy.pk, state__in=states)
    if not fresh.update(state=Policy.State.LIVE, live_at=at, retired_at=None):
        raise Conflict(_("This policy is not in a state from which it can go live. Reload to see what happened to it."))
    policy.refresh_from_db()
    change = PolicyChange.objects.create(
        queue_id=policy.queue_id, policy=policy, replaced=live, kind=kind, person=by, why=why, at=at
    )
    entry = {"policy": policy.pk, "before": described(live), "after": described(policy)}
    log.append(told, chain=policy.queue_id, actor=by, at=at, entry=entry, rows=(change, policy))
    return change


def _check(policy: Policy) -> None:
    """Refuse cuts outside the model's range or out of order, and a policy that does not say what it is for."""
    low, high = (policy.model.score_low, policy.model.score_high) if policy.model else (0.0, 1.0)
    faults = list(checks.cuts({"soft": policy.soft, "suggest": policy.suggest, "hard": policy.hard}, low, high))
    if not 0 <= policy.control_share <= 1:
        faults.append(Fault("control_share", "range", _("must be from 0 to 1")))
    faults += checks.aims(policy.audit_budget, policy.precision_target)
    faults += [
        Fault(name, "blank", _("must not be empty"))
        for name in ("objective", "why")
        if not str(getattr(policy, name)).strip()
    ]
    if policy.model and policy.model.queue_id != policy.queue_id:
        faults.append(Fault("model", "reference", _("belongs to another queue")))
    if faults:
        raise Invalid(faults=faults)


def _require_owner(queue: Queue) -> None:
    """Refuse to let a policy go live for which nobody is accountable: the owner must not have left."""
    owner = queue.spec.owner
    if not owner or people.has_left(owner):
        raise Conflict(_("This queue has no owner, so no policy can go live. Name one in its file first."))
