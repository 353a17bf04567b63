"""The life of a policy and the model it pins: draft, approved, canary, live, retired and back, one step at a time.

A policy's terms never change; a queue has one live policy and at most one canary.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import locks, people, rights
from decisions.exceptions import Conflict, Fault, Forbidden, Invalid, NotFound
from decisions.learning import registry
from decisions.models import Event, Policy, PolicyChange, Queue, User
from decisions.record import log
from decisions.rights import Act
from decisions.routing import known, terms
from decisions.routing.terms import Changes

State = Policy.State
Kind = PolicyChange.Kind

FACTOR = 2.0  # how far a canary's share of HARD may be from the live policy's where nobody says otherwise


@dataclass(frozen=True)
class Step:
    """One step: the right it needs, the states it leads from and the one it leads to, and what the record calls it."""

    act: Act
    sources: tuple[State, ...]
    to: State
    told: Event.Kind


STEPS = {
    Kind.APPROVED: Step(Act.APPROVE_POLICY, (State.DRAFT,), State.APPROVED, Event.Kind.POLICY_APPROVED),
    Kind.WITHDRAWN: Step(
        Act.DRAFT_POLICY, (State.DRAFT, State.APPROVED, State.CANARY), State.RETIRED, Event.Kind.POLICY_WITHDRAWN
    ),
    Kind.CANARY: Step(Act.PUBLISH_POLICY, (State.APPROVED,), State.CANARY, Event.Kind.POLICY_CANARY),
    Kind.STOPPED: Step(Act.ROLL_BACK_POLICY, (State.CANARY,), State.APPROVED, Event.Kind.POLICY_STOPPED),
    Kind.PUBLISHED: Step(Act.PUBLISH_POLICY, (State.APPROVED, State.CANARY), State.LIVE, Event.Kind.POLICY_PUBLISHED),
    Kind.ROLLED_BACK: Step(Act.ROLL_BACK_POLICY, (State.RETIRED,), State.LIVE, Event.Kind.POLICY_ROLLED_BACK),
}


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
    entry = {"policy": policy.pk, "before": terms.described(live), "after": terms.described(policy)}
    log.append(Event.Kind.POLICY_DRAFTED, chain=queue.pk, actor=by, at=at, entry=entry, rows=(policy,))
    known.check_draft(policy, at, by=by)
    return policy


@transaction.atomic
def first(*, queue: Queue, changes: Changes, by: User | None, why: str, objective: str, at: datetime) -> Policy:
    """Store a new queue's first policy, live at once. Who may apply the queue's file may do this."""
    if by is not None:
        rights.require(by, Act.APPLY_QUEUE, queue_id=queue.pk)
    lock(queue.pk)
    if Policy.objects.filter(queue=queue).exists():
        raise Conflict(_("This queue has a policy already."))
    _require_owner(queue)
    policy = _write(queue, None, changes, by=by, why=why, objective=objective, at=at)
    _move(policy, (State.DRAFT,), state=State.LIVE, live_at=at)
    _note(Kind.PUBLISHED, policy, by=by, why=why, at=at, entry=_exchange(None, policy))
    return policy


@transaction.atomic
def approve(*, policy: Policy, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Let a draft be tried and go live. Refuses its author, unless the queue's spec needs no second person."""
    _begin(Kind.APPROVED, policy, by, why)
    if by is not None and by.pk == policy.author_id and policy.queue.spec.four_eyes:
        words = {"right": Act.APPROVE_POLICY.value}
        detail = _("You drafted this policy. A second person who has the right “%(right)s” must approve it.") % words
        raise Forbidden(detail, right=Act.APPROVE_POLICY.value, queue_id=policy.queue_id)
    _require_model(policy)
    known.require(policy, at)
    _move(policy, STEPS[Kind.APPROVED].sources, state=State.APPROVED)
    return _note(Kind.APPROVED, policy, by=by, why=why, at=at)


@transaction.atomic
def withdraw(*, policy: Policy, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Give up a policy that was never live."""
    _begin(Kind.WITHDRAWN, policy, by, why)
    _move(policy, STEPS[Kind.WITHDRAWN].sources, **_untried(State.RETIRED), retired_at=at)
    return _note(Kind.WITHDRAWN, policy, by=by, why=why, at=at)


@transaction.atomic
def canary(
    *, policy: Policy, share: float, by: User | None, why: str, at: datetime, factor: float = FACTOR
) -> PolicyChange:
    """Let an approved policy route a share of the traffic, in (0, 1), beside the live one.

    The machine stops it when its share of HARD is more than `factor` (> 1) times the live policy's, or less than that
    part of it. Refuses a queue without an owner, without a live policy, or with a canary.
    """
    _begin(Kind.CANARY, policy, by, why)
    _check_trial(share, factor)
    _require_owner(policy.queue)
    _require_no_canary(policy.queue)
    live = Policy.objects.live().filter(queue=policy.queue_id).first()
    if live is None:
        raise Conflict(_("No policy is live, so there is nothing to compare a canary with."))
    _require_model(policy)
    known.require(policy, at)
    _move(policy, STEPS[Kind.CANARY].sources, state=State.CANARY, canary_share=share, canary_factor=factor)
    return _note(Kind.CANARY, policy, by=by, why=why, at=at, entry={"live": live.pk, "share": share, "factor": factor})


@transaction.atomic
def stop(*, policy: Policy, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Let the live policy route everything again; the canary stays approved. `by` None is its guard, or the shell."""
    _begin(Kind.STOPPED, policy, by, why)
    return _stop(policy, by=by, why=why, at=at)


@transaction.atomic
def publish(*, policy: Policy, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Make an approved policy, or the canary, the one that routes from now on.

    Refuses a draft, a queue without an owner, and any other policy while a canary runs: what is compared would change
    under its guard.
    """
    _begin(Kind.PUBLISHED, policy, by, why)
    if policy.state != State.CANARY:
        _require_no_canary(policy.queue)
    _require_model(policy)
    known.require(policy, at)
    return _go_live(Kind.PUBLISHED, policy, by=by, why=why, at=at)


@transaction.atomic
def roll_back(*, queue: Queue, by: User | None, why: str, at: datetime, to: Policy | None = None) -> PolicyChange:
    """Make the policy that the live one replaced (or the one named) live again; a canary that runs is stopped.

    Refuses one that was never live.
    """
    if by is not None:
        rights.require(by, Act.ROLL_BACK_POLICY, queue_id=queue.pk)
    lock(queue.pk)
    earlier = to or previous(queue)
    if earlier is None or earlier.queue_id != queue.pk or earlier.live_at is None:
        raise Conflict(_("There is no earlier policy to go back to."))
    _require_why(why)
    running = Policy.objects.canary().filter(queue=queue).first()
    if running is not None:
        _stop(running, by=by, why=why, at=at)
    return _go_live(Kind.ROLLED_BACK, earlier, by=by, why=why, at=at)


def previous(queue: Queue) -> Policy | None:
    """Return the policy that the live one replaced when it was published.

    Going back twice goes back further, and not to the policy from which one fled.
    """
    changes = PolicyChange.objects.filter(policy__queue=queue, policy__state=State.LIVE, kind=Kind.PUBLISHED)
    last = changes.select_related("replaced").order_by("-pk").first()
    return last.replaced if last else None


def numbered(queue: Queue, no: int, seen: str = "") -> Policy:
    """Return a queue's policy by its number; refuses one that is not in the state in which the person saw it."""
    found = Policy.objects.select_related("model", "queue__version").filter(queue=queue, no=no).first()
    if found is None:
        raise NotFound
    if seen and found.state != seen:
        raise Conflict(_moved())
    return found


def next_no(queue: Queue) -> int:
    """Return the number of the next policy; only under the lock."""
    last = Policy.objects.filter(queue=queue).order_by("-no").values_list("no", flat=True).first()
    return (last or 0) + 1


def _write(
    queue: Queue, live: Policy | None, changes: Changes, *, by: User | None, why: str, objective: str, at: datetime
) -> Policy:
    """Store a draft: the live policy's terms with the changes; refuses what is unfit."""
    policy = Policy(
        **terms.copied(live, changes),
        queue=queue,
        no=next_no(queue),
        objective=objective or (live.objective if live else ""),
        why=why,
        author=by,
        created_at=at,
    )
    terms.check(policy)
    policy.save(force_insert=True)
    return policy


def _begin(kind: Kind, policy: Policy, by: User | None, why: str) -> None:
    """Refuse who lacks the right and who does not say why; then the queue's policies are this transaction's."""
    if by is not None:
        rights.require(by, STEPS[kind].act, queue_id=policy.queue_id)
    _require_why(why)
    lock(policy.queue_id)


def _move(policy: Policy, sources: tuple[State, ...], **columns: Any) -> None:
    """Change a policy's state; refuses when that is no step from here, or when it moved since it was read."""
    fresh = Policy.objects.filter(pk=policy.pk, state=policy.state)
    if policy.state not in sources or not fresh.update(**columns):
        raise Conflict(_moved())
    policy.refresh_from_db(fields=columns)


def _go_live(kind: Kind, policy: Policy, *, by: User | None, why: str, at: datetime) -> PolicyChange:
    """Retire the live policy and make this one live."""
    _require_owner(policy.queue)
    live = Policy.objects.live().filter(queue=policy.queue_id).first()
    if live is not None and live.pk != policy.pk:
        _move(live, (State.LIVE,), state=State.RETIRED, retired_at=at)
    _move(policy, STEPS[kind].sources, **_untried(State.LIVE), live_at=at, retired_at=None)
    return _note(kind, policy, by=by, why=why, at=at, replaced=live, entry=_exchange(live, policy))


def _stop(policy: Policy, *, by: User | None, why: str, at: datetime) -> PolicyChange:
    _move(policy, STEPS[Kind.STOPPED].sources, **_untried(State.APPROVED))
    return _note(Kind.STOPPED, policy, by=by, why=why, at=at)


def _note(
    kind: Kind,
    policy: Policy,
    *,
    by: User | None,
    why: str,
    at: datetime,
    replaced: Policy | None = None,
    entry: dict[str, Any] | None = None,
) -> PolicyChange:
    """Store the step and its event."""
    change = PolicyChange.objects.create(
        queue_id=policy.queue_id, policy=policy, replaced=replaced, kind=kind, person=by, why=why, at=at
    )
    told = {"policy": policy.pk, "no": policy.no, **(entry or {})}
    log.append(STEPS[kind].told, chain=policy.queue_id, actor=by, at=at, entry=told, rows=(change, policy))
    return change


def _untried(state: State) -> dict[str, Any]:
    return {"state": state, "canary_share": 0.0, "canary_factor": 0.0}


def _exchange(before: Policy | None, after: Policy) -> dict[str, Any]:
    return {"before": terms.described(before), "after": terms.described(after)}


def _moved() -> str:
    return _("The policy is not in a state for this. Reload to see what happened to it.")


def _check_trial(share: float, factor: float) -> None:
    """Refuse a canary that would route nothing or everything, or whose guard would allow no difference."""
    faults = []
    if not 0 < share < 1:
        faults.append(Fault("share", "range", _("must be above 0 and below 1")))
    if not factor > 1:
        faults.append(Fault("factor", "range", _("must be above 1")))
    if faults:
        raise Invalid(faults=faults)


def _require_why(why: str) -> None:
    if faults := terms.blank("why", why):
        raise Invalid(faults=faults)


def _require_model(policy: Policy) -> None:
    """Refuse to let a policy route whose model could not score."""
    if policy.model is not None:
        registry.demand(policy.model)


def _require_no_canary(queue: Queue) -> None:
    if running := Policy.objects.canary().filter(queue=queue).first():
        raise Conflict(_("Policy %(no)d is running as a canary. Stop it or publish it first.") % {"no": running.no})


def _require_owner(queue: Queue) -> None:
    """Refuse to let a policy route for which nobody is accountable: the owner must not have left."""
    owner = queue.spec.owner
    if not owner or people.has_left(owner):
        raise Conflict(_("This queue has no owner, so no policy can go live. Name one in its file first."))
