"""Models in shadow: started and stopped by people with a reason, or stopped by failures; what waits for them."""

from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext as _

from decisions import locks, rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.learning import registry
from decisions.models import Alert, Event, ModelVersion, Policy, Queue, Shadow, User
from decisions.record import log
from decisions.rights import Act
from decisions.routing import terms
from decisions.watch import alerts

MOST = 3  # at once on a queue
BACK_DAYS, MOST_BACK = 28, 90
COUNTED = 10_000  # entries over which a backlog is summed up; beyond it is "more than"


@dataclass(frozen=True)
class Behind:
    """What a shadow has not scored yet: items, since when, and whether there are more than were counted."""

    items: int
    since: datetime | None
    is_more: bool


@transaction.atomic
def start(
    *, queue: Queue, model: ModelVersion, by: User | None, why: str, at: datetime, back_days: int = BACK_DAYS
) -> Shadow:
    """Let a model score what arrives from now on, beside the one that routes, and what people saw in the last days.

    Refuses a model whose scores come from outside, one that is live or in shadow already, a fourth one, and one whose
    file does not hold. `by` None is whoever holds the server's shell.
    """
    if by is not None:
        rights.require(by, Act.RUN_SHADOW, queue_id=queue.pk)
    _check(model, why, back_days)
    _lock(queue.pk)
    running = Shadow.objects.running().filter(queue=queue)
    if running.filter(model=model).exists():
        raise Conflict(_("This model is in shadow already."))
    if running.count() >= MOST:
        raise Conflict(_("At most %(most)s models may be in shadow at once. Stop one first.") % {"most": MOST})
    if Policy.objects.live().filter(queue=queue, model=model).exists():
        raise Conflict(_("This model routes already."))
    registry.demand(model)
    last = Event.objects.filter(chain=queue.pk).order_by("-seq").values_list("seq", flat=True).first()
    shadow = Shadow.objects.create(
        queue=queue, model=model, person=by, why=why, started_at=at, back_days=back_days, seq=last or 0, reached_at=at
    )
    entry = {"shadow": shadow.pk, "model": model.pk, "back_days": back_days}
    log.append(Event.Kind.SHADOW_STARTED, chain=queue.pk, actor=by, at=at, entry=entry, rows=(shadow,))
    return shadow


@transaction.atomic
def stop(*, shadow: Shadow, by: User | None, why: str, at: datetime) -> Shadow:
    """Take a model out of shadow; its scores stay. Refuses one that was stopped."""
    if by is not None:
        rights.require(by, Act.RUN_SHADOW, queue_id=shadow.queue_id)
    if faults := terms.blank("why", why):
        raise Invalid(faults=faults)
    _close(shadow, Shadow.Ending.PERSON, by=by, why=why, at=at)
    _note_end(shadow, by=by, at=at)
    return shadow


@transaction.atomic
def give_up(shadow: Shadow, code: str, at: datetime) -> None:
    """Take a model out of shadow that failed again and again, and open an alert; what routes is not touched."""
    _close(shadow, Shadow.Ending.FAILURES, by=None, why=code, at=at)
    alerts.see(
        queue=shadow.queue,
        kind=Alert.Kind.SHADOW,
        key=f"model:{shadow.model.name}",
        level=Alert.Level.WARN,
        figures={"code": code, "strikes": shadow.strikes, "scored": shadow.scored, "failed": shadow.failed},
        began_at=at,
        at=at,
    )
    _note_end(shadow, by=None, at=at)


def one(queue: Queue, shadow_id: int) -> Shadow:
    """Return a queue's shadow by its id."""
    found = Shadow.objects.select_related("model", "queue__version").filter(queue=queue, pk=shadow_id).first()
    if found is None:
        raise NotFound
    return found


def behind(shadow: Shadow) -> Behind:
    """Return what has arrived and was not scored yet."""
    counts = [(orjson.loads(entry)["accepted"], when) for entry, when in _entries(shadow, COUNTED)]
    since = next((when for accepted, when in counts if accepted), None)
    return Behind(sum(accepted for accepted, _when in counts), since, len(counts) == COUNTED)


def _check(model: ModelVersion, why: str, back_days: int) -> None:
    faults = list(terms.blank("why", why))
    if model.kind != ModelVersion.Kind.PIPELINE:
        detail = _("The scores of this model come from outside: send them with the items, under its name.")
        faults.append(Fault("model", "external", detail))
    if not 0 <= back_days <= MOST_BACK:
        faults.append(Fault("back_days", "range", _("must be from 0 to %(most)s") % {"most": MOST_BACK}))
    if faults:
        raise Invalid(faults=faults)


def _entries(shadow: Shadow, most: int) -> list[tuple[str, datetime]]:
    arrivals = Event.objects.filter(chain=shadow.queue_id, kind=Event.Kind.ITEMS_ARRIVED, seq__gt=shadow.seq)
    return list(arrivals.order_by("seq").values_list("entry", "at")[:most])


def _close(shadow: Shadow, ending: Shadow.Ending, *, by: User | None, why: str, at: datetime) -> None:
    """End it; refuses one that has ended. Whoever ends one takes locks in this order: the row, the alert, the chain."""
    columns = {"ended_at": at, "ender": by, "ending": ending, "end_why": why}
    if not Shadow.objects.running().filter(pk=shadow.pk).update(**columns):
        raise Conflict(_("This model is not in shadow any more."))
    shadow.refresh_from_db()


def _note_end(shadow: Shadow, *, by: User | None, at: datetime) -> None:
    entry = {"shadow": shadow.pk, "model": shadow.model_id, "scored": shadow.scored, "failed": shadow.failed}
    log.append(
        Event.Kind.SHADOW_STOPPED,
        chain=shadow.queue_id,
        actor=by,
        at=at,
        reason=shadow.ending,
        entry=entry,
        rows=(shadow,),
    )


def _lock(queue_id: int) -> None:
    """Let nobody else put a model in shadow on this queue until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.SHADOWS, queue_id])
