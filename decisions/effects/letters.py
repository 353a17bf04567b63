"""Actions that did not arrive: how many, why, and sending dead letters again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from decisions import hints, rights
from decisions.models import Action, Endpoint, Event, User
from decisions.record import log
from decisions.rights import Act

MOST = 10_000  # counted, and replayed at once


@dataclass(frozen=True)
class Post:
    """How a queue's actions fare; counts stop at 10,000, which reads "that many or more".

    `is_told`: there is somebody to tell. While not, what is pending waits.
    """

    is_told: bool
    disabled_reason: str
    pending: int
    dead: int
    told_but_not_done: int

    @property
    def nobody_to_tell(self) -> int:
        """How many actions wait for an endpoint."""
        return 0 if self.is_told else self.pending


def post(queue_id: int) -> Post:
    """Return how a queue's actions fare now."""
    endpoint = Endpoint.objects.filter(queue=queue_id).first()
    actions = Action.objects.filter(queue=queue_id)
    return Post(
        is_told=endpoint is not None and endpoint.is_active,
        disabled_reason=endpoint.disabled_reason if endpoint else "",
        pending=_count(actions.pending()),
        dead=_count(actions.filter(state=Action.State.DEAD)),
        told_but_not_done=_count(actions.told_but_not_done()),
    )


@transaction.atomic
def replay(*, queue_id: int, by: User | None, at: datetime, action_ids: Sequence[int] | None = None) -> list[int]:
    """Send dead letters again under their old ids, at most 10,000 at once; return those that will be.

    Named ones are also sent again where they were delivered. Left out is what has been erased.
    """
    if by is not None:
        rights.require(by, Act.REPLAY_DELIVERY, queue_id=queue_id)
    states = [Action.State.DEAD] if action_ids is None else [Action.State.DEAD, Action.State.DELIVERED]
    letters = Action.objects.filter(queue=queue_id, state__in=states, body__isnull=False)
    if action_ids is not None:
        letters = letters.filter(id__in=action_ids)
    replayed = _revive(letters, at)
    if replayed:
        hints.on_commit("deliver_due")
        log.append(Event.Kind.ACTION_REPLAYED, chain=queue_id, actor=by, at=at, entry={"actions": replayed})
    return replayed


def _revive(letters: QuerySet[Action], at: datetime) -> list[int]:
    ids = list(letters.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True)[:MOST])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE decisions_action SET state = 'pending', next_at = %s WHERE id = ANY(%s) RETURNING id", [at, ids]
        )
        return sorted(row[0] for row in cursor.fetchall())


def _count(actions: QuerySet[Action]) -> int:
    return actions.values("id")[:MOST].count()
