"""Gold items: what they are known to be, and giving them out unseen to see how often people err.

A person's answer is now and then followed by a gold item of the queue that they have not seen: by lot, with the chance
logged. It takes the place in the queue that the answered task had, so nothing tells it from the others, and it is for
that person alone. The answer changes nothing that holds.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.intake import tables
from decisions.measure import sla
from decisions.models import Body, Decision, Event, Gold, Item, Lot, Move, Ruling, Task, User
from decisions.queues import live
from decisions.queues.spec import Outcome, Spec, Truth
from decisions.record import log
from decisions.rights import Act, Standing
from decisions.routing.sampling import Purpose
from decisions.work import grading, why
from decisions.work import lease as leases

FOLLOWED = (Task.Purpose.SOFT, Task.Purpose.CONTROL, Task.Purpose.AUDIT, Task.Purpose.SECOND)

# A move tells of every task that somebody claimed, whatever became of it; a ruling and a mark are made without one.
# Scalar subqueries, for an EXISTS may be planned as a join with all that the person ever did.
UNSEEN = """
    SELECT i.id, i.value, i.source,
        coalesce((SELECT t.needs FROM decisions_task t WHERE t.item_id = i.id ORDER BY t.id DESC LIMIT 1), '')
    FROM (
        SELECT DISTINCT ON (item_id) item_id, outcome FROM decisions_gold WHERE queue_id = %(queue)s
        ORDER BY item_id, no DESC
    ) g JOIN decisions_item i ON i.id = g.item_id JOIN decisions_body b ON b.item_id = i.id
    WHERE g.outcome <> '' AND b.content IS NOT NULL
    AND (%(limit)s::float8 IS NULL OR coalesce(i.value <= %(limit)s, false))
    AND (NOT %(is_simulated)s OR i.source = %(demo)s)
    AND NOT ARRAY['subject:' || i.subject, 'item:' || i.external_id] && %(excluded)s::text[]
    AND coalesce(
        (SELECT true FROM decisions_task t JOIN decisions_move m ON m.task_id = t.id
         WHERE t.item_id = i.id AND m.person_id = %(person)s LIMIT 1),
        (SELECT true FROM decisions_ruling r WHERE r.item_id = i.id AND r.person_id = %(person)s LIMIT 1),
        (SELECT true FROM decisions_gold o WHERE o.item_id = i.id AND o.person_id = %(person)s LIMIT 1)
    ) IS NULL
    AND coalesce((SELECT t.needs FROM decisions_task t WHERE t.item_id = i.id ORDER BY t.id DESC LIMIT 1), '')
        IN ('', %(needs)s)
    ORDER BY i.id
"""


Unseen = tuple[int, float | None, str, str]


@dataclass(frozen=True)
class Place:
    """Where in the queue a task waits, and for whom at least."""

    queue_id: int
    rank: int
    due_step: datetime
    priority: float


@transaction.atomic
def mark(*, item_id: int, person: User | None, outcome: str, reason: str) -> Gold:
    """Say what an item is known to be, so that people are measured by it; said anew it replaces what was said.

    The item must be decided and wait for nobody. Without a person it is the server's shell. Refuses with Invalid an
    outcome without a truth, and with Conflict what is marked so already.
    """
    item = _item(item_id, person)
    spec = live.of(item.queue.slug).spec
    found = _outcome(outcome, spec)
    why.check(reason, why.Known)
    _demand_decided(item)
    before = newest(item.pk)
    if before and before.outcome == found.key:
        raise Conflict(_("This is what it is marked as already."))
    made = _store(item, person, before, outcome=found.key, truth=found.truth, reason=reason)
    _note(Event.Kind.GOLD_MARKED, made, item)
    return made


@transaction.atomic
def retire(*, item_id: int, person: User | None, reason: str) -> Gold:
    """Give an item out as gold no longer; answers to it go on counting unless the reason is that it was wrong.

    Who has it before them answers it still. Refuses with Conflict an item that is no gold.
    """
    item = _item(item_id, person)
    why.check(reason, why.Retire)
    before = newest(item.pk)
    if before is None or not before.outcome:
        raise Conflict(_("This item is not marked as gold."))
    truth = Truth.NONE if reason == why.Retire.WRONG else Truth(before.truth)
    made = _store(item, person, before, outcome="", truth=truth, reason=reason)
    _note(Event.Kind.GOLD_RETIRED, made, item)
    return made


def newest(item_id: int) -> Gold | None:
    """Return what was last said of an item, None where nothing ever was."""
    return Gold.objects.filter(item=item_id).order_by("-no").first()


def marked(queue_id: int) -> QuerySet[Gold]:
    """Return the marks that count of the items that are gold now."""
    numbers = Gold.objects.filter(queue=queue_id).order_by("item", "-no").distinct("item").values("pk")
    return Gold.objects.filter(pk__in=numbers).exclude(outcome="").select_related("item", "person")


def follow(decision: Decision, stands: Standing, spec: Spec) -> Task | None:
    """Let a gold item follow an answer, by lot; None mostly, and where none is left that the person has not seen."""
    if decision.purpose not in FOLLOWED:
        return None
    lot = grading.lot(decision, spec, Purpose.GOLD)
    if lot is None or has_one(decision.queue_id, decision.person_id):
        return None
    found, answered = unseen(decision.queue_id, decision.person_id, stands, needs=decision.task.needs), decision.task
    if not found:
        return None
    # Below its chance the number is uniform again: it says which of them.
    chosen = found[int(lot.u / lot.pi * len(found))]
    place = Place(answered.queue_id, answered.rank, answered.due_step, answered.priority)
    task = open_for(decision.person, chosen, place, spec, decision.at)
    if task:
        Lot.objects.create(task=task, pi=lot.pi, u=lot.u, u_secret=lot.u_secret)
    return task


def _item(item_id: int, person: User | None) -> Item:
    """Return the item; refuses who does not belong to its queue or may not say what is gold."""
    item = Item.objects.select_related("queue").filter(pk=item_id).first()
    if item is None:
        raise NotFound
    if person:
        rights.require(person, Act.MARK_GOLD, queue_id=item.queue_id)
    return item


def _outcome(key: str, spec: Spec) -> Outcome:
    outcome = spec.outcome(key)
    if outcome is None:
        raise Invalid(faults=[Fault("outcome", "choice", _("This queue has no such outcome."))])
    if outcome.truth == Truth.NONE:
        raise Invalid(faults=[Fault("outcome", "truth", _("Gold needs an outcome that says yes or no."))])
    return outcome


def _demand_decided(item: Item) -> None:
    if Task.objects.open().filter(item=item).exclude(purpose=Task.Purpose.GOLD).exists():
        raise Conflict(_("This item still waits for somebody's answer."))
    holds = Ruling.objects.filter(item=item).order_by("-no").first()
    if holds is None or not holds.outcome or holds.source == Ruling.Source.EXPIRY:
        raise Conflict(_("Nobody has decided this item yet."))
    if not Body.objects.filter(item=item, content__isnull=False).exists():
        raise Conflict(_("The item was erased: there is nothing to show."))


def _store(item: Item, person: User | None, before: Gold | None, *, outcome: str, truth: str, reason: str) -> Gold:
    row = Gold(
        queue=item.queue,
        item=item,
        no=before.no + 1 if before else 1,
        outcome=outcome,
        truth=truth,
        reason=reason,
        person=person,
        at=log.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("Somebody changed this mark at the same time.")) from error
    return row


def _note(kind: Event.Kind, made: Gold, item: Item) -> None:
    """Note a mark: what it says is in its row, for an entry may be read by who is still to be measured by it."""
    log.append(
        kind,
        chain=made.queue_id,
        actor=made.person,
        at=made.at,
        item=item,
        reason=made.reason,
        entry={"gold": made.pk, "no": made.no},
        rows=(made,),
    )


def has_one(queue_id: int, person_id: int) -> bool:
    """Tell whether a gold item waits for a person, or is in their hands."""
    return Task.objects.open().filter(purpose=Task.Purpose.GOLD, only_for=person_id, queue=queue_id).exists()


def unseen(queue_id: int, person_id: int, stands: Standing, *, needs: str) -> list[Unseen]:
    """Return id, value, source and needs of the gold items that the person may take and has not seen."""
    asked = {
        "queue": queue_id,
        "person": person_id,
        "limit": stands.value_limit,
        "is_simulated": stands.kind == User.Kind.SIMULATED,
        "demo": tables.DEMO,
        "excluded": list(stands.excluded),
        "needs": needs,
    }
    with connection.cursor() as cursor:
        cursor.execute(UNSEEN, asked)
        return list(cursor.fetchall())


def truths(item_ids: list[int]) -> dict[int, str]:
    """Return what answers to these items are held against, of those about which something was said."""
    rows = Gold.objects.filter(item__in=item_ids).order_by("item", "-no").distinct("item")
    return dict(rows.values_list("item", "truth"))


def open_for(person: User, chosen: Unseen, place: Place, spec: Spec, at: datetime) -> Task | None:
    """Open a gold task for a person alone; None where another tab was faster."""
    item_id, value, source, needs = chosen
    try:
        with transaction.atomic():
            task = Task.objects.create(
                queue_id=place.queue_id,
                item_id=item_id,
                purpose=Task.Purpose.GOLD,
                only_for=person,
                rank=place.rank,
                needs=needs,
                value=value,
                is_demo=source == tables.DEMO,
                opened_at=at,
                due_at=sla.due(spec, spec.sla_of(Task.Purpose.GOLD), at),
                due_step=place.due_step,
                priority=place.priority,
            )
    except IntegrityError:
        return None
    leases.move(task, Move.Kind.OPENED, person=None, at=at)
    return task
