"""What the core refuses. The docstring of a class is the message shown to the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Fault:
    """One thing wrong with what was sent: where (`field`, a path), what (`code`) and in words (`detail`)."""

    field: str
    code: str
    detail: str


class Refused(Exception):  # noqa: N818 - the words of the house: something is refused
    """This cannot be done."""

    code = "refused"

    def __init__(self, detail: str = "", *, faults: Sequence[Fault] = ()) -> None:
        self.detail = detail or _((type(self).__doc__ or "").strip())
        self.faults = tuple(faults)
        super().__init__(self.detail)


class Invalid(Refused):
    """What was sent is not valid."""

    code = "invalid"


class NotFound(Refused):
    """There is no such thing, or it is not yours to see."""

    code = "not_found"


class Conflict(Refused):
    """The state has changed, so this no longer fits."""

    code = "conflict"


class LeaseLost(Conflict):
    """Your hold on this item ended and someone else may have it."""

    code = "lease_lost"


class AlreadyDecided(Conflict):
    """This task has already been decided."""

    code = "already_decided"


class TooLate(Conflict):
    """The time for this is over."""

    code = "too_late"


class CapReached(Conflict):
    """You hold as many items as you may. Decide or release one first."""

    code = "cap_reached"


class NeedsSecond(Conflict):
    """A second person has to confirm this."""

    code = "needs_second"


class QueuePaused(Conflict):
    """This queue is paused."""

    code = "queue_paused"


class PersonPaused(Conflict):
    """Your work on this queue is paused: too many of the answers that were checked were wrong. A lead can lift it."""

    code = "person_paused"


class NotOnboarded(Conflict):
    """Before your first item here you answer a set of known ones, and none is left for you: ask a lead."""

    code = "not_onboarded"


class OtherContent(Conflict):
    """An item with this external id is already here, with other content."""

    code = "other_content"


class Erased(Conflict):
    """The content of this item was erased, so it cannot be compared."""

    code = "erased"


class OnLegalHold(Conflict):
    """This item is on legal hold and may not be erased."""

    code = "legal_hold"


class Forbidden(Refused):
    """You do not have the right to do this."""

    code = "forbidden"

    def __init__(
        self, detail: str = "", *, right: str = "", queue_id: int | None = None, item_id: int | None = None
    ) -> None:
        super().__init__(detail)
        self.right = right
        self.queue_id = queue_id
        self.item_id = item_id


class TooBig(Refused):
    """What was sent is too big."""

    code = "too_big"
