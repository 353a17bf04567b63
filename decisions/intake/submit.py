"""Items arrive: checked, scored, routed and stored with all that follows, in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from decisions import hints, identity
from decisions.exceptions import Conflict, Erased, Fault, Invalid, OtherContent
from decisions.intake import challengers, checks, known, lanes, store, tables
from decisions.intake.challengers import Beside, Extra
from decisions.intake.known import Known
from decisions.intake.ladder import Aside
from decisions.intake.lanes import Routed
from decisions.intake.parse import Bad, Row
from decisions.intake.store import Admitted, Rows, Same
from decisions.intake.tables import Call, Secrets
from decisions.models import Event, Intake, Item, User
from decisions.queues.live import Live
from decisions.record import log

ITEM = "decisions_item"
CONFLICTS: dict[str, type[Conflict]] = {kind.code: kind for kind in (OtherContent, Erased)}
ROUTES = tuple(route.value for route in Item.Route)


@dataclass(frozen=True)
class Batch:
    """What became of a call: `results` of accepted and known items and `errors`, both in the order of the lines."""

    accepted: int = 0
    duplicates: int = 0
    routes: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(ROUTES, 0))
    results: Sequence[dict[str, Any]] = ()
    bad: Sequence[Bad] = ()

    @property
    def rejected(self) -> int:
        return len(self.bad)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The lines that were not accepted, as the contract shows them."""
        return [
            {"line": bad.line, "external_id": bad.external_id, "code": bad.code, "detail": bad.detail}
            for bad in self.bad
        ]


@dataclass(frozen=True)
class Arrived:
    """The items that are new, an entry each, and what the ladder and the policy counted over them."""

    admitted: Sequence[Admitted] = ()
    items: Rows = field(default_factory=lambda: Rows(ITEM, 0, {}))
    rows: Sequence[Row] = ()
    salts: Sequence[bytes] = ()
    extras: Sequence[Extra] = ()
    doubts: Rows = field(default_factory=lambda: Rows("decisions_doubt", 0, {}))
    counts: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def many(*, queue: Live, lines: Sequence[Row | Bad], sender: User, at: datetime, with_results: bool = True) -> Batch:
    """Take items in and return what became of each line.

    Lines that are wrong, that their sender must mend, or that bring other content under a known external id are
    refused one by one; the rest is kept.
    """
    call = Call(queue, sender, at.astimezone(UTC))
    rows, failures, bad = _checked(lines, queue)
    first, again = _first_of_each(rows)
    with connection.cursor() as cursor:
        arrived = _arrive(cursor, first, failures, challengers.beside(first, again, queue), call)
        if arrived.admitted:
            call = replace(call, at=arrived.admitted[0].arrived_at)
        new = _new(arrived, queue)
        same, conflicts = _compared([*first, *again], new, queue)
        late = challengers.late(same, {item.id for item in new.values()}, queue)
        extras = challengers.record(cursor, [*arrived.extras, *late], queue, call.at)
        batch = Batch(
            accepted=len(new),
            duplicates=len(same),
            routes={route: arrived.counts.get("routes", {}).get(route, 0) for route in ROUTES},
            results=_results(arrived, new, same) if with_results else (),
            bad=sorted([*bad, *conflicts], key=lambda one: one.line),
        )
        if arrived.rows or extras:
            _finish(cursor, batch, arrived, extras, call)
    return batch


def one(*, queue: Live, row: Row, sender: User, at: datetime) -> dict[str, Any]:
    """Take one item in and return its result; `duplicate` says that it was here already.

    Refuses other content under a known external id, an erased item, and what its sender must mend.
    """
    batch = many(queue=queue, lines=[row], sender=sender, at=at)
    for bad in batch.bad:
        if bad.code in CONFLICTS:
            raise CONFLICTS[bad.code]
        raise Invalid(faults=bad.faults)
    return batch.results[0]


def _checked(lines: Sequence[Row | Bad], live: Live) -> tuple[list[Row], dict[int, list[str]], list[Bad]]:
    """Return the rows that may go on, by line what the input checks found in them, and the lines that may not."""
    rows = [line for line in lines if isinstance(line, Row)]
    bad = [line for line in lines if isinstance(line, Bad)]
    found = checks.inputs([row.payload for row in rows], live.spec.fields)
    bad += [Bad(rows[i].line, rows[i].external_id, tuple(faults)) for i, faults in found.faults.items()]
    failures = {rows[i].line: codes for i, codes in found.failures.items()}
    return [row for i, row in enumerate(rows) if i not in found.faults], failures, bad


def _first_of_each(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the first row of each external id and the others, in the order of ids.

    Every call stores in this one order, so that calls which overlap wait for each other and never in a circle.
    """
    first: dict[str, Row] = {}
    again = []
    for row in sorted(rows, key=lambda row: row.external_id):
        if first.setdefault(row.external_id, row) is not row:
            again.append(row)
    return list(first.values()), again


def _arrive(
    cursor: CursorWrapper, rows: Sequence[Row], failures: dict[int, list[str]], beside: Beside, call: Call
) -> Arrived:
    """Score and route rows and store their items; those whose external id is already here stay out."""
    if not rows:
        return Arrived()
    failed = {i: failures[row.line] for i, row in enumerate(rows) if row.line in failures}
    routed = lanes.route(rows, failed, beside, call.live)
    climb = routed.climb
    drawn = Secrets.draw([row.external_id for row in rows], call.live.slug)
    items = Rows(ITEM, len(rows), tables.items(rows, routed, drawn, call))
    acting = tables.acting(call.live.spec)
    admitted = store.admit(cursor, items, queue_id=call.live.queue_id, at=call.at, acting=acting)
    if not admitted:
        return Arrived()
    places = [i for i, row in enumerate(rows) if row.external_id in admitted]
    kept = [rows[i] for i in places]
    new = [admitted[row.external_id] for row in kept]
    return Arrived(
        admitted=new,
        items=tables.stored(tables.chosen(items, places), new),
        rows=kept,
        salts=[drawn.salts[i] for i in places],
        extras=_asides(climb.aside, rows, admitted),
        doubts=tables.doubts(routed, places, new, call.live),
        counts=_counts(routed, places),
    )


def _asides(asides: Sequence[Aside], rows: Sequence[Row], admitted: Mapping[str, Admitted]) -> list[Extra]:
    """Return the valid scores that came with new items and did not route them."""
    found = [(admitted.get(rows[aside.place].external_id), aside) for aside in asides]
    return [Extra(one.id, aside.model, aside.score, was_known=True) for one, aside in found if one]


def _counts(routed: Routed, places: Sequence[int]) -> dict[str, Any]:
    """Return how many of the new items each rung scored, met each failure and were routed for each reason.

    `remembered` counts scores of the whole call that no model had to be asked for.
    """
    climb, routing = routed.climb, routed.routing
    return {
        "rungs": Counter(climb.rungs[i] for i in places),
        "failures": Counter(code for i in places for code in climb.failures.get(i, ())),
        "reasons": Counter(routing.reason[i] for i in places),
        "routes": Counter(routing.route[i] for i in places),
        "remembered": climb.kept,
    }


def _new(arrived: Arrived, live: Live) -> dict[str, Known]:
    """Return the new items as they now are, by external id."""
    if not arrived.rows:
        return {}
    names = {model.pk: model.name for model in live.models.values()}
    column = partial(tables.listed, arrived.items)
    told = {
        **{name: column(name) for name in ("id", "external_id", "route", "band", "reason", "score")},
        "policy_no": _policy_nos(arrived.items, live),
        "model_name": [names.get(model_id) for model_id in column("model_id")],
        **{name: column(name) for name in ("propensity", "model_id", "body_digest")},
        "salt": arrived.salts,
    }
    return dict(zip(column("external_id"), map(Known._make, zip(*told.values(), strict=True)), strict=True))


def _policy_nos(items: Rows, live: Live) -> Iterable[int]:
    """Return the number of the policy that routed each item."""
    nos = {policy.pk: policy.no for policy in (live.policy, live.canary) if policy}
    ids = items.columns["policy_id"]
    return repeat(nos[ids.value], items.count) if isinstance(ids, Same) else [nos[pk] for pk in ids]


def _compared(rows: Sequence[Row], new: Mapping[str, Known], live: Live) -> tuple[list[tuple[Known, Row]], list[Bad]]:
    """Return the rows that are the same as an item that is here, and the ones that conflict with it."""
    rest = _but_the_new(rows, new)
    here = known.fetch(live.queue_id, [row.external_id for row in rest if row.external_id not in new])
    same, conflicts = [], []
    for row in rest:
        item = new.get(row.external_id) or here[row.external_id]
        conflict = item.compare(row)
        if conflict is None:
            same.append((item, row))
        else:
            conflicts.append(Bad(row.line, row.external_id, (Fault("external_id", conflict.code, conflict().detail),)))
    return same, conflicts


def _but_the_new(rows: Sequence[Row], new: Mapping[str, Known]) -> list[Row]:
    """Return the rows other than the first one of each new item."""
    seen: set[str] = set()
    rest = []
    for row in rows:
        if row.external_id in new and row.external_id not in seen:
            seen.add(row.external_id)
        else:
            rest.append(row)
    return rest


def _results(arrived: Arrived, new: Mapping[str, Known], same: Sequence[tuple[Known, Row]]) -> list[dict[str, Any]]:
    """Return the results of new and known items in the order of the lines."""
    lines = [(row.line, new[row.external_id].result(duplicate=False)) for row in arrived.rows]
    lines += [(row.line, item.result(duplicate=True)) for item, row in same]
    return [result for _, result in sorted(lines, key=lambda pair: pair[0])]


def _finish(cursor: CursorWrapper, batch: Batch, arrived: Arrived, extras: int, call: Call) -> None:
    """Store what follows from new items, and the call itself with its event."""
    counts = {
        **arrived.counts,
        "errors": Counter(bad.code for bad in batch.bad),
        "scores": extras,
    }
    intake = Intake(
        id=arrived.admitted[0].intake_id if arrived.admitted else identity.allocate(Intake, 1)[0],
        queue_id=call.live.queue_id,
        sender=call.sender,
        app_version=settings.APP_VERSION,
        accepted=batch.accepted,
        duplicates=batch.duplicates,
        rejected=batch.rejected,
        counts=counts,
        digests=b"".join(tables.row_digests(arrived.items)),
        at=call.at,
    )
    followers = []
    if arrived.rows:
        followers = tables.followers(arrived.items, arrived.rows, arrived.salts, arrived.admitted, call)
        followers.append(arrived.doubts)
        hints.on_commit("deliver_due")
    left = store.insert(cursor, [*followers, tables.intake(intake)])
    log.append(
        Event.Kind.ITEMS_ARRIVED,
        chain=call.live.queue_id,
        actor=call.sender,
        at=call.at,
        entry={
            "accepted": batch.accepted,
            "duplicates": batch.duplicates,
            "rejected": batch.rejected,
            "scores": extras,
            "routes": dict(batch.routes),
        },
        rows=(intake,),
        after=left,
    )
