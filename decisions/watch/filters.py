"""Turns a filter off whose blocks cost more than they spare; only a person turns it on again. Each step is an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.measure import filtered
from decisions.measure.filtered import Blocks, Verdict
from decisions.models import Alert, Event, ModelVersion, Policy, Queue, User
from decisions.queues import live
from decisions.queues.live import Live
from decisions.record import log
from decisions.rights import Act
from decisions.watch import alerts, rounds

KINDS = (Event.Kind.FILTER_STOPPED, Event.Kind.FILTER_SWITCHED)


class Why(models.TextChoices):
    """Why a person switches a filter: a code, for the record holds no free text."""

    TRAINED = "trained", gettext_lazy("It was trained again")
    COSTS = "costs", gettext_lazy("The costs were corrected")
    RISK = "risk", gettext_lazy("It blocks too much, or the wrong items")
    TEST = "test", gettext_lazy("It is being tried out")


@dataclass(frozen=True)
class State:
    """A queue's filter as it stands: the model (None: none was made yet), and the last step: when, by whom, why.

    `person` None with a `since`: the machine turned it off.
    """

    model: ModelVersion | None
    is_on: bool
    since: datetime | None
    person: User | None
    why: str
    blocks: Blocks | None


def check_all(at: datetime) -> int:
    """Turn off the filters that surely cost more than they spare; return how many."""
    queues = Queue.objects.exclude(version=None).filter(is_filter_off=False, policies__state=Policy.State.LIVE)
    asking = (queue for queue in queues.select_related("version").order_by("pk") if queue.spec.filter.cut is not None)
    return rounds.of(asking, lambda queue: check(queue.pk, at), broken="queues whose filter was not looked at")


@transaction.atomic
def check(queue_id: int, at: datetime) -> bool:
    """Turn a queue's filter off where the upper limit of b is below f / i, with event and alert; say whether."""
    queue = _locked(queue_id)
    force = live.of_id(queue_id)
    if force.filter is None:
        return False
    blocks = filtered.measured(force, at, _since(queue_id, at))
    if blocks is None or blocks.verdict != Verdict.LOSES:
        return False
    _set(queue, is_on=False)
    told = _figures(blocks)
    entry = {"model": force.filter.pk, "is_on": False, "figures": told}
    log.append(Event.Kind.FILTER_STOPPED, chain=queue_id, actor=None, at=at, reason="loses", entry=entry)
    alerts.see(
        queue=queue,
        kind=Alert.Kind.FILTER,
        level=Alert.Level.WARN,
        figures=told,
        began_at=blocks.start,
        at=at,
    )
    return True


@transaction.atomic
def switch(*, queue_id: int, is_on: bool, why: str, by: User, at: datetime) -> None:
    """Turn a queue's filter on or off. What it did before does not count against one that was turned on again.

    Refuses where the queue asks for no filter, and what is so already.
    """
    rights.require(by, Act.PUBLISH_POLICY, queue_id=queue_id)
    if why not in Why.values:
        raise Invalid(faults=[Fault("why", "choice", _("Choose one of them."))])
    queue = _locked(queue_id)
    if queue.spec.filter.cut is None:
        raise Conflict(_("This queue's file asks for no filter."))
    if queue.is_filter_off != is_on:
        raise Conflict(_("The filter is on already.") if is_on else _("The filter is off already."))
    _set(queue, is_on=is_on)
    log.append(Event.Kind.FILTER_SWITCHED, chain=queue_id, actor=by, at=at, reason=why, entry={"is_on": is_on})


def state(force: Live, at: datetime) -> State | None:
    """Return a queue's filter as it stands; None where the queue asks for none."""
    if force.spec.filter.cut is None:
        return None
    last = _last(force.queue_id, at)
    return State(
        model=force.filter_ready,
        is_on=not force.is_filter_off,
        since=last.at if last else None,
        person=last.actor if last else None,
        why=last.reason if last else "",
        blocks=filtered.measured(force, at, _since(force.queue_id, at)),
    )


def _last(queue_id: int, at: datetime) -> Event | None:
    found = Event.objects.filter(chain=queue_id, kind__in=KINDS, at__lte=at).select_related("actor")
    return found.order_by("-seq").first()


def _since(queue_id: int, at: datetime) -> datetime | None:
    """Return when somebody last turned the filter on; None: it was on from the beginning."""
    found = Event.objects.filter(chain=queue_id, kind=Event.Kind.FILTER_SWITCHED, at__lte=at).order_by("-seq")
    return next((event.at for event in found[:20] if orjson.loads(event.entry)["is_on"]), None)


def _locked(queue_id: int) -> Queue:
    # Not against the keys that arriving items refer to: they go on meanwhile.
    queues = Queue.objects.select_for_update(of=("self",), no_key=True).select_related("version")
    queue = queues.filter(pk=queue_id).exclude(version=None).first()
    if queue is None:
        raise NotFound
    return queue


def _set(queue: Queue, *, is_on: bool) -> None:
    queue.is_filter_off = not is_on
    queue.save(update_fields=["is_filter_off"])


def _figures(blocks: Blocks) -> Mapping[str, Any]:
    """Return what a filter was turned off on, as it is kept."""
    shares = {"precision": blocks.precision.value, "low": blocks.precision.low, "high": blocks.precision.high}
    rounded = {name: round(value, 4) if value is not None else None for name, value in shares.items()}
    return {**rounded, "even": round(blocks.even, 4), "answered": blocks.precision.n, "blocked": blocks.blocked}
