"""Who decided what, when and why: override history with filters, in pages, and the whole life of an item."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from decisions.models import Action, Decision, Delivery, Event, Evidence, Item, Label, Move, Ruling, Score, User

PAGE = 50


class Which(StrEnum):
    """Which rulings to list."""

    OVERRIDES = "overrides"  # differ from what the policy suggested or the system did
    REVERSALS = "reversals"  # replace an earlier human one
    ALL = "all"


@dataclass(frozen=True)
class Wanted:
    """What to list; an empty field does not narrow. `policy` is its number in the queue, `text` is part of a note."""

    which: Which = Which.OVERRIDES
    person: int | None = None
    was: str = ""
    outcome: str = ""
    reason: str = ""
    source: str = ""
    purpose: str = ""
    route: str = ""
    model: str = ""
    policy: int | None = None
    since: datetime | None = None  # from this time on
    until: datetime | None = None  # before this time
    is_simulated: bool | None = None
    text: str = ""

    def given(self) -> dict[str, Any]:
        """Return the fields that narrow, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value not in ("", None)}


LOOKUPS = {
    "person": "person",
    "outcome": "outcome",
    "reason": "reason",
    "route": "item__route",
    "model": "item__model__name",
    "policy": "item__policy__no",
    "since": "at__gte",
    "until": "at__lt",
    "text": "note__icontains",
}
OF_RULINGS = LOOKUPS | {"was": "was", "source": "source", "purpose": "decision__purpose"}
OF_DECISIONS = LOOKUPS | {"was": "suggested", "purpose": "purpose"}
OF_EVENTS = {"person": "actor", "reason": "reason", "since": "at__gte", "until": "at__lt"}


def rulings(queue_id: int, wanted: Wanted) -> QuerySet[Ruling]:
    """Return a queue's rulings that match, with what a line of the history shows."""
    which = {Which.OVERRIDES: Q(is_override=True), Which.REVERSALS: Q(is_reversal=True), Which.ALL: Q()}
    rows = Ruling.objects.filter(which[wanted.which], _matching(wanted, OF_RULINGS), queue=queue_id)
    return rows.select_related("item__policy", "item__model", "person", "decision")


def decisions(queue_id: int, wanted: Wanted) -> QuerySet[Decision]:
    """Return a queue's decisions that match; `which` does not apply, and `was` is what the policy suggested."""
    rows = Decision.objects.filter(_matching(wanted, OF_DECISIONS), queue=queue_id)
    return rows.select_related("item__policy", "item__model", "person")


def events(chain: int, wanted: Wanted) -> QuerySet[Event]:
    """Return a chain's entries that match by person, reason and time."""
    return Event.objects.filter(_matching(wanted, OF_EVENTS), chain=chain).select_related("actor")


def _matching(wanted: Wanted, lookups: dict[str, str]) -> Q:
    given = wanted.given()
    condition = Q(**{lookups[name]: value for name, value in given.items() if name in lookups})
    if wanted.text and "text" in lookups:
        condition &= ~Q(note="")  # the index on notes has no empty ones
    if wanted.is_simulated is not None:
        who = "actor" if lookups is OF_EVENTS else "person"
        is_simulated = Q(**{f"{who}__kind": User.Kind.SIMULATED})
        condition &= is_simulated if wanted.is_simulated else ~is_simulated
    return condition


@dataclass(frozen=True)
class Page:
    """Some rows, newest first; `after` is the id that asks for the next page, None at the end."""

    rows: list[Any]
    after: int | None


def page(query: QuerySet[Any], *, after: int | None = None, size: int = PAGE) -> Page:
    """Return a page of decisions or rulings at a cost that does not grow with what lies before it."""
    if after is not None:
        query = query.filter(_before(query.model, after))
    rows = list(query.order_by("-at", "-pk")[: size + 1])
    return Page(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def _before(model: type[Model], pk: int) -> Q:
    """Return the condition for the rows that come after this one in a list with the newest first."""
    at = model._default_manager.filter(pk=pk).values_list("at", flat=True).first()
    if at is None:
        return Q(pk=None)
    # The time stands alone as well: an index gives a range for it, and none for an OR.
    return Q(at__lte=at) & (Q(at__lt=at) | Q(pk__lt=pk))


class What(StrEnum):
    """What happened in the life of an item; the order is that of steps at the same time."""

    ARRIVED = "arrived"
    ROUTED = "routed"
    SCORED = "scored"
    MOVED = "moved"
    DECIDED = "decided"
    RULED = "ruled"
    HEARD = "heard"
    TOLD = "told"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    LABELLED = "labelled"
    NOTED = "noted"

    @property
    def label(self) -> Any:
        return LABELS[self]


LABELS = {
    What.ARRIVED: _("Arrived"),
    What.ROUTED: _("Routed"),
    What.SCORED: _("Scored"),
    What.MOVED: _("Task"),
    What.DECIDED: _("Decided"),
    What.RULED: _("Ruled"),
    What.HEARD: _("Heard from outside"),
    What.TOLD: _("Action planned"),
    What.DELIVERED: _("Delivery tried"),
    What.ANSWERED: _("Receiver answered"),
    What.LABELLED: _("Labelled"),
    What.NOTED: _("Recorded"),
}
ORDER = {what: place for place, what in enumerate(What)}


@dataclass(frozen=True)
class Step:
    """One step: when, what, the row that tells of it, and who did it."""

    at: datetime
    what: What
    row: Any
    person: User | None = None


def life(item: Item) -> list[Step]:
    """Return all that happened to an item, oldest first, unredacted: what a person may see is redact's to say."""
    return sorted(_steps(item), key=lambda step: (step.at, ORDER[step.what], step.row.pk))


def _steps(item: Item) -> Iterator[Step]:
    yield Step(item.arrived_at, What.ARRIVED, item.intake, item.intake.sender)
    yield Step(item.arrived_at, What.ROUTED, item)
    for score in Score.objects.filter(item=item).select_related("model"):
        yield Step(score.at, What.SCORED, score)
    for move in Move.objects.filter(task__item=item).select_related("task", "person"):
        yield Step(move.at, What.MOVED, move, move.person)
    for decision in Decision.objects.filter(item=item).select_related("person"):
        yield Step(decision.at, What.DECIDED, decision, decision.person)
    for ruling in Ruling.objects.filter(item=item).select_related("person"):
        yield Step(ruling.at, What.RULED, ruling, ruling.person)
    for evidence in Evidence.objects.filter(item=item).select_related("told_by"):
        yield Step(evidence.at, What.HEARD, evidence, evidence.told_by)
    yield from _told(item)
    for label in Label.objects.filter(item=item).select_related("replaces", "ruling__decision"):
        yield Step(label.at, What.LABELLED, label)
    for event in Event.objects.filter(item=item).select_related("actor"):
        yield Step(event.at, What.NOTED, event, event.actor)


def _told(item: Item) -> Iterator[Step]:
    """Yield what the outside world was told about an item, and what it answered."""
    for action in Action.objects.filter(item=item).defer("body"):
        yield Step(action.created_at, What.TOLD, action)
        if action.result_at is not None:
            yield Step(action.result_at, What.ANSWERED, action)
    for delivery in Delivery.objects.filter(action__item=item).select_related("action"):
        yield Step(delivery.at, What.DELIVERED, delivery)
