"""Four eyes on overrides: what a queue's spec wants confirmed waits for a second person, and nothing holds until then.

That person is somebody else with the same right in the same case, and no other system. What was ruled meanwhile, a
right that was lost or an outcome that is no more lets it hold no longer.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Forbidden, Invalid, NeedsSecond, NotFound, TooLate
from decisions.models import Event, Item, PendingOverride, Ruling, User
from decisions.queues import live
from decisions.record import log
from decisions.work import answer as answers
from decisions.work import rule
from decisions.work.answer import Answer

LONGEST = 500
BATCH = 100
State = PendingOverride.State


@transaction.atomic
def override(*, item_id: int, person: User, answer: Answer) -> Ruling | PendingOverride:
    """Override an item as `rule.override` does, or let that wait for a second person where the spec asks for one.

    Refuses a second one that would wait for the same item.
    """
    try:
        return rule.override(item_id=item_id, person=person, answer=answer)
    except NeedsSecond:
        return _ask(Item.objects.select_related("queue", "policy").get(pk=item_id), person, answer)


def _ask(item: Item, person: User, answer: Answer) -> PendingOverride:
    before, spec, at = rule.current(item.pk), live.of(item.queue.slug).spec, log.now()
    asked = PendingOverride(
        queue=item.queue,
        item=item,
        act=rule.act_of(item, before),
        held=rule.held(item, before, spec),
        ruling_no=before.no if before else 0,
        outcome=answer.outcome,
        reason=answer.reason,
        note=answer.note,
        note_digest=answers.commit(answer.note, item.pk),
        person=person,
        asked_at=at,
        expires_at=at + spec.confirm.expires,
    )
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
    except IntegrityError as error:
        if "pending_override_once" not in str(error):
            raise
        raise Conflict(_("An override of this item waits for a second person already.")) from error
    entry = {"pending": asked.pk, "act": asked.act, "was": asked.held, "outcome": asked.outcome}
    _note(Event.Kind.OVERRIDE_ASKED, asked, actor=person, at=at, reason=asked.reason, entry=entry)
    return asked


@transaction.atomic
def confirm(*, pending_id: int, person: User, why: str = "") -> Ruling:
    """Let somebody else's override hold. Refuses who asked, who lacks the right, and what was ruled meanwhile."""
    asked = _waiting(pending_id, person)
    _require(asked, person)
    if asked.person_id == person.pk:
        detail = _("You asked for this override. A second person who has the right “%(right)s” must confirm it.")
        raise Forbidden(detail % {"right": asked.act}, right=asked.act, queue_id=asked.queue_id, item_id=asked.item_id)
    at = log.now()
    if at >= asked.expires_at:
        raise TooLate
    if _is_overtaken(asked):
        raise Conflict(_("Somebody ruled on this item meanwhile."))
    _close(asked, State.CONFIRMED, at=at, closer=person, reply=_said(why, asked, is_needed=False))
    said = Answer(asked.outcome, asked.reason, asked.note)
    ruling = rule.override(item_id=asked.item_id, person=asked.person, answer=said, confirmed=asked)
    PendingOverride.objects.filter(pk=asked.pk).update(ruling=ruling)
    return ruling


@transaction.atomic
def turn_down(*, pending_id: int, person: User, why: str) -> PendingOverride:
    """Refuse somebody else's override that waits, or withdraw one's own."""
    asked = _waiting(pending_id, person)
    is_own = asked.person_id == person.pk
    if not is_own:
        _require(asked, person)
    at = log.now()
    state = State.WITHDRAWN if is_own else State.REFUSED
    _close(asked, state, at=at, closer=person, reply=_said(why, asked, is_needed=True))
    _note(Event.Kind.OVERRIDE_CLOSED, asked, actor=person, at=at, reason=state, entry={"pending": asked.pk})
    return asked


def expire(at: datetime) -> int:
    """End what waited too long, and what another ruling has overtaken; return how many."""
    total = 0
    while count := _expire_batch(at):
        total += count
    return total


@transaction.atomic
def _expire_batch(at: datetime) -> int:
    later = Ruling.objects.filter(item=OuterRef("item"), no__gt=OuterRef("ruling_no"))
    over = PendingOverride.objects.filter(Q(expires_at__lte=at) | Exists(later), state=State.WAITING)
    rows = list(over.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:BATCH])
    for asked in rows:
        state = State.OVERTAKEN if _is_overtaken(asked) else State.EXPIRED
        _close(asked, state, at=at)
        _note(Event.Kind.OVERRIDE_CLOSED, asked, actor=None, at=at, reason=state, entry={"pending": asked.pk})
    return len(rows)


def of_item(item_id: int) -> PendingOverride | None:
    """Return the override of an item that waits."""
    rows = PendingOverride.objects.filter(item=item_id, state=State.WAITING)
    return rows.select_related("person", "queue", "item").first()


def may_confirm(asked: PendingOverride, person: User) -> bool:
    """Tell whether this person is one who may confirm it now."""
    try:
        _require(asked, person)
    except (Forbidden, NotFound):
        return False
    return asked.person_id != person.pk and asked.state == State.WAITING


def _waiting(pending_id: int, person: User) -> PendingOverride:
    rows = PendingOverride.objects.select_related("item__policy", "item__queue", "queue", "person")
    asked = rows.filter(pk=pending_id).first()
    if asked is None or rights.standing(person, asked.queue_id) is None:
        raise NotFound
    if asked.state != State.WAITING:
        raise Conflict(_("This was answered or ended: %(state)s.") % {"state": State(asked.state).label})
    return asked


def _require(asked: PendingOverride, person: User) -> None:
    """Refuse who could not override this item, as it is now, themselves; and every machine."""
    rule.require_override(asked.item, rule.current(asked.item_id), person)
    if person.kind != User.Kind.PERSON:
        detail = _("Only a person confirms or refuses an override.")
        raise Forbidden(detail, right=asked.act, queue_id=asked.queue_id, item_id=asked.item_id)


def _is_overtaken(asked: PendingOverride) -> bool:
    return Ruling.objects.filter(item=asked.item_id, no__gt=asked.ruling_no).exists()


def _close(asked: PendingOverride, state: State, *, at: datetime, closer: User | None = None, reply: str = "") -> None:
    """End it; the row decides between two who do so at once."""
    ended = PendingOverride.objects.filter(pk=asked.pk, state=State.WAITING)
    if not ended.update(state=state, closer=closer, closed_at=at, reply=reply):
        raise Conflict(_("Somebody has answered this already."))
    asked.state, asked.closer, asked.closed_at, asked.reply = state, closer, at, reply


def _said(why: str, asked: PendingOverride, *, is_needed: bool) -> str:
    """Return why, in the person's words. Refuses none where it is needed, and any on an item that was erased."""
    why = why.strip()
    if (is_needed and not why) or len(why) > LONGEST or "\0" in why:
        raise Invalid(
            faults=[Fault("why", "required", _("Say why, in at most %(most)d characters.") % {"most": LONGEST})]
        )
    answers.commit(why, asked.item_id)
    return why


def _note(
    kind: Event.Kind, asked: PendingOverride, *, actor: User | None, at: datetime, reason: str, entry: dict[str, object]
) -> None:
    log.append(
        kind,
        chain=asked.queue_id,
        actor=actor,
        at=at,
        item=asked.item,
        reason=reason,
        entry=entry,
        rows=(asked,),
    )
