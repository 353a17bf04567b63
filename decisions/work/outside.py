"""Words from outside: truths that arrive late and then hold, and what end users say, which is weak evidence.

What is told twice counts once. A truth teaches; it causes no action unless the queue's file says so, for the world it
comes from knows it already.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from decisions import identity, locks
from decisions.effects import outbox
from decisions.exceptions import Conflict, Fault
from decisions.intake.parse import Bad
from decisions.learning import labels
from decisions.models import Body, Event, Evidence, Item, Ruling, Task, User
from decisions.queues.live import Live
from decisions.queues.spec import Outcome, Spec
from decisions.record import digest, log
from decisions.work import rule
from decisions.work.rule import Basis
from decisions.work.said import Said

Kind = Evidence.Kind
SKEW = timedelta(minutes=5)  # by which a sender's clock may be ahead
PIECE = 500  # rows that one event speaks of
Key = tuple[int, str, str, datetime, str, str, bytes | None]
LATEST = """
    SELECT DISTINCT ON (item_id) * FROM decisions_ruling WHERE item_id = ANY(%s) ORDER BY item_id, no DESC
"""


@dataclass(frozen=True)
class Told:
    """What became of a call, in the order of its lines."""

    results: Sequence[dict[str, Any]] = ()
    bad: Sequence[Bad] = ()

    @property
    def accepted(self) -> int:
        return sum(not one["duplicate"] for one in self.results)


@dataclass
class Case:
    """An item, and what is known of it while a call goes on."""

    item: Item
    salt: bytes
    holds: Ruling | None
    newest: datetime | None  # the latest time of a truth
    known: dict[Key, tuple[int, int | None]]  # evidence and ruling, by what makes a word the same


@dataclass
class Made:
    """Who tells it when, and what a call writes."""

    by: User
    at: datetime
    ids: Iterator[int]  # of words
    ruling_ids: Iterator[int]
    evidence: list[Evidence] = field(default_factory=list)
    rulings: list[tuple[Ruling, Outcome, str]] = field(default_factory=list)  # with what held before


@transaction.atomic
def tell(*, queues: Mapping[str, Live], lines: Sequence[Said | Bad], by: User) -> Told:
    """Store words from outside and let the truths among them hold; return what became of each line.

    Lines that are wrong are told one by one; the rest is kept. `queues` are those on which the caller may do this, by
    name. Conflict where somebody rules on one of the items at the same moment.
    """
    words = [one for one in lines if isinstance(one, Said)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.EVIDENCE])
    cases = _cases(words, queues)
    truths = sum(word.kind == Kind.TRUTH for word in words)
    ids, ruling_ids = identity.allocate(Evidence, len(words)), identity.allocate(Ruling, truths)
    made = Made(by, log.now(), iter(ids), iter(ruling_ids))
    bad, results = [one for one in lines if isinstance(one, Bad)], []
    for word in words:
        queue, case = queues.get(word.queue), cases.get((word.queue, word.external_id))
        fault = _misplaced(queue, case) or _misfit(word, queue, case, made.at)
        if fault or queue is None or case is None:
            bad.append(Bad(word.line, word.external_id, (fault,) if fault else ()))
        else:
            results.append(_take(word, queue.spec, case, made))
    _store(made, {queue.queue_id: queue.spec for queue in queues.values()})
    return Told(results, sorted(bad, key=lambda one: one.line))


def _cases(words: Sequence[Said], queues: Mapping[str, Live]) -> dict[tuple[str, str], Case]:
    """Return the items that are spoken of, by queue and external id, held until the end of the transaction.

    The tasks first, as everywhere: an answer that is being written is waited for, and then seen.
    """
    asked: dict[str, set[str]] = defaultdict(set)
    for word in words:
        asked[word.queue].add(word.external_id)
    items: dict[int, Item] = {}
    for slug, names in sorted(asked.items()):
        if slug in queues:
            found = Item.objects.filter(queue=queues[slug].queue_id, external_id__in=names)
            items |= {item.pk: item for item in found.select_related("queue", "policy")}
    list(Task.objects.open().filter(item__in=items).select_for_update().order_by("id").values_list("id"))
    bodies = Body.objects.filter(item__in=items).order_by("item_id").select_for_update()
    salts = {pk: salt for pk, salt, content in bodies.values_list("item_id", "salt", "content") if content is not None}
    holds = {ruling.item_id: ruling for ruling in Ruling.objects.raw(LATEST, [list(items)])}
    known: dict[int, dict[Key, tuple[int, int | None]]] = defaultdict(dict)
    newest: dict[int, datetime] = {}
    for row in Evidence.objects.filter(item__in=items).defer("note"):
        known[row.item_id][_key(row)] = (row.pk, row.ruling_id)
        if row.kind == Kind.TRUTH:
            newest[row.item_id] = max(row.occurred_at, newest.get(row.item_id, row.occurred_at))
    slugs = {queue.queue_id: slug for slug, queue in queues.items()}
    return {
        (slugs[item.queue_id], item.external_id): Case(
            item, bytes(salts.get(pk) or b""), holds.get(pk), newest.get(pk), known[pk]
        )
        for pk, item in items.items()
    }


def _misplaced(queue: Live | None, case: Case | None) -> Fault | None:
    """Return why a word has no item to go to."""
    if queue is None:
        return Fault("queue", "unknown", _("There is no such queue, or it is not yours to see."))
    if case is None:
        return Fault("external_id", "unknown", _("No item of this queue has this external id."))
    if not case.salt:
        return Fault("external_id", "erased", _("The item was erased, so nothing more is kept of it."))
    return None


def _misfit(word: Said, queue: Live | None, case: Case | None, at: datetime) -> Fault | None:
    """Return why a word cannot be said of its item."""
    assert queue is not None
    assert case is not None
    if word.occurred_at > at + SKEW:
        return Fault("occurred_at", "future", _("occurred_at lies in the future."))
    if word.kind == Kind.TRUTH and _outcome(word, queue.spec) is None:
        return Fault("outcome", "choice", _("This queue has no such outcome."))
    if word.kind == Kind.FEEDBACK and not rule.held(case.item, case.holds, queue.spec):
        return Fault("right", "undecided", _("Nothing was decided on this item yet."))
    return None


def _outcome(word: Said, spec: Spec) -> Outcome | None:
    """Return the outcome that a truth says; a value means what the routes stand for."""
    said = {1: spec.routes.positive, 0: spec.routes.negative, None: word.said}
    return spec.outcome(said[word.value])


def _take(word: Said, spec: Spec, case: Case, made: Made) -> dict[str, Any]:
    """Note one word, and the ruling that a truth makes; return what became of it."""
    outcome = _outcome(word, spec) if word.kind == Kind.TRUTH else None
    row = Evidence(
        queue=case.item.queue,
        item=case.item,
        kind=word.kind,
        said=outcome.key if outcome else word.said,
        held=rule.held(case.item, case.holds, spec),
        source=word.source,
        reference=word.reference,
        note=word.note,
        note_digest=digest.commitment(case.salt, word.note.encode()) if word.note else None,
        told_by=made.by,
        occurred_at=word.occurred_at,
        at=made.at,
    )
    shown = {"line": word.line, "external_id": word.external_id, "item": case.item.pk, "kind": word.kind}
    if (before := case.known.get(_key(row))) is not None:
        return {**shown, "id": before[0], "ruling": before[1], "duplicate": True}
    row.pk = next(made.ids)
    if outcome is None:
        row.ruling = case.holds
    elif case.newest is None or word.occurred_at >= case.newest:
        row.ruling = _ruling(outcome, spec, case, made)
        case.newest = word.occurred_at
    made.evidence.append(row)
    case.known[_key(row)] = (row.pk, row.ruling_id)
    return {**shown, "id": row.pk, "ruling": row.ruling_id, "duplicate": False}


def _ruling(outcome: Outcome, spec: Spec, case: Case, made: Made) -> Ruling:
    """Draw up the ruling of a truth. It is final no sooner than the one that it replaces, so that labels keep order."""
    wait = max(case.holds.final_at - made.at, timedelta(0)) if case.holds else timedelta(0)
    ruling = rule.drawn_up(case.item, outcome, spec, Basis(Ruling.Source.OUTSIDE, made.at, wait), case.holds)
    ruling.pk = next(made.ruling_ids)
    made.rulings.append((ruling, outcome, rule.held(case.item, case.holds, spec)))
    case.holds = ruling
    return ruling


def _store(made: Made, specs: Mapping[int, Spec]) -> None:
    """Write rulings, the actions and labels that follow from them, the words, and last one event for some 500."""
    rulings = [ruling for ruling, _outcome, _held in made.rulings]
    try:
        with transaction.atomic():
            Ruling.objects.bulk_create(rulings)
    except IntegrityError as error:
        raise Conflict(_("Somebody ruled on one of these items at the same time.")) from error
    for ruling, outcome, held in made.rulings:
        if specs[ruling.queue_id].outside_acts:
            _act(ruling, outcome, held)
    labels.plan_all(rulings)
    Evidence.objects.bulk_create(made.evidence)
    for queue_id in sorted({row.queue_id for row in made.evidence}):
        _log(queue_id, [row for row in made.evidence if row.queue_id == queue_id], made)


def _act(ruling: Ruling, outcome: Outcome, held: str) -> None:
    """Do what the queue's rule asks for: the question is answered, and what held otherwise is done anew."""
    tasks = Task.objects.open().filter(item=ruling.item_id, state=Task.State.WAITING)
    rule.cancel(list(tasks.exclude(purpose__in=(Task.Purpose.GOLD, Task.Purpose.APPEAL))), None, ruling.at, "outside")
    if outcome.key != held:  # what holds already is not done again
        outbox.supersede(item=ruling.item)
        outbox.plan(ruling=ruling, outcome_action=outcome.action)


def _log(queue_id: int, rows: Sequence[Evidence], made: Made) -> None:
    of_rows = {ruling.pk: ruling for ruling, _outcome, _held in made.rulings}
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        held = [of_rows[row.ruling_id] for row in piece if row.kind == Kind.TRUTH and row.ruling_id]
        truths = sum(row.kind == Kind.TRUTH for row in piece)
        entry = {"truths": truths, "feedback": len(piece) - truths, "rulings": len(held)}
        item = piece[0].item if len(piece) == 1 else None
        kind, spoken = Event.Kind.EVIDENCE_TOLD, [*piece, *held]
        log.append(kind, chain=queue_id, actor=made.by, at=made.at, item=item, entry=entry, rows=spoken)


def _key(row: Evidence) -> Key:
    note = bytes(row.note_digest) if row.note_digest else None
    return row.item_id, row.kind, row.source, row.occurred_at, row.reference, row.said, note
