"""What else came from the same subject."""

from dataclasses import dataclass
from datetime import datetime

from decisions import redact
from decisions.models import Item, Ruling, User
from decisions.queues.spec import Spec
from decisions.redact import Sight
from decisions.rights import Standing


@dataclass(frozen=True)
class Earlier:
    """An earlier item of the same subject.

    `outcome` is the label of what holds, "" where nothing does or it is hidden.
    """

    id: int
    external_id: str
    at: datetime
    outcome: str


def of_subject(item: Item, *, sight: Sight, standing: Standing, user: User, spec: Spec, count: int) -> list[Earlier]:
    """Return up to `count` earlier items of the item's subject, newest first; none to who is blind to the item."""
    if not item.subject or not sight.history:
        return []
    same = Item.objects.filter(queue=item.queue_id, subject=item.subject, pk__lt=item.pk).order_by("-pk")
    earlier = list(same[:count])
    ids = [past.pk for past in earlier]
    seen = redact.for_many(ids, standing=standing, user=user, spec=spec)
    held = {ruling.item_id: ruling.outcome for ruling in Ruling.objects.filter(item__in=ids).order_by("item", "no")}
    labels = {outcome.key: outcome.label for outcome in spec.outcomes}
    return [
        Earlier(
            id=past.pk,
            external_id=past.external_id,
            at=past.arrived_at,
            outcome=labels.get(held.get(past.pk, ""), "") if seen[past.pk].history else "",
        )
        for past in earlier
    ]
