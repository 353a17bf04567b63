"""What holds for an item: rulings from decisions, overrides, undo and the expiry rule."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.effects import outbox
from decisions.exceptions import Conflict, NeedsSecond, NotFound, TooLate
from decisions.learning import labels
from decisions.models import Appeal, Decision, Event, Item, Move, PendingOverride, Ruling, Task, User
from decisions.queues import live
from decisions.queues.spec import Outcome, Spec
from decisions.record import log
from decisions.rights import Act, Case
from decisions.work import answer as answers
from decisions.work import lease as leases
from decisions.work import quality, suggest
from decisions.work.answer import Answer

Source = Ruling.Source
# A second opinion and a gold item measure the person: their answers change nothing that holds.
SOURCES = {
    Task.Purpose.SOFT: Source.DECISION,
    Task.Purpose.CONTROL: Source.DECISION,
    Task.Purpose.AUDIT: Source.DECISION,
    Task.Purpose.ESCALATION: Source.DECISION,
    Task.Purpose.APPEAL: Source.APPEAL,
}
CURRENT = "SELECT * FROM decisions_ruling WHERE item_id = %s ORDER BY no DESC LIMIT 1"
MADE = "SELECT * FROM decisions_ruling WHERE decision_id = %s ORDER BY id LIMIT 1"
HUMAN = frozenset({Source.DECISION, Source.OVERRIDE, Source.ADJUDICATION, Source.APPEAL})


@dataclass(frozen=True)
class Basis:
    """What a ruling rests on. `undo` is how long it can be undone: its action and its label wait for that."""

    source: Source
    at: datetime
    undo: timedelta
    person: User | None = None
    decision: Decision | None = None
    reason: str = ""
    note: str = ""
    note_digest: bytes | memoryview | None = None


def current(item_id: int) -> Ruling | None:
    """Return the ruling that holds for an item; its outcome is "" where an undo left nothing."""
    return next(iter(Ruling.objects.raw(CURRENT, [item_id])), None)


def of(decision: Decision) -> Ruling | None:
    """Return the ruling that a decision made, None where it only measures."""
    return next(iter(Ruling.objects.raw(MADE, [decision.pk])), None)


def meant(ruling: Ruling | None) -> Ruling | None:
    """Return the ruling that first said what this one says: an undo only puts back an earlier one, or nothing."""
    while ruling is not None and ruling.source == Source.UNDO:
        ruling = ruling.replaces.replaces if ruling.replaces else None
    return ruling


def from_decision(decision: Decision, *, item: Item, outcome: Outcome, spec: Spec) -> Ruling | None:
    """Let a decision hold; None where its purpose only measures."""
    source = SOURCES.get(Task.Purpose(decision.purpose))
    if source is None or quality.is_of_gold(decision.task):
        return None
    basis = Basis(
        Source.ADJUDICATION if quality.settles(decision.task) else source,
        decision.at,
        spec.undo,
        decision.person,
        decision,
        decision.reason,
        decision.note,
        decision.note_digest,
    )
    return _rule(item, outcome, spec, basis)


def from_expiry(task: Task, *, outcome: Outcome, spec: Spec, at: datetime) -> Ruling:
    """Let the spec's expiry rule decide an item that nobody took in time: it is acted on, and teaches nothing."""
    return _rule(task.item, outcome, spec, Basis(Source.EXPIRY, at, timedelta(0)))


def _rule(item: Item, outcome: Outcome, spec: Spec, basis: Basis) -> Ruling:
    """Store what holds from now on, the action it causes and the label it will become."""
    before = current(item.pk)
    ruling = _store(drawn_up(item, outcome, spec, basis, before))
    if basis.source != Source.APPEAL or outcome.key != held(item, before, spec):  # what is upheld is not done again
        outbox.supersede(item=item)
        outbox.plan(ruling=ruling, outcome_action=outcome.action)
    labels.plan(ruling)
    return ruling


def drawn_up(item: Item, outcome: Outcome, spec: Spec, basis: Basis, before: Ruling | None) -> Ruling:
    """Return the ruling that replaces what held before, not stored yet."""
    machine = suggest.machine(item, item.policy, spec)
    held, origin = before.outcome if before else "", meant(before)
    return Ruling(
        queue=item.queue,
        item=item,
        no=before.no + 1 if before else 1,
        outcome=outcome.key,
        truth=outcome.truth,
        source=basis.source,
        decision=basis.decision,
        person=basis.person,
        replaces=before,
        reason=basis.reason,
        note=basis.note,
        note_digest=basis.note_digest,
        was=held or machine,
        is_override=basis.person is not None and machine not in ("", outcome.key),
        is_reversal=origin is not None and origin.source in HUMAN and held != outcome.key,
        at=basis.at,
        final_at=basis.at + basis.undo,
    )


def _store(ruling: Ruling) -> Ruling:
    """Insert a ruling; Conflict when another took its number, that is, ruled at the same time."""
    try:
        ruling.save(force_insert=True)
    except IntegrityError as error:
        if "ruling_once" not in str(error):
            raise
        raise Conflict(_("Somebody ruled on this item at the same time.")) from error
    return ruling


@transaction.atomic
def override(*, item_id: int, person: User, answer: Answer, confirmed: PendingOverride | None = None) -> Ruling:
    """Replace what the machine did, or what was ruled, by what this person concludes.

    The right depends on what is replaced. Somebody else's work in progress is a Conflict; a task that only waits is
    cancelled by who may take over, so the item is not decided twice. Refuses with NeedsSecond what the spec asks a
    second person for (`second.override` then lets it wait), unless that one has `confirmed` it.
    """
    item = Item.objects.select_related("queue", "policy").filter(pk=item_id).first()
    if item is None or rights.standing(person, item.queue_id) is None:
        raise NotFound
    # The tasks first, as everywhere: a decision that is being written is waited for, and then seen.
    tasks = Task.objects.open().filter(item=item).exclude(purpose=Task.Purpose.GOLD)
    waiting = list(tasks.select_for_update().order_by("id"))
    before = current(item.pk)
    stands = require_override(item, before, person)
    _clear_way(waiting, stands, item)
    spec = live.of(item.queue.slug).spec
    holds = held(item, before, spec)
    outcome = answers.check(answer, spec, against=holds or "?")
    if outcome.key == holds:
        raise Conflict(_("This is what holds already."))
    if confirmed is None and spec.confirm.asks(act_of(item, before), item.value):
        raise NeedsSecond
    sealed = answers.commit(answer.note, item.pk)
    basis = Basis(Source.OVERRIDE, log.now(), spec.undo, person, None, answer.reason, answer.note, sealed)
    cancelled = cancel(waiting, basis.person, basis.at, "override")
    ruling = _rule(item, outcome, spec, basis)
    _note_override(ruling, cancelled, confirmed)
    return ruling


def act_of(item: Item, before: Ruling | None) -> Act:
    """Return the right under which what holds for an item is overridden."""
    if meant(before):
        return Act.REVERSE_RULING
    done = {Item.Route.HARD: Act.REVERSE_HARD, Item.Route.PASS: Act.OVERRIDE_PASS}
    return done.get(Item.Route(item.route), Act.TAKE_OVER)


def require_override(item: Item, before: Ruling | None, person: User) -> rights.Standing:
    """Return where the person stands, or refuse what they may not override."""
    origin = meant(before)
    own = origin is not None and origin.person_id == person.pk
    marks = rights.marks_of(item)
    case = Case(value=item.value, route=item.route, own=own, is_demo=item.source == "demo", marks=marks)
    return rights.require(person, act_of(item, before), queue_id=item.queue_id, case=case, item_id=item.pk)


def _clear_way(waiting: list[Task], stands: rights.Standing, item: Item) -> None:
    if any(task.purpose == Task.Purpose.APPEAL for task in waiting):
        raise Conflict(_("An appeal of this item is open: it is judged in its queue."))
    if any(task.state != Task.State.WAITING for task in waiting):
        raise Conflict(_("Somebody holds this item now: decide it in its queue."))
    case = Case(value=item.value, is_demo=item.source == "demo", marks=rights.marks_of(item))
    if waiting and not rights.may(stands, Act.TAKE_OVER, case):
        raise Conflict(_("This item waits in its queue: decide it there."))


def held(item: Item, before: Ruling | None, spec: Spec) -> str:
    """Return the outcome in force: of the ruling, else what the machine did; "" while nothing was done."""
    if before and before.outcome:
        return before.outcome
    return "" if item.route == Item.Route.SOFT else suggest.machine(item, item.policy, spec)


def cancel(waiting: list[Task], person: User | None, at: datetime, reason: str) -> list[int]:
    """Cancel the tasks that only wait, for what they ask is decided; return their ids."""
    for task in waiting:
        Task.objects.filter(pk=task.pk).update(state=Task.State.CANCELLED)
        leases.move(task, Move.Kind.CANCELLED, person=person, at=at, reason=reason)
    return [task.pk for task in waiting]


def _note_override(ruling: Ruling, cancelled: list[int], confirmed: PendingOverride | None) -> None:
    entry: dict[str, object] = {"was": ruling.was, "outcome": ruling.outcome, "cancelled": cancelled}
    if confirmed:
        entry |= {"pending": confirmed.pk, "asked_by": confirmed.person_id}
    log.append(
        Event.Kind.ITEM_OVERRIDDEN,
        chain=ruling.queue_id,
        actor=confirmed.closer if confirmed else ruling.person,
        at=ruling.at,
        item=ruling.item,
        reason=ruling.reason,
        entry=entry,
        rows=(ruling,),
    )


@transaction.atomic
def undo(*, decision_id: int, person: User) -> Ruling:
    """Take back one's own decision within its window; the card comes back under a new lease and the next round.

    Returns the ruling that puts back what held before; a second opinion that waits is cancelled. Refuses with TooLate
    when the window is over, the action is on its way or the second opinion was given, Conflict when the decision no
    longer holds or never caused a ruling. The cap does not apply.
    """
    decision = Decision.objects.select_related("queue", "item__policy").filter(pk=decision_id).first()
    if decision is None:
        raise NotFound
    spec = live.of(decision.queue.slug).spec
    task = Task.objects.select_for_update().get(pk=decision.task_id)
    case = Case(own=decision.person_id == person.pk, is_demo=task.is_demo)
    rights.require(person, Act.UNDO, queue_id=decision.queue_id, case=case, item_id=decision.item_id)
    if task.state != Task.State.DECIDED or task.round != decision.round:
        raise Conflict(_("This decision has already been undone."))
    at = log.now()
    quality.withdraw(task, person, at)
    ruling = _take_back(decision, at)
    if task.purpose == Task.Purpose.APPEAL:
        Appeal.objects.filter(task=task).update(state=Appeal.State.OPEN, decision=None, closed_at=None)
    _hand_back(task, person, at + spec.lease, at)
    log.append(
        Event.Kind.DECISION_UNDONE,
        chain=decision.queue_id,
        actor=person,
        at=at,
        item=decision.item,
        entry={
            "decision": decision.pk,
            "task": task.pk,
            "round": decision.round,
            "was": decision.outcome,
            "outcome": ruling.outcome,
        },
        rows=(ruling,),
    )
    return ruling


def _take_back(decision: Decision, at: datetime) -> Ruling:
    """Withdraw the decision's action and label, and put back what held before it."""
    last = current(decision.item_id)
    made = decision.rulings.exclude(source=Source.UNDO).select_related("replaces").first()
    if made is None or last is None or last.pk != made.pk:
        raise Conflict(_("This decision is not what holds for the item."))
    # The action goes first: its row is the one that a sender contends for.
    if at >= made.final_at or not outbox.withdraw(made, at) or not labels.withdraw(made):
        raise TooLate
    before = made.replaces
    return _store(
        Ruling(
            queue=decision.queue,
            item=decision.item,
            no=made.no + 1,
            outcome=before.outcome if before else "",
            truth=before.truth if before else "none",
            source=Source.UNDO,
            decision=decision,
            person=decision.person,
            replaces=made,
            was=made.outcome,
            at=at,
            final_at=at,
        )
    )


def _hand_back(task: Task, person: User, until: datetime, at: datetime) -> None:
    task.state, task.holder, task.lease_until = Task.State.CLAIMED, person, until
    task.lease, task.round = task.lease + 1, task.round + 1
    task.save(update_fields=["state", "holder", "lease_until", "lease", "round"])
    leases.move(task, Move.Kind.REOPENED, person=person, at=at)
