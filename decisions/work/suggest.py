"""What the machine suggested for an item, or did with it: as a key of an outcome."""

from decisions.models import Item, Policy
from decisions.queues.spec import Spec


def suggestion(item: Item, policy: Policy, spec: Spec) -> str:
    """Return the outcome that the item's policy suggests to people; "" when nothing scored it."""
    if item.score is None:
        return ""
    return spec.routes.positive if item.score >= policy.suggest else spec.routes.negative


def machine(item: Item, policy: Policy, spec: Spec) -> str:
    """Return the outcome that the route stands for, or the suggestion where a person was to decide."""
    done = {Item.Route.HARD: spec.routes.positive, Item.Route.PASS: spec.routes.negative}
    return done.get(Item.Route(item.route)) or suggestion(item, policy, spec)
