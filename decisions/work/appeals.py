"""Appeals: filed from outside or on a page, judged by somebody without a hand in the item, and called back.

An appeal is a task of its own, which never ends by itself: it is due, then late, until somebody answers it. The answer
is a ruling. Where it is what held already, that is upheld and nothing is done again; any other overturns it.
"""

from datetime import datetime

import orjson
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.effects import outbox
from decisions.exceptions import Conflict, Fault, Invalid, NotFound, OtherContent, TooLate
from decisions.measure import sla
from decisions.models import Appeal, Decision, Event, Item, Move, Ruling, Task, User
from decisions.queues import live, needs
from decisions.queues.spec import Outcome, Spec, Truth
from decisions.record import digest, log
from decisions.rights import Act
from decisions.work import answer as answers
from decisions.work import lease as leases
from decisions.work import rule

LONGEST = 4_000
LONGEST_REFERENCE = 200
State = Appeal.State


@transaction.atomic
def file(*, item_id: int, by: User, statement: str, reference: str = "") -> tuple[Appeal, bool]:
    """Store an appeal against what holds for an item, and its task; says whether it is new.

    The same reference with the same words again is the same appeal. Refuses an item on which nothing was decided, a
    second appeal beside an open one, more than the spec allows, and one that comes too late.
    """
    item = Item.objects.select_related("queue", "policy", "body").filter(pk=item_id).first()
    if item is None or rights.standing(by, item.queue_id) is None:
        raise NotFound
    rights.require(by, Act.FILE_APPEAL, queue_id=item.queue_id, item_id=item.pk)
    _check(statement, reference)
    sealed = answers.commit(statement, item.pk)  # it holds the body, so two for one item come one after another
    if earlier := _sent_before(item, reference, sealed):
        return earlier, False
    spec, at = live.of(item.queue.slug).spec, log.now()
    before = rule.current(item.pk)
    held = _appealable(item, before, spec, at)
    task = _open(item, spec, at)
    appeal = Appeal(
        queue=item.queue,
        item=item,
        task=task,
        held=held,
        ruling=rule.meant(before),
        reference=reference,
        statement=statement,
        statement_digest=sealed,
        filed_by=by,
        filed_at=at,
        due_at=task.due_at,
    )
    appeal.save(force_insert=True)
    entry = {"appeal": appeal.pk, "task": task.pk, "held": held, "due_at": digest.moment(task.due_at)}
    log.append(Event.Kind.APPEAL_FILED, chain=item.queue_id, actor=by, at=at, item=item, entry=entry, rows=(appeal,))
    return appeal, True


def check(task: Task, outcome: Outcome) -> None:
    """Refuse an answer that neither upholds nor overturns."""
    appeal = of_task(task)
    if appeal and outcome.truth == Truth.NONE and outcome.key != appeal.held:
        detail = _("An appeal is upheld or overturned: choose what answers the question.")
        raise Invalid(faults=[Fault("outcome", "choice", detail)])


def close(decision: Decision, ruling: Ruling | None) -> Appeal | None:
    """End the appeal that a decision answers, and plan to call back; None where it answers none."""
    appeal = of_task(decision.task)
    if appeal is None or ruling is None:
        return None
    appeal.state = State.UPHELD if ruling.outcome == appeal.held else State.OVERTURNED
    appeal.decision, appeal.closed_at = decision, decision.at
    appeal.save(update_fields=["state", "decision", "closed_at"])
    outbox.plan_appeal(ruling=ruling, appeal=appeal, result=appeal.state)
    return appeal


def of_item(item_id: int) -> list[Appeal]:
    """Return an item's appeals, the newest first."""
    rows = Appeal.objects.filter(item=item_id).select_related("filed_by", "decision__person", "item", "task")
    return list(rows.order_by("-pk"))


def may_file(item: Item, before: Ruling | None, spec: Spec, at: datetime) -> bool:
    """Tell whether an appeal against what holds for an item would be taken now."""
    try:
        _appealable(item, before, spec, at)
    except Conflict:
        return False
    return True


def _check(statement: str, reference: str) -> None:
    faults = []
    if not statement.strip():
        faults.append(Fault("statement", "required", _("Say what the appeal is about.")))
    if len(statement) > LONGEST or "\0" in statement or any("\ud800" <= c <= "\udfff" for c in statement):
        detail = _("At most %(most)d characters, all of which can be stored.") % {"most": LONGEST}
        faults.append(Fault("statement", "characters", detail))
    if len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        detail = _("At most %(most)d printable characters.") % {"most": LONGEST_REFERENCE}
        faults.append(Fault("reference", "characters", detail))
    if faults:
        raise Invalid(faults=faults)


def _sent_before(item: Item, reference: str, sealed: bytes | None) -> Appeal | None:
    """Return the appeal that came under this reference before; refuses one of another item or in other words."""
    earlier = Appeal.objects.filter(queue=item.queue_id, reference=reference).first() if reference else None
    if earlier and (earlier.item_id != item.pk or bytes(earlier.statement_digest) != sealed):
        raise OtherContent(_("An appeal with this reference is already here, with other content."))
    return earlier


def _appealable(item: Item, before: Ruling | None, spec: Spec, at: datetime) -> str:
    """Return the outcome that an appeal would be against; refuses where none is taken."""
    held = rule.held(item, before, spec)
    if not held:
        raise Conflict(_("Nothing was decided on this item yet, so there is nothing to appeal against."))
    earlier = list(Appeal.objects.filter(item=item).values_list("state", flat=True))
    if State.OPEN in earlier:
        raise Conflict(_("An appeal of this item is open already."))
    if len(earlier) >= spec.appeals.most:
        raise Conflict(_("This queue takes no more appeals of one item."))
    since = before.at if before else item.arrived_at
    if spec.appeals.within is not None and at > since + spec.appeals.within:
        raise TooLate(_("The time to appeal is over."))
    if before and at < before.final_at:
        raise Conflict(_("What was decided can still be taken back. Try again in a moment."))
    return held


def _open(item: Item, spec: Spec, at: datetime) -> Task:
    due_at = sla.due(spec, spec.sla_of(Task.Purpose.APPEAL), at)
    try:
        with transaction.atomic():
            task = Task.objects.create(
                queue=item.queue,
                item=item,
                purpose=Task.Purpose.APPEAL,
                rank=Task.Rank.LEAD,
                needs=needs.of(orjson.loads(item.body.content or "{}").get("payload", {}), spec),
                value=item.value,
                is_demo=item.source == "demo",
                opened_at=at,
                due_at=due_at,
                due_step=sla.rounded_up(due_at, spec.sla_step),
            )
    except IntegrityError as error:
        raise Conflict(_("An appeal of this item is open already.")) from error
    leases.move(task, Move.Kind.OPENED, person=None, at=at)
    return task


def of_task(task: Task) -> Appeal | None:
    """Return the appeal that a task is to judge, None for other tasks."""
    if task.purpose != Task.Purpose.APPEAL:
        return None
    return Appeal.objects.filter(task=task).select_related("queue", "item").first()
