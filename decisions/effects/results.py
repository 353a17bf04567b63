"""Results: what the outside world says it really did. Told is not done."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet, Value
from django.utils.translation import gettext as _

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.models import Action, Event, User
from decisions.record import log
from decisions.rights import Act

LONGEST = 500


@transaction.atomic
def record(*, action_id: int, person: User, result: str, detail: str, at: datetime) -> Action:
    """Store what came of an action; the same again changes nothing, another result replaces it and is logged.

    Refuses what is no result, and results of actions that nobody was told.
    """
    action = Action.objects.select_for_update(of=("self",)).select_related("item").filter(pk=action_id).first()
    if action is None:
        raise NotFound
    rights.require(person, Act.RECORD_RESULT, queue_id=action.queue_id)
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


def told_but_not_done(queue_id: int, at: datetime, *, older_than: timedelta = timedelta(0)) -> QuerySet[Action]:
    """Return the actions that were delivered and are not said to be done, the oldest first, each with its `age`."""
    age = ExpressionWrapper(Value(at) - F("delivered_at"), output_field=DurationField())
    told = Action.objects.filter(queue=queue_id).told_but_not_done().filter(delivered_at__lte=at - older_than)
    return told.annotate(age=age).select_related("item").order_by("delivered_at", "id")


def _demand_words(result: str, detail: str) -> None:
    faults = []
    if result not in Action.Result:
        faults.append(Fault("result", "choice", _("The result is done, failed or refused.")))
    if len(detail) > LONGEST or "\x00" in detail:
        faults.append(Fault("detail", "length", _("At most %(most)d characters.") % {"most": LONGEST}))
    if faults:
        raise Invalid(faults=faults)
