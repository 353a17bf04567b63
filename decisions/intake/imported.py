"""Brings an earlier tool's history in: items and what held for them, with their own past times, marked as imported.

The record says so now, with the file's digest; nothing in it is dated back. Imported items were routed by nobody here:
they have no score, no task and cause no action, and figures of our own leave them out.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from decisions import identity, locks, rights
from decisions.exceptions import Conflict, Fault, OtherContent
from decisions.intake import history, known, store, tables
from decisions.intake.history import Past
from decisions.intake.parse import Bad
from decisions.intake.store import Rows, Same
from decisions.intake.tables import Secrets
from decisions.models import Event, Intake, Item, Policy, Queue, Ruling, User
from decisions.queues import live as in_force
from decisions.queues.live import Live
from decisions.record import digest, log
from decisions.record.log import Statements
from decisions.rights import Act

BATCH = 2_000  # lines a transaction; its event names each ruling
IMPORTED = Item.RouteReason.IMPORTED.value
NO = 0  # of the policy that stands for the earlier tool
SOFT = Item.Route.SOFT.value
# Figures of imported items, by the hour in which they arrived or were decided. Added to, for only new items add.
ADD = """
INSERT INTO decisions_rollup (queue_id, figure, key, at, value, made_at)
SELECT %(queue)s, one.figure, one.key, one.at, one.value, %(now)s
FROM unnest(%(figures)s, %(keys)s, %(ats)s::timestamptz[], %(values)s::float8[]) one(figure, key, at, value)
ON CONFLICT (queue_id, figure, at, key)
DO UPDATE SET value = decisions_rollup.value + EXCLUDED.value, made_at = EXCLUDED.made_at"""


@dataclass(frozen=True)
class Outcome:
    """What became of a file: lines by what they were, and those that are wrong."""

    sha256: str
    accepted: int = 0
    duplicates: int = 0
    bad: tuple[Bad, ...] = ()

    def plus(self, other: "Outcome") -> "Outcome":
        """Return both together."""
        return Outcome(
            self.sha256, self.accepted + other.accepted, self.duplicates + other.duplicates, (*self.bad, *other.bad)
        )


@dataclass(frozen=True)
class Batch:
    """Some lines of a file, on their way in: `lines` from the first to the last."""

    live: Live
    by: User
    at: datetime
    sha256: str
    span: tuple[int, int]
    past: Sequence[Past] = ()
    bad: Sequence[Bad] = field(default_factory=tuple)


def run(
    *, queue: Queue, file: Path, by: User, at: datetime, said: Callable[[Outcome], None] = lambda _outcome: None
) -> Outcome:
    """Bring a file in, some lines a transaction, and return what became of it; a second time changes nothing.

    `said` is called after each transaction with what was done so far. Lines that are wrong, and those that say
    something else of an item that is here, are refused one by one. Refuses who may not bring items in.
    """
    rights.require(by, Act.INTAKE, queue_id=queue.pk)
    live = in_force.of_id(queue.pk)
    done = Outcome(history.digest_of(file))
    lines = history.read(file, live.spec, at)
    while some := list(islice(lines, BATCH)):
        numbers = [one.line if isinstance(one, Bad) else one.row.line for one in some]
        batch = Batch(
            live=live,
            by=by,
            at=at.astimezone(UTC),
            sha256=done.sha256,
            span=(numbers[0], numbers[-1]),
            past=[one for one in some if isinstance(one, Past)],
            bad=[one for one in some if isinstance(one, Bad)],
        )
        done = done.plus(_store(batch))
        said(done)
    return done


@transaction.atomic
def _store(batch: Batch) -> Outcome:
    """Store what of a batch is new, with its intake and one event."""
    _lock(batch.live.queue_id)
    new, duplicates, conflicts = _sorted_out(batch)
    bad = sorted([*batch.bad, *conflicts], key=lambda one: one.line)
    batch = replace(batch, past=new, bad=bad)
    if new:
        _insert(batch, duplicates)
    return Outcome(batch.sha256, len(new), duplicates, tuple(bad))


def _lock(queue_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.IMPORTS, queue_id])


def _sorted_out(batch: Batch) -> tuple[list[Past], int, list[Bad]]:
    """Return what is new in the order of external ids, how many lines are here already, and those that conflict."""
    here = known.fetch(batch.live.queue_id, [one.row.external_id for one in batch.past])
    first: dict[str, Past] = {}
    conflicts, duplicates = [], 0
    for one in batch.past:
        name = one.row.external_id
        other = first.get(name)
        if name in here:
            conflict = here[name].compare(one.row)
        elif other is None:
            first[name] = one
            continue
        else:
            conflict = None if other.row.content == one.row.content else OtherContent
        if conflict is None:
            duplicates += 1
        else:
            fault = Fault("external_id", conflict.code, conflict().detail)
            conflicts.append(Bad(one.row.line, name, (fault,)))
    return [first[name] for name in sorted(first)], duplicates, conflicts


def _earlier(batch: Batch) -> Policy:
    """Return the policy that stands for the earlier tool: number 0, never in force."""
    queue_id = batch.live.queue_id
    return Policy.objects.filter(queue=queue_id, no=NO).first() or Policy.objects.create(
        queue_id=queue_id,
        no=NO,
        state=Policy.State.RETIRED,
        suggest=0.5,
        objective=_("None of ours: an earlier tool routed these items."),
        why=_("Stands for the earlier tool whose history was imported."),
        author=batch.by,
        created_at=batch.at,
    )


def _insert(batch: Batch, duplicates: int) -> None:
    past, policy = batch.past, _earlier(batch)
    secrets = Secrets.draw([one.row.external_id for one in past], batch.live.slug)
    ids, (intake_id,) = identity.allocate(Item, len(past)), identity.allocate(Intake, 1)
    items = _items(batch, policy, ids, intake_id, secrets)
    intake = Intake(
        id=intake_id,
        queue_id=batch.live.queue_id,
        sender=batch.by,
        app_version=settings.APP_VERSION,
        accepted=len(past),
        duplicates=duplicates,
        rejected=len(batch.bad),
        counts={"routes": Counter(one.route for one in past), "imported": batch.sha256},
        digests=b"".join(tables.row_digests(items)),
        at=batch.at,
    )
    rulings = _rulings(batch, ids)
    bodies = Rows(
        "decisions_body",
        len(past),
        {
            "item_id": ids,
            "content": [one.row.content.decode() for one in past],
            "salt": secrets.salts,
            "is_held": Same(False),  # noqa: FBT003 - a value
        },
    )
    pending: store.Columns = {"ruling_id": [ruling.pk for ruling in rulings], "due_at": Same(batch.at)}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        if store.insert_new(cursor, items) != len(past):
            raise Conflict(_("Some of these items arrived just now; bring the file in again."))
        left = store.insert(
            cursor,
            [bodies, _table(rulings), Rows("decisions_pendinglabel", len(rulings), pending), tables.intake(intake)],
        )
        cursor.execute(ADD, {"queue": batch.live.queue_id, "now": batch.at, **_figures(past)})
    _note(batch, (policy, intake, *rulings), left)


def _items(batch: Batch, policy: Policy, ids: list[int], intake_id: int, secrets: Secrets) -> Rows:
    past, live = batch.past, batch.live
    rows = [one.row for one in past]
    return Rows(
        "decisions_item",
        len(past),
        {
            "id": ids,
            "queue_id": Same(live.queue_id),
            "external_id": [row.external_id for row in rows],
            "intake_id": Same(intake_id),
            "queue_version_id": Same(live.version_id),
            "policy_id": Same(policy.pk),
            "model_id": Same(None),
            "source": Same(IMPORTED),
            **tables.told(rows, live),
            "occurred_at": [row.occurred_at for row in rows],
            "arrived_at": [one.arrived_at for one in past],
            "body_digest": [
                hmac.digest(salt, row.content, "sha256") for salt, row in zip(secrets.salts, rows, strict=True)
            ],
            "score": Same(None),
            "p": Same(None),
            "rung": Same(Item.Rung.PEOPLE.value),
            "band": Same(Item.Band.NONE.value),
            "route": [one.route for one in past],
            "reason": Same(IMPORTED),
            "failures": [[] for _ in past],
            "propensity": [one.propensity for one in past],
            "u": secrets.u.tolist(),
            "u_secret": Same(secrets.number),
            "q": Same(None),
        },
    )


def _rulings(batch: Batch, ids: Sequence[int]) -> list[Ruling]:
    """Return what held at the earlier tool: nobody here decided it, and nothing follows from it but a label."""
    concluded = [
        (item, one, one.outcome, one.decided_at)
        for item, one in zip(ids, batch.past, strict=True)
        if one.outcome and one.decided_at
    ]
    fresh = identity.allocate(Ruling, len(concluded))
    return [
        Ruling(
            pk=pk,
            queue_id=batch.live.queue_id,
            item_id=item,
            no=1,
            outcome=outcome.key,
            truth=outcome.truth.value,
            source=Ruling.Source.IMPORTED.value,
            reason=one.reason,
            at=decided_at,
            final_at=decided_at,
        )
        for pk, (item, one, outcome, decided_at) in zip(fresh, concluded, strict=True)
    ]


def _table(rulings: Sequence[Ruling]) -> Rows:
    fields = Ruling._meta.concrete_fields
    columns: store.Columns = {one.attname: [getattr(row, one.attname) for row in rulings] for one in fields}
    return Rows(Ruling._meta.db_table, len(rulings), columns)


def _figures(past: Sequence[Past]) -> dict[str, list[Any]]:
    """Return what imported items add to the figures of their hours."""
    sums: dict[tuple[str, str, datetime], float] = defaultdict(float)
    for one in past:
        sums["imported", one.route, _hour(one.arrived_at)] += 1
        if one.decided_at:
            sums["imported_decided", "", _hour(one.decided_at)] += 1
        if one.decided_at and one.active_seconds is not None:
            sums["imported_handling", "", _hour(one.decided_at)] += min(one.active_seconds, 3600.0)
            sums["imported_timed", "", _hour(one.decided_at)] += 1
    keys = list(sums)
    return {
        "figures": [figure for figure, _key, _at in keys],
        "keys": [key for _figure, key, _at in keys],
        "ats": [at for _figure, _key, at in keys],
        "values": list(sums.values()),
    }


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _note(batch: Batch, rows: Sequence[Model], after: Statements) -> None:
    """Say in the record what came in, from which file, and from when it is."""
    times = [one.arrived_at for one in batch.past]
    entry = {
        "file": batch.sha256,
        "lines": list(batch.span),
        "accepted": len(batch.past),
        "rejected": len(batch.bad),
        "first": digest.moment(min(times)),
        "last": digest.moment(max(times)),
    }
    chain = batch.live.queue_id
    log.append(Event.Kind.ITEMS_IMPORTED, chain=chain, actor=batch.by, at=batch.at, entry=entry, rows=rows, after=after)


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield what is wrong, a text a line of the file."""
    for bad in outcome.bad:
        yield f"line {bad.line}{f' ({bad.external_id})' if bad.external_id else ''}: {bad.detail}"
