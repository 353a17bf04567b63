"""Results: what the outside world says it really did. Told is not done."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.models import Action, Event, User
from decisions.record import log
from decisions.rights import Act

LONGEST = 500


@dataclass(frozen=True)
class Told:
    """An action that was delivered and is not said to be done, and for how long."""

    action: Action
    age: timedelta


@transaction.atomic
def record(*, action_id: int, person: User, result: str, detail: str, at: datetime) -> Action:
    """Store what came of an action; the same again changes nothing, another result replaces it and is logged.

    Refuses what is no result, and results of actions that nobody was told.
    """
    action = Action.objects.select_for_update(of=("self",)).select_related("item").filter(pk=action_id).first()
    if action is None:
        raise NotFound
    rights.require(person, Act.RECORD_RESULT, queue_id=action.queue_id, item_id=action.item_id)
    _demand_words(result, detail)
    if action.attempts == 0:
        raise Conflict(_("Nobody was told of this action yet."))
    if (action.result, action.result_detail) == (result, detail):
        return action
    before = action.result
    action.result, action.result_detail, action.result_at = Action.Result(result), detail, at
    action.save(update_fields=["result", "result_detail", "result_at"])
    entry = {"action": action.pk, "before": before, "after": result}
    log.append(
        Event.Kind.ACTION_RESULT,
        chain=action.queue_id,
        actor=person,
        at=at,
        item=action.item,
        reason=result,
        entry=entry,
    )
    return action


def told_but_not_done(
    queue_id: int, at: datetime, *, older_than: timedelta = timedelta(0), most: int = 100
) -> list[Told]:
    """Return what was delivered and is not said to be done, the oldest first, at most so many."""
    actions = Action.objects.filter(queue=queue_id, delivered_at__lte=at - older_than).told_but_not_done()
    return [
        Told(action, at - action.delivered_at)
        for action in actions.select_related("item").order_by("delivered_at", "id")[:most]
        if action.delivered_at
    ]


def _demand_words(result: str, detail: str) -> None:
    faults = []
    if result not in Action.Result:
        faults.append(Fault("result", "choice", _("The result is done, failed or refused.")))
    if len(detail) > LONGEST or "\x00" in detail:
        faults.append(Fault("detail", "length", _("At most %(most)d characters.") % {"most": LONGEST}))
    if faults:
        raise Invalid(faults=faults)
