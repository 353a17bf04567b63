"""Taking tasks and leaving them undecided: claim, extend, release, skip, hold, escalate."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import locks, rights
from decisions.exceptions import CapReached, Conflict, Fault, Invalid, NotFound, PersonPaused, QueuePaused
from decisions.joins import Join
from decisions.models import Body, Event, Item, ModelVersion, Move, Policy, Task, User
from decisions.queues import live
from decisions.record import log
from decisions.rights import Act, Reach
from decisions.work import lease as leases
from decisions.work import onboarding, pick, why

HOLD = timedelta(hours=1)
LONGEST_HOLD = timedelta(hours=72)

LOCKS = """SELECT pg_advisory_xact_lock(%s, %s), (
    SELECT is_paused FROM decisions_grade WHERE queue_id = %s AND person_id = %s ORDER BY no DESC LIMIT 1)"""
MINE = """SELECT * FROM decisions_task
WHERE holder_id = %s AND state IN ('claimed', 'held') AND lease_until > clock_timestamp()
ORDER BY due_step, priority, id"""
SHOWN = Join(item=Item, body=Body, policy=Policy, model=ModelVersion)
SHOW = """
SELECT {columns} FROM decisions_item item
JOIN decisions_body body ON body.item_id = item.id
JOIN decisions_policy policy ON policy.id = item.policy_id
LEFT JOIN decisions_modelversion model ON model.id = item.model_id
WHERE item.id = ANY(%s)
"""


@transaction.atomic
def next_tasks(*, queue_id: int, person: User, count: int = 1) -> list[Task]:
    """Claim up to `count` of the tasks that wait for this person, the most urgent first; none when none waits.

    Refuses with CapReached when they hold as many on this queue as its spec allows, QueuePaused, PersonPaused and
    NotOnboarded. Gives fewer than `count` where the cap leaves room for fewer only. The tasks come with item, body and
    policy.
    """
    if count < 1:
        raise Invalid(faults=[Fault("count", "range", _("At least one."))])
    stands = standing(person, queue_id)
    queue = live.of_id(queue_id)
    if queue.is_paused:
        raise QueuePaused
    if _locks(person, queue_id):
        raise PersonPaused
    room = queue.spec.cap - len(_held(person, queue_id))
    if room <= 0:
        raise CapReached
    place = pick.Place(queue_id, queue.spec.lease, queue.spec.sla_step)
    reach, tasks = Reach.of(stands, person), list[Task]()
    if onboarding.is_due(queue_id, queue.spec, stands, person):
        onboarding.prepare(queue, stands, person)
        reach = reach.narrowed(Task.Purpose.GOLD)
    while len(tasks) < min(count, room) and (task := pick.claim(reach, place)):
        tasks.append(task)
    return _with_items(tasks)


def _locks(person: User, queue_id: int) -> bool:
    """Let two tabs of one person wait for each other, and return whether the person is paused on the queue.

    So the count of what they hold is true: a statement of its own, for its snapshot has to be newer than the lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCKS, [locks.PERSON, person.pk, queue_id, person.pk])
        return bool(cursor.fetchone()[1])


def standing(person: User, queue_id: int) -> rights.Standing:
    """Return where a person stands; refuses who may claim nothing at all: which tasks they may is Reach's to say."""
    stands = rights.standing(person, queue_id)
    if stands is None:
        raise NotFound
    if rights.limit(stands, Act.CLAIM) is None:
        rights.demand(stands, Act.CLAIM, queue_id=queue_id, case=rights.Case(purpose=Task.Purpose.SOFT))
    return stands


def _with_items(tasks: list[Task]) -> list[Task]:
    read = SHOWN.read(SHOW.format(columns=SHOWN.columns), [[task.item_id for task in tasks]]) if tasks else []
    found = {row["item"].pk: row for row in read}
    for task in tasks:
        row = found[task.item_id]
        task.item = row["item"]
        task.item.body, task.item.policy, task.item.model = row["body"], row["policy"], row["model"]
    return tasks


def held(person: User, queue_id: int) -> list[Task]:
    """Return the tasks that a person holds on a queue now, with their items, in the order of the queue."""
    return _with_items(_held(person, queue_id))


def _held(person: User, queue_id: int) -> list[Task]:
    """Return what a person holds on a queue, in its order.

    The queue is no condition of the query: with it the planner may read the index of all that is open on the queue.
    """
    mine = Task.objects.raw(MINE, [person.pk])
    return [task for task in mine if task.queue_id == queue_id]


@transaction.atomic
def extend(*, task_id: int, lease: int, person: User) -> Task:
    """Start the lease anew; a task on hold is resumed by it."""
    task = leases.lock(task_id=task_id, lease=lease, person=person)
    at = log.now()
    resumed = task.state == Task.State.HELD
    until = at + live.of(task.queue.slug).spec.lease
    leases.write(task, state=Task.State.CLAIMED, lease_until=until, **leases.resumed(task, at))
    leases.move(task, Move.Kind.RESUMED if resumed else Move.Kind.EXTENDED, person=person, at=at)
    return task


@transaction.atomic
def release(*, task_id: int, lease: int, person: User) -> Task:
    """Put the task back as it was."""
    task = leases.lock(task_id=task_id, lease=lease, person=person)
    at = log.now()
    leases.leave(task, Task.State.WAITING, **leases.resumed(task, at))
    leases.move(task, Move.Kind.RELEASED, person=person, at=at)
    return task


@transaction.atomic
def skip(*, task_id: int, lease: int, person: User, reason: str) -> Task:
    """Put the task back for somebody else; it does not come straight back. The reason is one of `why.Skip`.

    What was assigned to this person is everybody's then.
    """
    why.check(reason, why.Skip)
    task = leases.lock(task_id=task_id, lease=lease, person=person)
    at = log.now()
    freed = {"only_for": None, "only_until": None} if task.only_until else {}
    skips = min(task.skips + 1, 32_767)
    leases.leave(task, Task.State.WAITING, skips=skips, **freed, **leases.resumed(task, at))
    leases.move(task, Move.Kind.SKIPPED, person=person, at=at, reason=reason)
    return task


@transaction.atomic
def hold(*, task_id: int, lease: int, person: User, until: datetime | None = None, reason: str = "") -> Task:
    """Keep the task without working on it: for an hour, or until a time at most 72 hours ahead.

    It counts for the cap, is resumed by `extend` or decided as it is, and goes back to the queue when the time is over.
    While it waits for information its deadline stands still; with any other reason it runs on.
    """
    reason = why.check(reason, why.Hold) if reason else ""
    task = leases.lock(task_id=task_id, lease=lease, person=person)
    rights.require(person, Act.HOLD, queue_id=task.queue_id, case=rights.case_of(task, person), item_id=task.item_id)
    at = log.now()
    until = until or at + HOLD
    if not at < until <= at + LONGEST_HOLD:
        raise Invalid(faults=[Fault("until", "range", _("Between now and 72 hours ahead."))])
    task.due_at = leases.resumed(task, at).get("due_at", task.due_at)
    deadline = leases.put_off(task, until, at) if reason == why.Hold.INFORMATION else {}
    leases.write(task, state=Task.State.HELD, lease_until=until, **{"due_at": task.due_at, **deadline})
    leases.move(task, Move.Kind.HELD, person=person, at=at, reason=reason)
    return task


@transaction.atomic
def escalate(*, task_id: int, lease: int, person: User, reason: str) -> Task:
    """Close the task and open one for an expert or a lead in its place; returns the new one.

    The reason is one of `why.Escalate`. An expert passes an escalation on to the leads.
    """
    why.check(reason, why.Escalate)
    task = leases.lock(task_id=task_id, lease=lease, person=person)
    rights.require(
        person, Act.ESCALATE, queue_id=task.queue_id, case=rights.case_of(task, person), item_id=task.item_id
    )
    if task.purpose == Task.Purpose.APPEAL:
        raise Conflict(_("An appeal ends with who judges it. Release it, and somebody else takes it."))
    others = Task.objects.open().filter(item=task.item_id, purpose=Task.Purpose.ESCALATION).exclude(pk=task.pk)
    if others.exists():
        raise Conflict(_("This item is escalated already."))
    at = log.now()
    leases.leave(task, Task.State.ESCALATED, **leases.resumed(task, at))
    leases.move(task, Move.Kind.ESCALATED, person=person, at=at, reason=reason)
    escalation = leases.open_escalation(task, live.of(task.queue.slug).spec, at)
    entry = {"task": task.pk, "escalation": escalation.pk, "round": task.round, "rank": escalation.rank}
    log.append(
        Event.Kind.ITEM_ESCALATED,
        chain=task.queue_id,
        actor=person,
        at=at,
        item=task.item,
        reason=reason,
        entry=entry,
    )
    return escalation
