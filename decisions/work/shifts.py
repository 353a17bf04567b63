"""Shifts and absences: how many work on a queue and when, who of them by name, and who is away."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.models import Absence, Event, Queue, Shift, User
from decisions.record import digest, log
from decisions.rights import Act
from decisions.work import fitness


@dataclass(frozen=True)
class Plan:
    """What is planned in a span, on a queue or for a person: shifts (numbers and names), and absences."""

    shifts: Sequence[Shift]
    absences: Sequence[Absence]


@transaction.atomic
def enter(
    *,
    queue_id: int,
    by: User,
    starts_at: datetime,
    ends_at: datetime,
    people: int = 1,
    rate: float | None = None,
    person_id: int | None = None,
) -> Shift:
    """Enter a shift of so many people, or of one by name.

    `rate` is decisions per person and hour, None = as measured. Refuses a span that ends before it starts, who cannot
    be given work on the queue, and who has another shift at that time, wherever that is.
    """
    rights.require(by, Act.MANAGE_SHIFTS, queue_id=queue_id)
    faults = _order(starts_at, ends_at, _("A shift ends after it starts."))
    if people < 1 or (person_id is not None and people != 1):
        faults.append(Fault("people", "range", _("A shift has at least one person, and one of a name has one.")))
    if rate is not None and rate <= 0:
        faults.append(Fault("rate", "range", _("A rate is above zero.")))
    if faults:
        raise Invalid(faults=faults)
    person = _worker(queue_id, person_id) if person_id is not None else None
    if person and Shift.objects.filter(person=person, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise Conflict(_("They have another shift at that time."))
    span = {"starts_at": starts_at, "ends_at": ends_at}
    shift = Shift.objects.create(queue_id=queue_id, made_by=by, person=person, people=people, rate=rate, **span)
    _note(shift, by, "entered")
    return shift


@transaction.atomic
def remove(*, queue_id: int, shift_id: int, by: User) -> None:
    """Take a shift out of the plan."""
    rights.require(by, Act.MANAGE_SHIFTS, queue_id=queue_id)
    shift = Shift.objects.select_for_update().filter(pk=shift_id, queue=queue_id).first()
    if shift is None:
        raise NotFound
    _note(shift, by, "removed")
    shift.delete()


@transaction.atomic
def enter_absence(*, queue: Queue, person_id: int, by: User, starts_at: datetime, ends_at: datetime) -> Absence:
    """Say that a person of the queue is away, everywhere. Everybody may say so of themselves."""
    _require_absence(queue, person_id, by)
    faults = _order(starts_at, ends_at, _("An absence ends after it starts."))
    if faults:
        raise Invalid(faults=faults)
    person = fitness.member(queue, person_id).user
    absence = Absence.objects.create(person=person, starts_at=starts_at, ends_at=ends_at, made_by=by)
    _note_absence(absence, queue, by, "entered")
    return absence


@transaction.atomic
def remove_absence(*, queue: Queue, absence_id: int, by: User) -> None:
    """Take an absence back."""
    absence = Absence.objects.select_for_update().filter(pk=absence_id).first()
    if absence is None:
        raise NotFound
    _require_absence(queue, absence.person_id, by)
    _note_absence(absence, queue, by, "removed")
    absence.delete()


def is_away(person: User, at: datetime) -> bool:
    """Tell whether a person is away at a time."""
    return Absence.objects.filter(person=person, starts_at__lte=at, ends_at__gt=at).exists()


def plan(queue: Queue, start: datetime, end: datetime) -> Plan:
    """Return what is planned on a queue in [start, end), and who of its people is away in it."""
    shifts = Shift.objects.filter(queue=queue, starts_at__lt=end, ends_at__gt=start)
    ids = [row.user_id for row in fitness.workers(queue)]
    away = Absence.objects.filter(person__in=ids, starts_at__lt=end, ends_at__gt=start)
    return Plan(
        list(shifts.select_related("person").order_by("starts_at", "pk")),
        list(away.select_related("person").order_by("starts_at", "pk")),
    )


def own(person_id: int, queue_ids: Collection[int], start: datetime, end: datetime) -> Plan:
    """Return a person's shifts on some queues in [start, end), and when they are away in it."""
    span = {"person": person_id, "starts_at__lt": end, "ends_at__gt": start}
    shifts = Shift.objects.filter(queue__in=queue_ids, **span).select_related("queue__version")
    return Plan(
        list(shifts.order_by("starts_at", "pk")), list(Absence.objects.filter(**span).order_by("starts_at", "pk"))
    )


def zone_of(person: User | None, queue: Queue) -> ZoneInfo:
    """Return the clock on which a person's times are read: their own where they named one, else the queue's."""
    return ZoneInfo(person.timezone) if person and person.timezone else queue.spec.zone


def set_zone(*, person: User, zone: str) -> None:
    """Set a person's own time zone; "" is that of each queue."""
    if zone and zone not in available_timezones():
        raise Invalid(faults=[Fault("timezone", "choice", _("is not a time zone; name one such as “Europe/Madrid”"))])
    User.objects.filter(pk=person.pk).update(timezone=zone)


def _worker(queue_id: int, person_id: int) -> User:
    """Return a person who can be given work on a queue, or refuse; their row is locked, so shifts come one by one."""
    person = User.objects.select_for_update().filter(pk=person_id, is_active=True).first()
    stands = rights.standing(person, queue_id) if person else None
    if person is None or stands is None or rights.limit(stands, Act.CLAIM) is None:
        raise Invalid(faults=[Fault("person", "reference", _("They cannot be given work on this queue."))])
    return person


def _order(starts_at: datetime, ends_at: datetime, detail: str) -> list[Fault]:
    return [] if ends_at > starts_at else [Fault("ends_at", "order", detail)]


def _require_absence(queue: Queue, person_id: int, by: User) -> None:
    fitness.member(queue, person_id)
    if by.pk != person_id:
        rights.require(by, Act.MANAGE_SHIFTS, queue_id=queue.pk)


def _note(shift: Shift, by: User, what: str) -> None:
    entry = {
        "shift": shift.pk,
        "starts_at": digest.moment(shift.starts_at),
        "ends_at": digest.moment(shift.ends_at),
        "people": shift.people,
        "rate": shift.rate,
        **({"person": shift.person_id} if shift.person_id else {}),
    }
    log.append(Event.Kind.SHIFT_CHANGED, chain=shift.queue_id, actor=by, at=log.now(), reason=what, entry=entry)


def _note_absence(absence: Absence, queue: Queue, by: User, what: str) -> None:
    span = {"starts_at": digest.moment(absence.starts_at), "ends_at": digest.moment(absence.ends_at)}
    entry = {"absence": absence.pk, "person": absence.person_id, **span}
    log.append(Event.Kind.ABSENCE_CHANGED, chain=queue.pk, actor=by, at=log.now(), reason=what, entry=entry)
