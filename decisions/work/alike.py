"""Items like this one that people decided, for who is not to judge it unbiased."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from decisions import redact, rights
from decisions.learning import similar
from decisions.models import Body, Gold, Item, Ruling, User
from decisions.queues.spec import Spec
from decisions.redact import Sight
from decisions.rights import Act, Standing

SHOWN = 5
LOOKED_AT = 40  # of the nearest: some may not be shown, or hold no more
BY_PEOPLE = (Ruling.Source.DECISION, Ruling.Source.OVERRIDE, Ruling.Source.ADJUDICATION, Ruling.Source.APPEAL)


@dataclass(frozen=True)
class Alike:
    """A similar item, and what people found of it: key and label. `is_open`: this person may read its record."""

    id: int
    external_id: str
    outcome: str
    label: str
    at: datetime
    is_simulated: bool
    is_open: bool


def to(item: Item, *, sight: Sight, standing: Standing, user: User, spec: Spec, at: datetime) -> list[Alike]:
    """Return up to five decided items of the same queue that are most like this one, the nearest first.

    None to who is blind to the item. Left out is what is not final, what the expiry rule ended, what is given out as
    gold, what was erased, and what this person is blind to.
    """
    index = similar.load(spec.slug) if sight.history else None
    if index is None or item.body.content is None:
        return []
    near = index.nearest(orjson.loads(item.body.content)["payload"], LOOKED_AT)
    held = _held([pk for pk in near if pk != item.pk], item.queue_id, at)
    seen = redact.for_many(held, standing=standing, user=user, spec=spec)
    is_open = rights.may(standing, Act.READ_RECORD)
    shown = [held[pk] for pk in near if pk in held and seen[pk].history][:SHOWN]
    labels = {outcome.key: outcome.label for outcome in spec.outcomes}
    return [
        Alike(
            id=ruling.item_id,
            external_id=ruling.item.external_id,
            outcome=ruling.outcome,
            label=labels.get(ruling.outcome, ruling.outcome),
            at=ruling.at,
            is_simulated=ruling.person is not None and ruling.person.is_simulated,
            is_open=is_open,
        )
        for ruling in shown
    ]


def _held(ids: list[int], queue_id: int, at: datetime) -> dict[int, Ruling]:
    """Return by item what people ruled and holds, of those that may be an example to anybody."""
    last = Ruling.objects.filter(item__in=ids, queue=queue_id).order_by("item", "-no").distinct("item")
    found = {
        ruling.item_id: ruling
        for ruling in last.select_related("item", "person")
        if ruling.outcome and ruling.source in BY_PEOPLE and ruling.final_at <= at
    }
    marks = Gold.objects.filter(item__in=list(found)).order_by("item", "-no").distinct("item")
    in_use = {item for item, outcome in marks.values_list("item", "outcome") if outcome}
    erased = set(Body.objects.filter(item__in=list(found), content__isnull=True).values_list("item", flat=True))
    return {pk: ruling for pk, ruling in found.items() if pk not in in_use | erased}
