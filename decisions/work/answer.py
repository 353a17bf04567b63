"""What a person answers, and whether the spec takes it as an answer."""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.models import Body
from decisions.queues.spec import Outcome, Spec
from decisions.record import digest

LONGEST_NOTE = 4_000
LONGEST_ACTIVE = 86_400.0


@dataclass(frozen=True)
class Answer:
    """An outcome's key, a reason code of that outcome, a note, and the seconds that were really spent on it."""

    outcome: str
    reason: str = ""
    note: str = ""
    active_seconds: float | None = None


def check(answer: Answer, spec: Spec, *, against: str) -> Outcome:
    """Return the outcome that was answered; Invalid names all that is wrong with the answer.

    `against` is the outcome that the person knows to be suggested or in force: another one needs a reason, where its
    outcome has any. It is "" where they may not know it, for asking for a reason would tell.
    """
    outcome = spec.outcome(answer.outcome)
    if outcome is None:
        raise Invalid(faults=[Fault("outcome", "choice", _("This queue has no such outcome."))])
    faults = [*_reason_faults(answer, outcome, against), *_note_faults(answer.note), *_time_faults(answer)]
    if faults:
        raise Invalid(faults=faults)
    return outcome


def _reason_faults(answer: Answer, outcome: Outcome, against: str) -> list[Fault]:
    reason = next((r for r in outcome.reasons if r.code == answer.reason), None)
    if reason and reason.needs_note and not answer.note.strip():
        return [Fault("note", "required", _("This reason needs a note."))]
    if answer.reason and not reason:
        return [Fault("reason", "choice", _("This is none of the reasons for that outcome."))]
    if not reason and outcome.reasons and against not in ("", outcome.key):
        return [Fault("reason", "required", _("Say why you decide otherwise."))]
    return []


def _note_faults(note: str) -> list[Fault]:
    if len(note) > LONGEST_NOTE:
        return [Fault("note", "too_long", _("A note has at most %(most)s characters.") % {"most": LONGEST_NOTE})]
    if "\0" in note or any("\ud800" <= c <= "\udfff" for c in note):
        return [Fault("note", "characters", _("The note holds characters that cannot be stored."))]
    return []


def _time_faults(answer: Answer) -> list[Fault]:
    seconds = answer.active_seconds
    if seconds is None or (math.isfinite(seconds) and 0 <= seconds <= LONGEST_ACTIVE):
        return []
    return [Fault("active_seconds", "range", _("Between 0 and 86,400 seconds."))]


def commit(note: str, item_id: int) -> bytes | None:
    """Return the commitment to a note under the salt of the item's body, None without a note.

    Refuses a note on an item whose content was erased: there is no salt left to commit with.
    """
    if not note:
        return None
    # Locked, so that an erasure does not run past a note that is being written.
    salt = Body.objects.select_for_update().filter(item=item_id).values_list("salt", flat=True).first()
    if salt is None:
        raise Invalid(faults=[Fault("note", "erased", _("The item was erased, so it takes no notes."))])
    return digest.commitment(bytes(salt), note.encode())
