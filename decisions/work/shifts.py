"""Shifts: who plans to work on a queue, and when."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Fault, Invalid, NotFound
from decisions.models import Event, Shift, User
from decisions.record import digest, log
from decisions.rights import Act


@transaction.atomic
def enter(
    *, queue_id: int, by: User, starts_at: datetime, ends_at: datetime, people: int, rate: float | None = None
) -> Shift:
    """Enter a shift.

    `rate` is decisions per person and hour, None = as measured. Refuses a span that ends before it starts.
    """
    rights.require(by, Act.MANAGE_SHIFTS, queue_id=queue_id)
    faults = []
    if ends_at <= starts_at:
        faults.append(Fault("ends_at", "order", _("A shift ends after it starts.")))
    if people < 1:
        faults.append(Fault("people", "range", _("A shift has at least one person.")))
    if rate is not None and rate <= 0:
        faults.append(Fault("rate", "range", _("A rate is above zero.")))
    if faults:
        raise Invalid(faults=faults)
    shift = Shift.objects.create(
        queue_id=queue_id, made_by=by, starts_at=starts_at, ends_at=ends_at, people=people, rate=rate
    )
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


def _note(shift: Shift, by: User, what: str) -> None:
    entry = {
        "shift": shift.pk,
        "starts_at": digest.moment(shift.starts_at),
        "ends_at": digest.moment(shift.ends_at),
        "people": shift.people,
        "rate": shift.rate,
    }
    log.append(Event.Kind.SHIFT_CHANGED, chain=shift.queue_id, actor=by, at=log.now(), reason=what, entry=entry)
