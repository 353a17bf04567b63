"""The rows that an accepted item leaves: item, body, task, move and action."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from decisions.effects import outbox
from decisions.intake.lanes import Routed
from decisions.intake.parse import Row
from decisions.intake.store import Admitted, Columns, Rows, Same
from decisions.measure import sla
from decisions.models import Action, Intake, Item, Move, Task, User
from decisions.queues import needs as asked_for
from decisions.queues.live import Live
from decisions.queues.spec import Order, Spec
from decisions.record import digest
from decisions.routing import sampling
from decisions.routing.policy import FloatArray

UNKNOWN_P = 0.5  # orders a task whose item nothing scored
DEMO = "demo"
SOFT, CONTROL = str(Task.Purpose.SOFT), str(Task.Purpose.CONTROL)


@dataclass(frozen=True)
class Call:
    """One intake call: to which queue, by whom, when (UTC)."""

    live: Live
    sender: User
    at: datetime


@dataclass(frozen=True)
class Secrets:
    """What is drawn for items: u with the number of the secret it is from, and each body's salt of 16 bytes."""

    u: FloatArray
    number: int
    salts: Sequence[bytes]

    @classmethod
    def draw(cls, external_ids: Sequence[str], queue: str) -> "Secrets":
        """Return the audit numbers of these external ids and fresh salts."""
        number, secret = sampling.newest_secret()
        noise = secrets.token_bytes(16 * len(external_ids))
        salts = [noise[i : i + 16] for i in range(0, len(noise), 16)]
        return cls(sampling.u(secret, queue, external_ids, sampling.Purpose.AUDIT), number, salts)


def plain(values: FloatArray) -> list[float | None]:
    """Return numbers as they are stored: NaN is NULL."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - only NaN differs from itself


def items(rows: Sequence[Row], routed: Routed, drawn: Secrets, call: Call) -> Columns:
    """Return the columns of items, but for those that are drawn where they are stored (`stored`)."""
    live = call.live
    climb, routing = routed.climb, routed.routing
    weighed = {"p_other": routed.other, "harm": routed.harm, "v": None if routed.harm is None else routing.v}
    return {
        "queue_id": Same(live.queue_id),
        "external_id": [row.external_id for row in rows],
        "queue_version_id": Same(live.version_id),
        "policy_id": routed.policy_ids,
        "model_id": [model.pk if model else None for model in climb.models],
        "source": [row.source for row in rows],
        **told(rows, live),
        "occurred_at": [row.occurred_at for row in rows],
        "body_digest": [hmac.digest(salt, row.content, "sha256") for salt, row in zip(drawn.salts, rows, strict=True)],
        "score": plain(climb.scores),
        "p": plain(routing.p),
        "rung": climb.rungs.tolist(),
        "band": routing.band.tolist(),
        "route": routing.route.tolist(),
        "reason": routing.reason.tolist(),
        "failures": [climb.failures.get(i, []) for i in range(len(rows))],
        "propensity": plain(routing.propensity),
        "u": drawn.u.tolist(),
        "u_secret": Same(drawn.number),
        "q": plain(routing.q),
        **{name: plain(values) for name, values in weighed.items() if values is not None},
        **({"overload_level": routing.level.tolist()} if routing.level.any() else {}),
    }


def told(rows: Sequence[Row], live: Live) -> Columns:
    """Return the columns that follow from what was sent, named beside the payload or in it."""
    spec = live.spec
    return {
        "subject": [digest.subject_key(live.queue_id, _subject(row, spec)) for row in rows],
        "segment": [row.segment or _text(row, spec.segment_field)[:100] for row in rows],
        "value": [row.value if row.value is not None else _number(row, spec.value_field) for row in rows],
    }


def row_digests(stored: Rows) -> list[bytes]:
    """Return the first 8 bytes of each item's row digest, as `record.digest.of_row` gives it for the stored row."""
    if not stored.count:
        return []
    digests = [value.hex() for value in listed(stored, "body_digest")]
    shown = Rows(stored.table, stored.count, {**stored.columns, "body_digest": digests})
    names, later = tuple(stored.columns), digest.LATER["item"]
    rows: Iterator[dict[str, Any]] = (dict(zip(names, row, strict=True)) for row in shown.tuples())
    if not later.keys().isdisjoint(names):
        rows = ({name: value for name, value in row.items() if value != later.get(name, digest.KEPT)} for row in rows)
    return [hashlib.sha256(digest.canonical(row)).digest()[:8] for row in rows]


def chosen(rows: Rows, places: Sequence[int]) -> Rows:
    """Return some of the rows."""
    if len(places) == rows.count:
        return rows
    columns: Columns = {
        name: column if isinstance(column, Same) else [column[i] for i in places]
        for name, column in rows.columns.items()
    }
    return Rows(rows.table, len(places), columns)


def _bodies(ids: Sequence[int], rows: Sequence[Row], salts: Sequence[bytes]) -> Rows:
    contents = [row.content.decode() for row in rows]
    columns: Columns = {"item_id": ids, "content": contents, "salt": salts, "is_held": Same(False)}  # noqa: FBT003 - a value
    return Rows("decisions_body", len(ids), columns)


def acting(spec: Spec) -> list[str]:
    """Return the routes that make the machine act."""
    return [route for route, (action, _outcome) in _causes(spec).items() if action]


def stored(items: Rows, admitted: Sequence[Admitted]) -> Rows:
    """Return stored items, an entry of `admitted` each, with the columns that were drawn for them."""
    ((call, at),) = {(one.intake_id, one.arrived_at) for one in admitted}
    columns: Columns = {"id": [one.id for one in admitted], "intake_id": Same(call), "arrived_at": Same(at)}
    return Rows(items.table, items.count, {**items.columns, **columns})


def followers(
    items: Rows, rows: Sequence[Row], salts: Sequence[bytes], admitted: Sequence[Admitted], call: Call
) -> list[Rows]:
    """Return the rows that go with stored items, under the ids drawn for them: bodies, tasks, moves, actions."""
    soft = [i for i, one in enumerate(admitted) if one.task_id]
    task_ids = [one.task_id for one in admitted if one.task_id]
    return [
        _bodies(listed(items, "id"), rows, salts),
        _tasks(chosen(items, soft), [rows[i] for i in soft], task_ids, call),
        _moves(task_ids, call.at),
        _actions(items, admitted, call),
    ]


def _tasks(soft: Rows, rows: Sequence[Row], ids: Sequence[int], call: Call) -> Rows:
    """Return a task for each item routed to people; those of the control group go to the front of the queue."""
    live, spec, at = call.live, call.live.spec, call.at
    longer = {SOFT: spec.overload.stretch if live.relief.stretch else 1.0, CONTROL: 1.0}
    due = {purpose: sla.due(spec, spec.sla_of(purpose) * longer[purpose], at) for purpose in (SOFT, CONTROL)}
    step = {SOFT: sla.rounded_up(due[SOFT], spec.sla_step), CONTROL: sla.rounded_up(at, spec.sla_step)}
    purposes = [CONTROL if reason == Item.RouteReason.CONTROL else SOFT for reason in listed(soft, "reason")]
    values, ps = listed(soft, "value"), listed(soft, "p")
    columns: Columns = {
        "id": ids,
        "queue_id": Same(live.queue_id),
        "item_id": listed(soft, "id"),
        "purpose": purposes,
        "state": Same(str(Task.State.WAITING)),
        "rank": [
            int(asked_for.rank(*pair, spec, is_called=live.relief.crowd)) for pair in zip(purposes, values, strict=True)
        ],
        "needs": [asked_for.of(row.payload, spec) for row in rows] if spec.needs or spec.sensitive else Same(""),
        "round": Same(1),
        "value": values,
        "is_demo": [source == DEMO for source in listed(soft, "source")],
        "opened_at": Same(at),
        "due_at": [due[purpose] for purpose in purposes],
        "due_step": [step[purpose] for purpose in purposes],
        "priority": [priority(p, value, spec.order) for p, value in zip(ps, values, strict=True)],
        "skips": Same(0),
        "lease": Same(0),
    }
    return Rows("decisions_task", soft.count, columns)


def _moves(task_ids: Sequence[int], at: datetime) -> Rows:
    columns: Columns = {
        "task_id": task_ids,
        "kind": Same(str(Move.Kind.OPENED)),
        "lease": Same(0),
        "reason": Same(""),
        "at": Same(at),
    }
    return Rows("decisions_move", len(task_ids), columns)


def priority(p: float | None, value: float | None, order: Order) -> float:
    """Return a task's place within its step, smallest first: the likeliest, or the most at stake."""
    likely = UNKNOWN_P if p is None else p
    return {Order.ARRIVAL: 0.0, Order.SCORE: -likely, Order.VALUE: -likely * (value or 0.0)}[order]


def _causes(spec: Spec) -> dict[str, tuple[str, str]]:
    """Return by route the action that the machine takes ("" for none) and the outcome it stands for."""
    return {
        Item.Route.HARD.value: (spec.routes.hard_action, spec.routes.positive),
        Item.Route.SOFT.value: (spec.routes.soft_action, ""),
        Item.Route.PASS.value: (spec.routes.pass_action, spec.routes.negative),
    }


def _actions(items: Rows, admitted: Sequence[Admitted], call: Call) -> Rows:
    """Return what the world is told at once because of the routes."""
    live, at, causes = call.live, call.at, _causes(call.live.spec)
    told = [
        (one.action_id, one, route)
        for one, route in zip(admitted, listed(items, "route"), strict=True)
        if one.action_id is not None
    ]
    bodies = [
        outbox.body(
            action_id=action_id,
            name=causes[route][0],
            queue=live.slug,
            item_id=one.id,
            external_id=one.external_id,
            outcome=causes[route][1],
            cause=route,
            at=at,
        )
        for action_id, one, route in told
    ]
    columns: Columns = {
        "id": [action_id for action_id, _, _ in told],
        "queue_id": Same(live.queue_id),
        "item_id": [one.id for _, one, _ in told],
        "name": [causes[route][0] for _, _, route in told],
        "body": bodies,
        "state": Same(str(Action.State.PENDING)),
        "attempts": Same(0),
        "due_at": Same(at),
        "next_at": Same(at),
        "result": Same(""),
        "result_detail": Same(""),
        "created_at": Same(at),
    }
    return Rows("decisions_action", len(told), columns)


def doubts(routed: Routed, places: Sequence[int], admitted: Sequence[Admitted], live: Live) -> Rows:
    """Return a row for each stored item that the filter flagged; `places` are theirs among what was routed."""
    found = routed.climb.doubts[list(places)]
    flagged = np.flatnonzero(~np.isnan(found)).tolist()
    at = [places[k] for k in flagged]
    columns: Columns = {
        "item_id": [admitted[k].id for k in flagged],
        "queue_id": Same(live.queue_id),
        "model_id": [routed.climb.filters[i].pk for i in at],
        "doubt": routed.climb.doubts[at].tolist(),
        "cut": Same(live.spec.filter.cut),
        "let_through": Same(live.spec.filter.let_through),
        "is_blocked": (routed.routing.reason[at] == Item.RouteReason.FILTER).tolist(),
        "at": [admitted[k].arrived_at for k in flagged],
    }
    return Rows("decisions_doubt", len(flagged), columns)


def intake(call: Intake) -> Rows:
    """Return the row of a call, its counts as JSON text."""
    columns = {f.attname: [f.value_from_object(call)] for f in call._meta.concrete_fields}
    return Rows(call._meta.db_table, 1, {**columns, "counts": [digest.canonical(call.counts).decode()]})


def listed(rows: Rows, name: str) -> Sequence[Any]:
    """Return a column that differs from row to row."""
    column = rows.columns[name]
    if isinstance(column, Same):
        message = f"{name} is the same in all rows."
        raise TypeError(message)
    return column


def _subject(row: Row, spec: Spec) -> str:
    return row.subject or _text(row, spec.subject_field)


def _text(row: Row, name: str) -> str:
    value = row.payload.get(name) if name else None
    return str(value) if isinstance(value, str | int | float) else ""


def _number(row: Row, name: str) -> float | None:
    value = row.payload.get(name) if name else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
