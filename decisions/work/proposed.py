"""What becomes of what overrides say is to be mended: taken up, or dismissed with a reason."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid
from decisions.measure import trust
from decisions.models import Event, ProposalAnswer, Queue, User
from decisions.record import log
from decisions.rights import Act

LONGEST = 500


@transaction.atomic
def answer(
    *, queue: Queue, kind: str, key: str, is_taken: bool, why: str, by: User, within: tuple[datetime, datetime]
) -> ProposalAnswer:
    """Store what somebody says of a proposal that stands by the decisions of `within`.

    Refuses who may not draft a policy, a dismissal without a reason, and a proposal that does not stand (any more).
    """
    rights.require(by, Act.DRAFT_POLICY, queue_id=queue.pk)
    why = why.strip()
    if not is_taken and not why:
        raise Invalid(faults=[Fault("why", "required", _("Say why it is dismissed."))])
    if len(why) > LONGEST or "\0" in why:
        detail = _("At most %(most)d characters, all of which can be stored.") % {"most": LONGEST}
        raise Invalid(faults=[Fault("why", "characters", detail)])
    at = log.now()
    standing = {(one.proposal.kind.value, one.proposal.key) for one in trust.proposed(queue, *within, at=at)}
    if (kind, key) not in standing:
        raise Conflict(_("This proposal does not stand any more: the decisions of this window say something else."))
    told = ProposalAnswer(queue=queue, kind=kind, key=key, is_taken=is_taken, why=why, person=by, at=at)
    told.save(force_insert=True)
    entry = {"proposal": told.pk, "kind": kind, "is_taken": is_taken}
    log.append(Event.Kind.PROPOSAL_ANSWERED, chain=queue.pk, actor=by, at=at, entry=entry, rows=(told,))
    return told
