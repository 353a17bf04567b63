"""What a person may see of an item: one rule for pages and API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection

from decisions import rights
from decisions.models import (
    Appeal,
    Body,
    Decision,
    Draw,
    Event,
    Evidence,
    Item,
    Membership,
    Move,
    PendingOverride,
    Ruling,
    Task,
    User,
)
from decisions.queues.spec import Spec
from decisions.record.history import Step, What
from decisions.rights import Act, Standing
from decisions.work import factors, suggest

HIDDEN = "[hidden]"
REVIEW = "review"  # what a purpose reads while it may not be told
BLIND = frozenset({Task.Purpose.CONTROL, Task.Purpose.AUDIT, Task.Purpose.SECOND, Task.Purpose.GOLD})
RECENT = timedelta(
    hours=24
)  # so long all below a lead stay blind after somebody else's blind answer: another may be asked
JUNIOR = frozenset({Membership.Role.CROWD, Membership.Role.REVIEWER, Membership.Role.EXPERT})
BY_PEOPLE = (What.MOVED, What.DECIDED, What.RULED)
CLOSING = (Move.Kind.DECIDED, Move.Kind.ESCALATED, Move.Kind.EXPIRED, Move.Kind.CANCELLED)


@dataclass(frozen=True)
class Sight:
    """What of an item a person may see.

    `machine`: score and what pushed it, route and why, suggestion, versions. `history`: when it came, why it is before
    people, what they answered and what came of it, and of items like it. `personal`: fields that name somebody. `gold`:
    which answers were to gold items; who is measured by them is never told, for others will be asked the same.
    """

    machine: bool
    history: bool
    personal: bool
    gold: bool = True

    @property
    def hidden(self) -> list[str]:
        """The names of what is hidden."""
        return [name for name in ("machine", "history", "personal") if not getattr(self, name)]


def for_person(item: Item, *, standing: Standing, user: User, spec: Spec) -> Sight:
    """Return what this person may see of one item."""
    return for_many([item.pk], standing=standing, user=user, spec=spec)[item.pk]


def for_many(item_ids: Iterable[int], *, standing: Standing, user: User, spec: Spec) -> dict[int, Sight]:
    """Return what this person may see of each of these items of one queue, in one query.

    Whoever may decide is blind to an item while a task on it asks for an unbiased answer and their own is not in. In
    means beyond its undo window: else one could answer, look, take it back and answer again. No scope of a token and
    no right to read lifts this.
    """
    ids = list(item_ids)
    score = rights.may(standing, Act.SEE_SCORE)
    personal = rights.may(standing, Act.SEE_PERSONAL)
    gold = rights.may(standing, Act.SEE_ACCURACY)
    blind: set[int] = set()
    if rights.limit(standing, Act.CLAIM):
        blind = _veiled(ids, standing, user, spec)
    else:
        gold = True
    return {pk: Sight(score and pk not in blind, pk not in blind, personal, gold) for pk in ids}


# As text, for each claim and each decision asks this, and to put the statement together anew takes many times longer
# than to run it. An escalation goes on with the question that the task it came from was to answer. An answer that was
# undone belongs to an earlier round. A gold item veils only whom it measures. A scalar subquery, for an EXISTS may be
# planned as a hash of all that the person ever did.
VEILED = """
    SELECT t.item_id FROM decisions_task t LEFT JOIN decisions_task parent ON parent.id = t.parent_id
    WHERE t.item_id = ANY(%(items)s)
    AND (t.purpose <> 'gold' OR coalesce(t.only_for_id, %(person)s) = %(person)s)
    AND (t.purpose = ANY(%(purposes)s) OR t.purpose = 'escalation' AND parent.purpose = ANY(%(purposes)s))
    AND (t.state = ANY(%(open)s) OR %(lasts)s AND EXISTS (
        SELECT FROM decisions_move m
        WHERE m.task_id = t.id AND m.kind = ANY(%(closing)s) AND m.at > clock_timestamp() - %(recent)s
    ))
    AND (
        SELECT true FROM decisions_decision d JOIN decisions_task o ON o.id = d.task_id
        WHERE d.item_id = t.item_id AND d.person_id = %(person)s AND d.round = o.round
        AND d.at <= clock_timestamp() - %(undo)s
        LIMIT 1
    ) IS NULL
"""


def _veiled(ids: list[int], standing: Standing, user: User, spec: Spec) -> set[int]:
    """Return the items to which this person is blind: a task on them asks for an answer of their own."""
    params: dict[str, Any] = {
        "items": ids,
        "purposes": [*BLIND, *([Task.Purpose.SOFT] if spec.hide_suggestion else [])],
        "open": list(Task.OPEN),
        "lasts": standing.role in JUNIOR,
        "closing": list(CLOSING),
        "recent": RECENT,
        "person": user.pk,
        "undo": spec.undo,
    }
    with connection.cursor() as cursor:
        cursor.execute(VEILED, params)
        return {row[0] for row in cursor.fetchall()}


def item(row: Item, sight: Sight, *, spec: Spec) -> dict[str, Any]:
    """Return an item as this person may see it; `redacted` names what is hidden.

    Reads its queue, body, policy and model: select them with it.
    """
    return {
        "id": row.pk,
        "queue": row.queue.slug,
        "external_id": row.external_id,
        "source": row.source,
        "segment": row.segment,
        "value": row.value,
        **(_times(row) if sight.history else {}),
        **_content(row.body, sight, spec),
        **(_machine(row, sight, spec) if sight.machine else {}),
        "redacted": sight.hidden,
    }


def _times(row: Item) -> dict[str, Any]:
    """Return when it happened and came: from that, and its place in the queue, one could tell why it is there."""
    return {"occurred_at": row.occurred_at, "arrived_at": row.arrived_at}


def _content(body: Body, sight: Sight, spec: Spec) -> dict[str, Any]:
    """Return what was sent; without the right to personal fields only what the spec knows as harmless."""
    if body.content is None:
        return {"payload": None, "subject": None, "is_erased": True}
    sent = orjson.loads(body.content)
    payload, subject = sent["payload"], sent.get("subject", "")
    if not sight.personal:
        harmless = {field.name for field in spec.fields if not field.personal}
        payload = {name: value if name in harmless else HIDDEN for name, value in payload.items()}
        subject = subject and HIDDEN
    return {"payload": payload, "subject": subject, "is_erased": False}


def _machine(row: Item, sight: Sight, spec: Spec) -> dict[str, Any]:
    return {
        "score": row.score,
        "p": row.p,
        "rung": row.rung,
        "band": row.band,
        "route": row.route,
        "reason": row.reason,
        "failures": row.failures,
        "propensity": propensity(row),
        "policy_version": row.policy.no,
        "model_version": row.model.name if row.model else None,
        "suggestion": suggest.suggestion(row, row.policy, spec),
        "explanation": factors.as_json(row, spec, masked="" if sight.personal else HIDDEN),
    }


def propensity(row: Item) -> float | None:
    """Return the logged probability that a person sees an item; of a pass it is its draw's, if it was drawn."""
    if row.route != Item.Route.PASS:
        return row.propensity
    return Draw.objects.filter(item=row).values_list("pi", flat=True).first()


def purpose(row: Task, sight: Sight) -> str:
    """Return why a task is before people, or `review` where that may not be told."""
    return _purpose(row.purpose, sight)


def _purpose(purpose: str, sight: Sight) -> str:
    return purpose if sight.history and (sight.gold or purpose != Task.Purpose.GOLD) else REVIEW


def decision(row: Decision, sight: Sight, *, user: User) -> dict[str, Any] | None:
    """Return a decision as this person may see it; None while others' answers are hidden from them."""
    if not sight.history and row.person_id != user.pk:
        return None
    seen = {
        "id": row.pk,
        "item": row.item_id,
        "task": row.task_id,
        "round": row.round,
        "purpose": _purpose(row.purpose, sight),
        "person": row.person_id,
        "outcome": row.outcome,
        "reason": row.reason,
        "note": row.note,
        "active_seconds": row.active_seconds,
        "claimed_at": row.claimed_at,
        "at": row.at,
    }
    return seen | ({"suggested": row.suggested, "was_shown": row.was_shown} if sight.machine else {})


def ruling(row: Ruling, sight: Sight, *, user: User) -> dict[str, Any] | None:
    """Return a ruling as this person may see it; None while what holds is hidden from them."""
    if not sight.history and row.person_id != user.pk:
        return None
    seen = {
        "id": row.pk,
        "item": row.item_id,
        "no": row.no,
        "outcome": row.outcome,
        "truth": row.truth,
        "source": row.source,
        "decision": row.decision_id,
        "person": row.person_id,
        "replaces": row.replaces_id,
        "reason": row.reason,
        "note": row.note,
        "at": row.at,
        "final_at": row.final_at,
    }
    told = {"was": row.was, "is_override": row.is_override, "is_reversal": row.is_reversal}
    return seen | (told if sight.machine and sight.history else {})


def pending(row: PendingOverride, sight: Sight, *, user: User) -> dict[str, Any] | None:
    """Return an override that waits or waited for a second person; None while what holds is hidden from them."""
    if not sight.history and row.person_id != user.pk:
        return None
    names = ("id", "act", "outcome", "reason", "note", "state", "reply", "asked_at", "expires_at", "closed_at")
    return {
        **{name: getattr(row, name) for name in names},
        "item": row.item_id,
        "was": row.held,
        "person": row.person_id,
        "closer": row.closer_id,
        "ruling": row.ruling_id,
    }


def appeal(row: Appeal, sight: Sight) -> dict[str, Any] | None:
    """Return an appeal as this person may see it; None while what held is hidden from them."""
    if not sight.history:
        return None
    names = ("id", "reference", "state", "filed_at", "due_at", "closed_at")
    return {
        **{name: getattr(row, name) for name in names},
        "item": row.item_id,
        "task": row.task_id,
        "was": row.held,
        "statement": row.statement if sight.personal else HIDDEN,
        "filed_by": row.filed_by_id,
        "decision": row.decision_id,
    }


def evidence(row: Evidence, sight: Sight) -> dict[str, Any]:
    """Return a word from outside as somebody may see it who may see the step at all."""
    names = ("id", "kind", "said", "held", "source", "reference", "occurred_at")
    note = row.note if sight.personal or not row.note else HIDDEN
    return {**{name: getattr(row, name) for name in names}, "ruling": row.ruling_id, "note": note}


def entry(row: Event, sight: Sight) -> dict[str, Any] | None:
    """Return what an event about an item says; None while that would tell what is hidden."""
    said: dict[str, Any] = orjson.loads(row.entry)
    tells_gold = said.get("purpose") == Task.Purpose.GOLD and not sight.gold
    return said if sight.machine and sight.history and not tells_gold else None


def is_seen(step: Step, sight: Sight, *, user: User) -> bool:
    """Return whether a person may see a step of an item's life at all.

    Who is blind to the item sees what they did themselves and nothing else: even the number of steps would tell, and
    when it arrived.
    """
    if step.what in (What.ROUTED, What.SCORED):
        return sight.machine
    if step.what in BY_PEOPLE and step.person == user:
        return True
    return sight.history and (sight.machine or step.what in (*BY_PEOPLE, What.ARRIVED, What.NOTED))
