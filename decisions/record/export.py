"""The record as CSV or JSON lines: everything that matches, in constant memory, with a manifest as its last line.

Rows are read by key, some thousand at a time, and not through a cursor: a slow reader would keep a cursor's transaction
open, and one old snapshot slows the tables that are worked all day.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _

from decisions import redact, rights
from decisions.exceptions import Fault, Invalid
from decisions.models import Event, Label, Queue, Task, User
from decisions.record import digest, history, log
from decisions.record.history import Wanted
from decisions.rights import Act, Standing

CHUNK = 2000
FORMAT = "reviewqueue-export-1"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Kind(StrEnum):
    """What is exported."""

    EVENTS = "events"
    DECISIONS = "decisions"
    OVERRIDES = "overrides"
    LABELS = "labels"


class Form(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True)
class Table:
    """Where a kind's rows come from, the key they are read by (the last column unique), and its columns by lookup."""

    rows: Callable[[int, Wanted], QuerySet[Any]]
    key: tuple[str, ...]
    columns: dict[str, Any]


@dataclass(frozen=True)
class Export:
    """One export, entered in the record: what it says of itself and where its lines come from."""

    kind: Kind
    form: Form
    queue: Queue | None
    wanted: Wanted
    by: User
    standing: Standing
    event: Event

    def manifest(self, rows: int, withheld: int, sha256: str) -> dict[str, Any]:
        """Return what the last line says: the filter, the number of rows and the hash of all bytes before it."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "queue": self.queue.slug if self.queue else None,
            "filter": self.wanted.given(),
            "made_at": self.event.at,
            "event": [self.event.chain, self.event.seq],
            "rows": rows,
            "withheld": withheld,  # of items to which the exporting person has to stay blind for now
            "sha256": sha256,
        }

    def lines(self) -> Iterator[bytes]:
        """Yield the document in pieces, the manifest last."""
        names, count, withheld, sealed = list(TABLES[self.kind].columns), 0, 0, hashlib.sha256()
        if self.form == Form.CSV:
            header = _csv([names])
            sealed.update(header)
            yield header
        for rows in self._chunks():
            told = self._told(names, rows)
            piece = _csv(map(_cells, told)) if self.form == Form.CSV else _jsonl(names, told)
            count, withheld = count + len(told), withheld + len(rows) - len(told)
            sealed.update(piece)
            yield piece
        manifest = digest.canonical({"manifest": self.manifest(count, withheld, sealed.hexdigest())})
        yield (b"# " if self.form == Form.CSV else b"") + manifest + b"\n"

    def _chunks(self) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows from before this export, oldest first, some thousand at a time."""
        table, event = TABLES[self.kind], self.event
        before = Q(seq__lt=event.seq) if self.kind == Kind.EVENTS else Q(at__lt=event.at)
        columns = {f"_{name}": F(path) if isinstance(path, str) else path for name, path in table.columns.items()}
        query = table.rows(event.chain, self.wanted).filter(before).select_related(None).annotate(**columns)
        beyond = Q()
        while rows := list(query.filter(beyond).order_by(*table.key).values_list(*columns, *table.key)[:CHUNK]):
            yield [row[: len(columns)] for row in rows]
            beyond = _beyond(table.key, rows[-1][len(columns) :])

    def _told(self, names: list[str], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Leave out the rows that would tell this person about items to which they are blind, or which were gold."""
        place = names.index("item")
        if self.queue is None or rights.limit(self.standing, Act.CLAIM) is None:
            return rows
        items = {row[place] for row in rows if row[place] is not None}
        sights = redact.for_many(items, standing=self.standing, user=self.by, spec=self.queue.spec)
        open_to = {pk for pk, sight in sights.items() if sight.machine and sight.history}
        told = [row for row in rows if row[place] is None or row[place] in open_to]
        if "purpose" not in names or rights.may(self.standing, Act.SEE_ACCURACY):
            return told
        return [row for row in told if row[names.index("purpose")] != Task.Purpose.GOLD]


@transaction.atomic
def begin(*, kind: Kind, form: Form, queue: Queue | None, wanted: Wanted, by: User, at: datetime) -> Export:
    """Enter an export in the record and return it, ready to be read; `queue` None is the site's own chain of events.

    What a note must hold is searched for but not entered: the record holds no words of people. The export ends before
    its own entry.
    """
    if queue is None and kind != Kind.EVENTS:
        raise Invalid(faults=[Fault("queue", "required", _("Name a queue."))])
    standing = rights.require(by, Act.EXPORT, queue_id=queue.pk if queue else None)
    narrowed = {name: str(value) for name, value in wanted.given().items() if name != "text"}
    entry = {"kind": kind, "form": form, "filter": narrowed, "searched_notes": bool(wanted.text)}
    chain = queue.pk if queue else Event.SITE
    event = log.append(Event.Kind.RECORD_EXPORTED, chain=chain, actor=by, at=at, entry=entry)
    return Export(kind, form, queue, wanted, by, standing, event)


def _labels(queue_id: int, wanted: Wanted) -> QuerySet[Label]:
    """Return a queue's labels that match by outcome and time."""
    rows = Label.objects.filter(queue=queue_id)
    narrowed = {"outcome": wanted.outcome, "ruled_at__gte": wanted.since, "ruled_at__lt": wanted.until}
    return rows.filter(**{lookup: value for lookup, value in narrowed.items() if value})


def _name(path: str) -> Coalesce:
    """Return the name a person is shown under."""
    return Coalesce(NullIf(F(f"{path}__name"), Value("")), F(f"{path}__email"), output_field=TextField())


ITEM = {
    "item": "item_id",
    "external_id": "item__external_id",
    "route": "item__route",
    "score": "item__score",
    "policy": "item__policy__no",
    "model": "item__model__name",
}
TABLES = {
    Kind.EVENTS: Table(
        history.events,
        ("seq",),
        {
            "chain": "chain",
            "seq": "seq",
            "at": "at",
            "kind": "kind",
            "actor": "actor_id",
            "actor_name": _name("actor"),
            "item": "item_id",
            "reason": "reason",
            "entry": "entry",
            "version": "version",
            "hash": "hash",
        },
    ),
    Kind.DECISIONS: Table(
        history.decisions,
        ("at", "id"),
        {
            "id": "id",
            "at": "at",
            "person": "person_id",
            "person_name": _name("person"),
            "person_kind": "person__kind",
            **ITEM,
            "task": "task_id",
            "round": "round",
            "purpose": "purpose",
            "outcome": "outcome",
            "reason": "reason",
            "note": "note",
            "suggested": "suggested",
            "was_shown": "was_shown",
            "active_seconds": "active_seconds",
            "queue_version": "queue_version__no",
            "claimed_at": "claimed_at",
        },
    ),
    Kind.OVERRIDES: Table(
        history.rulings,
        ("at", "id"),
        {
            "id": "id",
            "at": "at",
            "person": "person_id",
            "person_name": _name("person"),
            "person_kind": "person__kind",
            **ITEM,
            "no": "no",
            "was": "was",
            "outcome": "outcome",
            "truth": "truth",
            "source": "source",
            "reason": "reason",
            "note": "note",
            "purpose": "decision__purpose",
            "decision": "decision_id",
            "replaces": "replaces_id",
            "is_override": "is_override",
            "is_reversal": "is_reversal",
        },
    ),
    Kind.LABELS: Table(
        _labels,
        ("no",),
        {
            "no": "no",
            "item": "item_id",
            "external_id": "item__external_id",
            "ruling": "ruling_id",
            "value": "value",
            "outcome": "outcome",
            "propensity": "propensity",
            "provenance": "provenance",
            "replaces": "replaces_id",
            "ruled_at": "ruled_at",
            "at": "at",
        },
    ),
}


def _beyond(key: tuple[str, ...], last: tuple[Any, ...]) -> Q:
    """Return the condition for the rows after the last one read."""
    if len(key) == 1:
        return Q(**{f"{key[0]}__gt": last[0]})
    at, pk = last
    return Q(at__gte=at) & (Q(at__gt=at) | Q(id__gt=pk))


def _jsonl(names: list[str], rows: list[tuple[Any, ...]]) -> bytes:
    """Return rows as JSON, one a line."""
    return b"".join(
        digest.canonical({name: _json(name, value) for name, value in zip(names, row, strict=True)}) + b"\n"
        for row in rows
    )


def _json(name: str, value: Any) -> Any:
    if name == "entry":
        return orjson.Fragment(value)
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def table(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return rows as CSV, as RFC 4180 has it; text that a spreadsheet would run as a formula is quoted."""
    return _csv(map(_cells, rows))


def _csv(rows: Any) -> bytes:
    """Return rows as CSV, as RFC 4180 has it."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _cells(row: tuple[Any, ...]) -> list[Any]:
    """Return a row's cells; text that a spreadsheet would run as a formula is quoted."""
    return [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return digest.moment(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
