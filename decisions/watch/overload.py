"""Takes and releases a queue's overload rules, by the figures or by hand; each step is an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions import rights
from decisions.exceptions import Conflict, Fault, Invalid, NotFound
from decisions.measure import capacity, deadlines, floor, overload, sla, staff
from decisions.measure.overload import Figures, Mode, Standing, Step
from decisions.measure.rollups import HOUR
from decisions.models import Alert, Event, Policy, Queue, Rollup, Task, User
from decisions.queues.spec_time import OverloadRule
from decisions.record import log
from decisions.rights import Act
from decisions.watch import alerts, rounds

RECENT = 2  # whole hours, and the begun one, whose arrivals are the demand


class Why(models.TextChoices):
    """Why a person switches a rule: a code, for the record holds no free text."""

    PEAK = "peak", gettext_lazy("A peak is coming")
    STAFF = "staff", gettext_lazy("People are missing")
    RISK = "risk", gettext_lazy("It lets too much through, or does too little")
    TEST = "test", gettext_lazy("It is being tried out")
    OVER = "over", gettext_lazy("What it was for is over")


@dataclass(frozen=True)
class State:
    """A rule of a queue as it stands, with the step that led there: when, by whom (None: the machine), why, on what."""

    rule: OverloadRule
    level: int
    most: int
    mode: Mode
    is_listed: bool  # in the order of the queue's spec
    since: datetime | None = None
    person: User | None = None
    why: str = ""
    figures: Mapping[str, Any] | None = None


def relieve_all(at: datetime) -> int:
    """Let every queue take the step that its figures ask for; return how many took one."""
    queues = Queue.objects.exclude(version=None).filter(policies__state=Policy.State.LIVE).order_by("pk")
    return rounds.of(queues, lambda queue: relieve(queue.pk, at) is not None, broken="queues that were not relieved")


@transaction.atomic
def relieve(queue_id: int, at: datetime) -> Step | None:
    """Take the one step that a queue's figures ask for now, in one transaction with its event; None where none is."""
    queue = _locked(queue_id)
    if not queue.spec.overload.order and not queue.overload:
        return None
    told = figures(queue, at)
    asked = queue.spec.overload
    step = overload.step(told, _standing(queue), _most(queue), asked, has_rested=_has_rested(queue, at))
    if step is not None:
        kept = queue.overload.get(step.rule, {})
        _take(queue, step, {"mode": kept.get("mode", Mode.AUTO.value), "person": None, "why": ""}, told, at)
    return step


@transaction.atomic
def switch(*, queue_id: int, rule: str, mode: str, why: str, by: User, at: datetime) -> State:
    """Switch a rule on as far as it goes, off, or back to the figures, which then go on from where it stands.

    Refuses a rule that the live policy gives no room.
    """
    rights.require(by, Act.RELIEVE, queue_id=queue_id)
    faults = [
        Fault(name, "choice", _("Choose one of them."))
        for name, given, words in (("rule", rule, OverloadRule), ("mode", mode, Mode), ("why", why, Why.values))
        if given not in list(words)
    ]
    if faults:
        raise Invalid(faults=faults)
    queue, named = _locked(queue_id), OverloadRule(rule)
    level, most = _standing(queue).get(named, Standing()).level, _most(queue)[named]
    if mode == Mode.ON and not most:
        raise Conflict(_("The live policy gives this rule no room."))
    wanted = {Mode.ON: most, Mode.OFF: 0}.get(Mode(mode), level)
    _take(queue, Step(named, level, wanted), {"mode": mode, "person": by, "why": why}, figures(queue, at), at)
    return next(state for state in states(queue) if state.rule is named)


def states(queue: Queue) -> list[State]:
    """Return a queue's rules in the order in which they are taken, then those that are not in its order."""
    order, most = queue.spec.overload.order, _most(queue)
    people = User.objects.in_bulk([kept["person"] for kept in queue.overload.values() if kept["person"]])
    found = []
    for rule in (*order, *(rule for rule in OverloadRule if rule not in order)):
        kept = queue.overload.get(rule)
        is_listed = rule in order
        if kept is None:
            found.append(State(rule, 0, most[rule], Mode.AUTO, is_listed))
            continue
        since = datetime.fromisoformat(kept["since"])
        told = (since, people.get(kept["person"]), kept["why"], kept["figures"])
        found.append(State(rule, kept["level"], most[rule], Mode(kept["mode"]), is_listed, *told))
    return found


def figures(queue: Queue, at: datetime) -> Figures:
    """Return what a queue's rules go by, from the counts of each minute."""
    pressure = deadlines.pressure(queue, at)
    spans, rate = floor.supply(queue.pk, at)
    span = sla.due(queue.spec, queue.spec.sla_of(Task.Purpose.SOFT), at) - at
    is_sure = staff.is_sure(queue.pk, spans, at)
    possible = capacity.decisions(spans, at, at + span, rate=rate) if is_sure else 0.0
    backlog = pressure.late + pressure.later + sum(risk.tasks for risk in pressure.risks)
    return Figures(pressure.load, pressure.at_risk, int(backlog), _demand(queue.pk, at), possible / (span / HOUR))


def spared(queue_id: int, since: datetime) -> int:
    """Return how many items were passed because a cut was raised, from an hour on."""
    rows = Rollup.objects.filter(queue=queue_id, figure="banded", at__gte=since, key__endswith=":pass:overload")
    return int(sum(rows.values_list("value", flat=True)))


def _demand(queue_id: int, at: datetime) -> float:
    """Return the items an hour that came for people lately, or would have without a raised cut."""
    start = at.replace(minute=0, second=0, microsecond=0) - HOUR * RECENT
    rows = Rollup.objects.filter(queue=queue_id, figure="banded", at__gte=start, at__lte=at)
    kept = rows.filter(models.Q(key__contains=":soft:") | models.Q(key__endswith=":pass:overload"))
    parts = (row for row in kept if row.key.split(":")[3] == "soft" or row.key.endswith(":overload"))
    return sum(row.value for row in parts) / ((at - start) / HOUR)


def _locked(queue_id: int) -> Queue:
    # Not against the keys that arriving items refer to: they go on meanwhile.
    queues = Queue.objects.select_for_update(of=("self",), no_key=True).select_related("version")
    queue = queues.filter(pk=queue_id).exclude(version=None).first()
    if queue is None:
        raise NotFound
    return queue


def _standing(queue: Queue) -> dict[OverloadRule, Standing]:
    return {OverloadRule(rule): Standing(kept["level"], Mode(kept["mode"])) for rule, kept in queue.overload.items()}


def _most(queue: Queue) -> dict[OverloadRule, int]:
    policy = Policy.objects.live().filter(queue=queue).first()
    return overload.limits(policy) if policy else dict.fromkeys(OverloadRule, 0)


def _has_rested(queue: Queue, at: datetime) -> bool:
    since = [datetime.fromisoformat(kept["since"]) for kept in queue.overload.values()]
    return all(at - one >= queue.spec.overload.rest for one in since)


def _take(queue: Queue, step: Step, how: dict[str, Any], told: Figures, at: datetime) -> None:
    """Store a step, note it, and tell the owner of a rule that begins."""
    person: User | None = how["person"]
    shown = _shown(told)
    kept = {
        "level": step.new,
        "since": at.isoformat(),
        "figures": shown,
        **how,
        "person": person.pk if person else None,
    }
    queue.overload = {**queue.overload, step.rule.value: kept}
    queue.save(update_fields=["overload"])
    _note(queue, step, how, shown, at)
    if step.new and not step.old:
        alerts.see(
            queue=queue,
            kind=Alert.Kind.OVERLOAD,
            key=f"rule:{step.rule}",
            level=Alert.Level.ACT if step.rule is OverloadRule.CROWD else Alert.Level.WARN,
            figures=shown,
            began_at=at,
            at=at,
        )


def _note(queue: Queue, step: Step, how: dict[str, Any], shown: dict[str, Any], at: datetime) -> None:
    person: User | None = how["person"]
    if person is not None:
        kind = Event.Kind.OVERLOAD_SWITCHED
    else:
        kind = Event.Kind.OVERLOAD_TAKEN if step.new > step.old else Event.Kind.OVERLOAD_RELEASED
    entry = {"rule": step.rule.value, "from": step.old, "to": step.new, "mode": how["mode"], "figures": shown}
    log.append(kind, chain=queue.pk, actor=person, at=at, reason=how["why"] or step.rule.value, entry=entry)


def _shown(told: Figures) -> dict[str, Any]:
    """Return figures as they are kept: rounded, and null where they have no end."""
    numbers = {"load": told.load, "utilisation": told.utilisation, "demand": told.demand, "capacity": told.capacity}
    rounded = {name: round(value, 3) if isfinite(value) else None for name, value in numbers.items()}
    return {**rounded, "at_risk": told.at_risk, "backlog": told.backlog}
