"""Tasks go to another person, or back to all: assigned, handed on, given back, balanced; previewed first, and undone.

What is handed over is kept for the person until a time, then it is everybody's again. Each act leaves one event, each
task one move. Undone within its window, what nobody has touched since goes back to where it was.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound, TooLate
from decisions.models import Event, Handover, Move, Queue, Task, User
from decisions.queues import live
from decisions.record import digest, log
from decisions.rights import Act, Reach
from decisions.work import lease as leases
from decisions.work import shifts, spread, team, why
from decisions.work.spread import Load
from decisions.work.team import Member

KEPT = timedelta(hours=4)  # so long an assigned task is kept where nobody says otherwise
LONGEST = timedelta(hours=72)
WINDOW = timedelta(minutes=10)  # so long a hand-over can be undone
MOST = 500  # tasks in one act
CHANGED = ("state", "holder", "lease", "lease_until", "only_for", "only_until")

Kind = Handover.Kind


@dataclass(frozen=True)
class Step:
    """A task that changes hands: who has it now (`holder`) or for whom it is kept, and whom it goes to (None = all)."""

    task: int
    lease: int
    external_id: str
    holder: int | None
    kept: int | None
    to: int | None

    @property
    def source(self) -> int | None:
        """Whose it is now, None = everybody's."""
        return self.holder or self.kept


@dataclass(frozen=True)
class Plan:
    """What an act would do; `digest` tells whether what was looked at is what will be done."""

    kind: str
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        said = digest.canonical([self.kind, [asdict(step) for step in self.steps]])
        return hashlib.sha256(said).hexdigest()[:32]


def release_plan(queue: Queue, *, by: User, person: User) -> Plan:
    """Return what a person would give back: all that they hold on the queue or that is kept for them."""
    _require(by, queue.pk)
    return Plan(Kind.RELEASE, _steps(team.had_by(queue.pk, [person.pk]), {}))


def move_plan(queue: Queue, *, by: User, person: User, at: datetime) -> Plan:
    """Return how all that a person has would be spread over the others at work; what none can take goes to all."""
    _require(by, queue.pk)
    had = team.had_by(queue.pk, [person.pk])[:MOST]
    others = [member for member in team.of(queue, at) if member.is_at_work and member.user != person]
    able = _able(queue, had, [member.user for member in others])
    return Plan(Kind.MOVE, _steps(had, spread.spread([task.pk for task in had], able, _loads(queue, others))))


def balance_plan(queue: Queue, *, by: User, at: datetime) -> Plan:
    """Return how what is assigned on the queue and not begun would be levelled over those at work."""
    _require(by, queue.pk)
    members = team.of(queue, at)
    kept = sorted((task for member in members for task in member.kept), key=lambda task: (task.due_at, task.pk))[:MOST]
    working = [member for member in members if member.is_at_work]
    able = _able(queue, kept, [member.user for member in working])
    owners = {task.pk: task.only_for_id or 0 for task in kept}
    to = spread.levelled(owners, [task.pk for task in kept], able, _loads(queue, working))
    moving = [task for task in kept if to[task.pk] != task.only_for_id]
    return Plan(Kind.BALANCE, _steps(moving, to))


def plan(kind: str, *, queue: Queue, by: User, at: datetime, person: User | None = None) -> Plan:
    """Return what an act of this kind would do; `person` is whose work is given back or handed on."""
    if kind == Kind.BALANCE:
        return balance_plan(queue, by=by, at=at)
    if kind not in (Kind.RELEASE, Kind.MOVE):
        detail = _("Choose from: %s") % ", ".join((Kind.RELEASE, Kind.MOVE, Kind.BALANCE))
        raise Invalid(faults=[Fault("kind", "choice", detail)])
    if person is None:
        raise Invalid(faults=[Fault("person", "required", _("Say whose work it is."))])
    return (
        release_plan(queue, by=by, person=person)
        if kind == Kind.RELEASE
        else move_plan(queue, by=by, person=person, at=at)
    )


@transaction.atomic
def assign(*, task_id: int, to: int, by: User, reason: str, until: datetime | None = None) -> Task:
    """Keep a task for a person (their id) until a time (four hours if not said, 72 at most), whoever has it now.

    Refuses what is not in the person's reach, without saying why; who has as many as the queue's cap; a task that is
    closed, or for one person alone.
    """
    why.check(reason, why.Handover)
    task = _locked([task_id]).get(task_id)
    if task is None:
        raise NotFound
    _require(by, task.queue_id)
    if task.state not in Task.OPEN:
        raise Conflict(_("This task is closed: %(state)s.") % {"state": Task.State(task.state).label})
    if task.only_for_id and task.only_until is None:
        raise Conflict(_("This task is for one person alone."))
    at = log.now()
    until = until or at + KEPT
    if not at < until <= at + LONGEST:
        raise Invalid(faults=[Fault("until", "range", _("Between now and 72 hours ahead."))])
    _require_fit(task, User.objects.filter(pk=to, is_active=True).first())
    step = Step(task.pk, task.lease, task.item.external_id, task.holder_id, task.only_for_id, to)
    _carry_out(Plan(Kind.ASSIGN, (step,)), {task.pk: task}, by=by, reason=reason, until=until, at=at)
    task.refresh_from_db()
    return task


@transaction.atomic
def give_back(*, task_id: int, by: User, reason: str) -> Task:
    """Take a task from whoever has it, or for whom it is kept, and let it wait for all."""
    why.check(reason, why.Handover)
    task = _locked([task_id]).get(task_id)
    if task is None:
        raise NotFound
    _require(by, task.queue_id)
    if task.state not in Task.OPEN or (task.only_for_id and task.only_until is None):
        raise Conflict(_("There is nothing to give back."))
    if task.holder_id is None and task.only_for_id is None:
        raise Conflict(_("It waits for everybody already."))
    at = log.now()
    step = Step(task.pk, task.lease, task.item.external_id, task.holder_id, task.only_for_id, None)
    _carry_out(Plan(Kind.RELEASE, (step,)), {task.pk: task}, by=by, reason=reason, until=at, at=at)
    task.refresh_from_db()
    return task


@transaction.atomic
def carry_out(plan: Plan, *, queue: Queue, by: User, reason: str, seen: str) -> Handover:
    """Do what was previewed (`seen` is that plan's digest). Refuses when anything has changed since."""
    why.check(reason, why.Handover)
    _require(by, queue.pk)
    if plan.digest != seen:
        raise Conflict(_("This has changed meanwhile. Look at it again."))
    if not plan.steps:
        raise Conflict(_("There is nothing to hand over."))
    tasks = _locked([step.task for step in plan.steps])
    if any(not _is_same(tasks.get(step.task), step) for step in plan.steps):
        raise Conflict(_("This has changed meanwhile. Look at it again."))
    at = log.now()
    return _carry_out(plan, tasks, by=by, reason=reason, until=at + KEPT, at=at)


@transaction.atomic
def undo(*, handover_id: int, by: User) -> tuple[Handover, int]:
    """Put back what was handed over, as far as nobody has touched it since; returns how many tasks that were.

    What somebody held is kept for them again, for their lease is over. Refuses after ten minutes, and a second time.
    """
    handover = Handover.objects.select_for_update().filter(pk=handover_id).first()
    if handover is None:
        raise NotFound
    _require(by, handover.queue_id)
    at = log.now()
    if handover.undone_at is not None:
        raise Conflict(_("This has already been undone."))
    if at > handover.at + WINDOW:
        raise TooLate
    tasks = _locked([step["task"] for step in handover.steps])
    untouched = [(tasks[step["task"]], step) for step in handover.steps if _is_untouched(tasks.get(step["task"]), step)]
    for task, step in untouched:
        _put_back(task, step, at)
    handover.undone_at = at
    handover.save(update_fields=["undone_at"])
    log.append(
        Event.Kind.HANDOVER_UNDONE,
        chain=handover.queue_id,
        actor=by,
        at=at,
        entry={"handover": handover.pk, "tasks": [task.pk for task, _step in untouched]},
    )
    return handover, len(untouched)


def undoable(queue_id: int, at: datetime) -> list[Handover]:
    """Return the hand-overs of a queue that can still be undone, newest first."""
    recent = Handover.objects.filter(queue=queue_id, at__gt=at - WINDOW, undone_at=None)
    return list(recent.select_related("by").order_by("-at"))


def kept_for(person: User, queue_id: int) -> list[Task]:
    """Return what was assigned to a person on a queue and waits for them, the most urgent first."""
    kept = Task.objects.waiting().filter(only_for=person, queue=queue_id, only_until__isnull=False)
    return list(kept.select_related("item").order_by("due_step", "priority", "pk"))


def _require(by: User, queue_id: int) -> None:
    rights.require(by, Act.ASSIGN, queue_id=queue_id)


def _require_fit(task: Task, to: User | None) -> None:
    """Refuse whom the task cannot be given; what keeps it from them may be theirs alone to know."""
    detail = _("This task cannot be given to them.")
    stands = rights.standing(to, task.queue_id) if to else None
    if to is None or stands is None or not _in_reach(stands, to, [task.pk]):
        raise Invalid(detail, faults=[Fault("person", "reach", detail)])
    if shifts.is_away(to, log.now()):
        raise Conflict(_("They are away."))
    if _room(task, to) <= 0:
        raise Conflict(_("They have as many as they may have."))


def _room(task: Task, to: User) -> int:
    had = [one for one in team.had_by(task.queue_id, [to.pk]) if one.pk != task.pk]
    return live.of(task.queue.slug).spec.cap - len(had)


def _in_reach(stands: rights.Standing, person: User, ids: Iterable[int]) -> frozenset[int]:
    could = Reach.of(stands, person).whoever_has_it
    return frozenset(Task.objects.filter(could, pk__in=list(ids)).values_list("pk", flat=True))


def _able(queue: Queue, tasks: Sequence[Task], persons: Sequence[User]) -> dict[int, frozenset[int]]:
    """Return which of these tasks each person could be given."""
    ids = [task.pk for task in tasks]
    found = {}
    for person in persons:
        stands = rights.standing(person, queue.pk)
        found[person.pk] = _in_reach(stands, person, ids) if stands else frozenset()
    return found


def _loads(queue: Queue, members: Sequence[Member]) -> dict[int, Load]:
    return {member.user.pk: Load(member.load, queue.spec.cap) for member in members}


def _steps(tasks: Sequence[Task], to: Mapping[int, int | None]) -> tuple[Step, ...]:
    return tuple(
        Step(task.pk, task.lease, task.item.external_id, task.holder_id, task.only_for_id, to.get(task.pk))
        for task in tasks[:MOST]
    )


def _locked(ids: Iterable[int]) -> dict[int, Task]:
    """Lock tasks in one order; return them by id."""
    tasks = Task.objects.select_for_update(of=("self",)).select_related("item", "queue")
    return {task.pk: task for task in tasks.filter(pk__in=list(ids)).order_by("pk")}


def _is_same(task: Task | None, step: Step) -> bool:
    return (
        task is not None
        and task.state in Task.OPEN
        and (task.lease, task.holder_id, task.only_for_id) == (step.lease, step.holder, step.kept)
    )


def _carry_out(
    plan: Plan, tasks: Mapping[int, Task], *, by: User, reason: str, until: datetime, at: datetime
) -> Handover:
    done = [_hand(tasks[step.task], step, reason=reason, until=until, at=at) for step in plan.steps]
    queue_id = tasks[plan.steps[0].task].queue_id
    handover = Handover.objects.create(queue_id=queue_id, by=by, kind=plan.kind, reason=reason, steps=done, at=at)
    moved = [{"task": step.task, "from": step.source, "to": step.to} for step in plan.steps]
    entry = {"handover": handover.pk, "kind": str(plan.kind), "until": digest.moment(until), "tasks": moved}
    log.append(Event.Kind.TASKS_HANDED_OVER, chain=queue_id, actor=by, at=at, reason=reason, entry=entry)
    return handover


def _hand(task: Task, step: Step, *, reason: str, until: datetime, at: datetime) -> dict[str, Any]:
    """Give one locked task to a person, or to all; return what undoing it needs. Its lease grows: who had it is out."""
    before = task.only_until
    due = leases.resumed(task, at)
    _keep(task, step.to, until if step.to else None, **due)
    kind = Move.Kind.ASSIGNED if step.to else Move.Kind.RETURNED
    leases.move(task, kind, person=task.only_for or _person(step.source), at=at, reason=reason)
    return {
        "task": task.pk,
        "holder": step.holder,
        "kept": step.kept,
        "until": digest.moment(before) if before else None,
        "to": step.to,
        "after": task.lease,
    }


def _keep(task: Task, person: int | None, until: datetime | None, **changes: Any) -> None:
    task.state, task.holder, task.lease_until = Task.State.WAITING, None, None
    task.lease += 1
    task.only_for, task.only_until = _person(person), until
    for name, value in changes.items():
        setattr(task, name, value)
    task.save(update_fields=[*CHANGED, *changes])


def _person(pk: int | None) -> User | None:
    return User.objects.filter(pk=pk).first() if pk else None


def _is_untouched(task: Task | None, step: Mapping[str, Any]) -> bool:
    return task is not None and task.state == Task.State.WAITING and task.lease == step["after"]


def _put_back(task: Task, step: Mapping[str, Any], at: datetime) -> None:
    """Keep a task for who had it, as long as it was kept or for as long as an undo is open; else leave it to all."""
    had = _person(step["holder"] or step["kept"])
    until = datetime.fromisoformat(step["until"]) if step["until"] and not step["holder"] else at + WINDOW
    to = had.pk if had and had.is_active and until > at else None
    _keep(task, to, until if to else None)
    kind = Move.Kind.ASSIGNED if to else Move.Kind.RETURNED
    leases.move(task, kind, person=had, at=at, reason="undo")
