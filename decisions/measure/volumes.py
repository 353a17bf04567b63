"""How many items each policy sent which way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from decisions.models import Item, Rollup
from decisions.record import log

WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class Volume:
    """Items a policy routed in the window, and the shares in [0, 1] of each route; None where it routed none."""

    total: int
    shares: dict[str, float | None]


def by_policy(queue_id: int, policy_ids: Iterable[int], since: datetime | None = None) -> dict[int, Volume]:
    """Return each policy's volume over the last 30 days, or from an hour on, from the hourly figures."""
    since = since or log.now() - WINDOW
    counts: dict[int, dict[str, float]] = {pk: {} for pk in policy_ids}
    for row in Rollup.objects.filter(queue=queue_id, figure="routed", at__gte=since):
        policy, _colon, route = row.key.partition(":")
        if int(policy) in counts:
            counts[int(policy)][route] = counts[int(policy)].get(route, 0) + row.value
    return {pk: _volume(routes) for pk, routes in counts.items()}


def _volume(routes: dict[str, float]) -> Volume:
    total = sum(routes.values())
    return Volume(int(total), {route: routes.get(route, 0) / total if total else None for route in Item.Route.values})
