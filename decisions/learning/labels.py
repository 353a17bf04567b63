"""Labels: what training gets from rulings, numbered by a single writer when their undo windows have ended.

Each ruling that people made becomes a label once, also one that a later ruling replaced: the later label says with
`replaces` what it takes the place of. An undone ruling never does, and neither does one of the expiry rule, for nobody
looked.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count, groupby

from django.db import connection, transaction
from django.db.models import Max

from decisions import identity, locks
from decisions.models import Event, Item, Label, PendingLabel, Ruling, Task
from decisions.queues.spec import Truth
from decisions.record import log

WRITER = 1
BATCH = 500  # labels a transaction: it holds the chains of their queues
VALUES = {Truth.POSITIVE: 1, Truth.NEGATIVE: 0, Truth.NONE: None}
PROVENANCE = {
    Task.Purpose.SOFT: Label.Provenance.SOFT,
    Task.Purpose.CONTROL: Label.Provenance.CONTROL,
    Task.Purpose.AUDIT: Label.Provenance.AUDIT,
    Task.Purpose.GOLD: Label.Provenance.GOLD,
    Task.Purpose.APPEAL: Label.Provenance.OVERRIDE,
}
ANSWERS = (Ruling.Source.DECISION, Ruling.Source.ADJUDICATION)
AUDITED = (Task.Purpose.AUDIT, Task.Purpose.ESCALATION)  # an escalation of a pass goes on with its audit


def plan(ruling: Ruling) -> PendingLabel | None:
    """Let a ruling become a label when its undo window ends; none where nobody looked or nothing holds any more.

    Neither does an answer to a task of an item whose truth is known from outside: who gave it did not know that truth,
    and so does not correct it. An override or an appeal does.
    """
    if not ruling.outcome or ruling.source == Ruling.Source.EXPIRY or _is_outdone(ruling):
        return None
    return PendingLabel.objects.create(ruling=ruling, due_at=ruling.final_at)


def plan_all(rulings: Sequence[Ruling]) -> None:
    """Let outside truths become labels."""
    PendingLabel.objects.bulk_create([PendingLabel(ruling=ruling, due_at=ruling.final_at) for ruling in rulings])


def _is_outdone(ruling: Ruling) -> bool:
    if ruling.replaces_id is None or ruling.source not in ANSWERS:
        return False
    return Ruling.objects.filter(item=ruling.item_id, source=Ruling.Source.OUTSIDE).exists()


def withdraw(ruling: Ruling) -> bool:
    """Let an undone ruling never become a label; False where it already did."""
    deleted, _ = PendingLabel.objects.filter(ruling=ruling).delete()
    return bool(deleted) or not Label.objects.filter(ruling=ruling).exists()


def feed_due(at: datetime) -> int:
    """Turn the rulings that are final into labels; return how many. Another feeder at work is left to it."""
    fed = 0
    while batch := _feed(at):
        fed += batch
    return fed


@transaction.atomic
def _feed(at: datetime) -> int:
    """Feed one batch. Numbers have no gaps and are committed in order, for one transaction at a time gives them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [locks.FEED, WRITER])
        if not cursor.fetchone()[0]:
            return 0
    rulings = _take_due(at)
    if not rulings:
        return 0
    labels = Label.objects.bulk_create(_labels(rulings, at))
    by_queue = sorted(labels, key=lambda label: (label.queue_id, label.no))
    for queue_id, group in groupby(by_queue, key=lambda label: label.queue_id):
        rows = list(group)
        entry = {"first": rows[0].no, "last": rows[-1].no, "count": len(rows)}
        log.append(Event.Kind.LABELS_FED, chain=queue_id, actor=None, at=at, entry=entry, rows=rows)
    return len(labels)


def _take_due(at: datetime) -> list[Ruling]:
    """Remove a batch of what is due and return its rulings in the order in which they became final."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM decisions_pendinglabel WHERE ruling_id IN (
                SELECT ruling_id FROM decisions_pendinglabel WHERE due_at <= %s
                ORDER BY due_at, ruling_id LIMIT %s FOR UPDATE SKIP LOCKED
            ) RETURNING ruling_id
            """,
            [at, BATCH],
        )
        ids = [row[0] for row in cursor.fetchall()]
    rulings = Ruling.objects.filter(pk__in=ids).select_related("item__draw", "decision", "person")
    return list(rulings.order_by("final_at", "pk"))


def _labels(rulings: Sequence[Ruling], at: datetime) -> list[Label]:
    last: int = Label.objects.aggregate(last=Max("no"))["last"] or 0
    latest = _latest({ruling.item_id for ruling in rulings})
    made = []
    for pk, no, ruling in zip(identity.allocate(Label, len(rulings)), count(last + 1), rulings, strict=False):
        label = _label(ruling, latest.get(ruling.item_id), at)
        label.pk, label.no = pk, no
        made.append(label)
        latest[ruling.item_id] = label
    return made


def _latest(item_ids: set[int]) -> dict[int, Label]:
    """Return each item's latest label."""
    labels = Label.objects.filter(item__in=item_ids).order_by("item_id", "-no").distinct("item_id")
    return {label.item_id: label for label in labels}


def _label(ruling: Ruling, before: Label | None, at: datetime) -> Label:
    return Label(
        queue_id=ruling.queue_id,
        item=ruling.item,
        ruling=ruling,
        value=VALUES[Truth(ruling.truth)],
        outcome=ruling.outcome,
        propensity=propensity(ruling, before),
        provenance=provenance(ruling),
        replaces=before,
        ruled_at=ruling.at,
        at=at,
    )


def propensity(ruling: Ruling, before: Label | None) -> float | None:
    """Return the logged probability with which the item came before a person, None where no draw brought it there.

    An outside truth and an override of what no draw had shown to anybody have none; an override of a label keeps its.
    A pass that was drawn has its draw's, whoever had the last word on the audit.
    """
    if ruling.source == Ruling.Source.OUTSIDE:
        return None
    if ruling.item.reason == Item.RouteReason.IMPORTED:
        return ruling.item.propensity
    if ruling.item.route == Item.Route.SOFT:
        return ruling.item.propensity
    if ruling.decision and ruling.decision.purpose in AUDITED and (draw := getattr(ruling.item, "draw", None)):
        return float(draw.pi)
    return before.propensity if before else None


def provenance(ruling: Ruling) -> Label.Provenance:
    """Return where the label comes from; a simulated person before all else, for nobody may take it for a real one."""
    if ruling.person and ruling.person.is_simulated:
        return Label.Provenance.SIMULATED
    if ruling.source == Ruling.Source.OUTSIDE:
        return Label.Provenance.OUTSIDE
    if ruling.source == Ruling.Source.IMPORTED:
        return Label.Provenance.IMPORTED
    if ruling.source == Ruling.Source.OVERRIDE or ruling.decision is None:
        return Label.Provenance.OVERRIDE
    return PROVENANCE.get(Task.Purpose(ruling.decision.purpose)) or _of_route(ruling.item)


def _of_route(item: Item) -> Label.Provenance:
    """Return why an item had come before people, where a second opinion or an escalation has the last word."""
    if item.route == Item.Route.SOFT:
        is_control = item.reason == Item.RouteReason.CONTROL
        return Label.Provenance.CONTROL if is_control else Label.Provenance.SOFT
    return Label.Provenance.AUDIT if item.route == Item.Route.PASS else Label.Provenance.OVERRIDE
