"""Pausing a queue: items still arrive, nobody is given one."""

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions import rights
from decisions.exceptions import Fault, Invalid
from decisions.models import Event, Queue, User
from decisions.record import log
from decisions.rights import Act


class Why(models.TextChoices):
    """Why a queue is paused or goes on: a code, for the record holds no free text."""

    GUIDELINE = "guideline", gettext_lazy("The guideline is being changed")
    QUALITY = "quality", gettext_lazy("Something is wrong with the items")
    STAFF = "staff", gettext_lazy("Nobody is there to decide")
    INCIDENT = "incident", gettext_lazy("An incident is being looked into")
    MENDED = "mended", gettext_lazy("What was wrong is mended")


def pause(*, queue_id: int, by: User, why: str) -> bool:
    """Stop giving out tasks; says whether that changed anything."""
    return _set(queue_id, by, why, paused=True)


def resume(*, queue_id: int, by: User, why: str) -> bool:
    """Give out tasks again; says whether that changed anything."""
    return _set(queue_id, by, why, paused=False)


@transaction.atomic
def _set(queue_id: int, by: User, why: str, *, paused: bool) -> bool:
    rights.require(by, Act.PAUSE_QUEUE, queue_id=queue_id)
    if why not in Why:
        raise Invalid(faults=[Fault("why", "choice", _("Choose one of the reasons."))])
    if not Queue.objects.filter(pk=queue_id, is_paused=not paused).update(is_paused=paused):
        return False
    kind = Event.Kind.QUEUE_PAUSED if paused else Event.Kind.QUEUE_RESUMED
    log.append(kind, chain=queue_id, actor=by, at=log.now(), reason=why)
    return True
