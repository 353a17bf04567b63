"""Lines of an earlier tool's history: what came, how it was routed, what was concluded, each with its own past time."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson
from django.utils.translation import gettext as _

from decisions.exceptions import Fault, Invalid
from decisions.intake import parse
from decisions.intake.parse import Bad, Row
from decisions.learning import rows
from decisions.models import Item
from decisions.queues.spec import Outcome, Spec
from decisions.record import digest

TOLD = ("arrived_at", "route", "propensity", "outcome", "reason", "decided_at", "active_seconds", "decided_by")
NUMBERS = ("score", "value", "propensity", "active_seconds")
ITEM = frozenset({"external_id", "payload", "score", "model", *parse.ABOUT})
LONGEST_NAME, LONGEST_REASON = 200, 50
SUFFIXES = (".ndjson", ".jsonl", ".csv")
DAY = 86_400.0


@dataclass(frozen=True)
class Past:
    """One item of the past. `row.content` has all that the line said; `outcome` None: nobody concluded anything."""

    row: Row
    arrived_at: datetime
    route: str
    propensity: float | None
    outcome: Outcome | None
    reason: str
    decided_at: datetime | None
    active_seconds: float | None


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file as it lies there."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def read(file: Path, spec: Spec, at: datetime) -> Iterator[Past | Bad]:
    """Yield the lines of an NDJSON or CSV file, packed by gzip or not, each as an item or as what is wrong with it.

    A CSV file begins with a line of names: those of the fields below, and payload fields of the queue. Refuses a file
    of another kind.
    """
    if not any(file.name.removesuffix(".gz").endswith(suffix) for suffix in SUFFIXES):
        detail = _("The file must be one of %(kinds)s, with .gz if it is packed.") % {"kinds": ", ".join(SUFFIXES)}
        raise Invalid(faults=[Fault("file", "format", detail)])
    with _opened(file) as data:
        is_csv = file.name.removesuffix(".gz").endswith(".csv")
        for no, told in _of_csv(data, spec) if is_csv else _of_json(data):
            yield told if isinstance(told, Bad) else line(no, told, spec, at)


def line(no: int, sent: dict[str, Any], spec: Spec, at: datetime) -> Past | Bad:
    """Return the item that a line tells of, or what is wrong with it."""
    told = {key: sent[key] for key in TOLD if sent.get(key) is not None}
    rest = {"payload": {}, **{key: value for key, value in sent.items() if key not in TOLD}}
    try:
        row = parse.line(no, orjson.dumps(rest))
    except (TypeError, ValueError) as error:
        return Bad(no, str(sent.get("external_id", ""))[:200], (Fault("", "invalid_json", str(error)),))
    faults = [*(row.faults if isinstance(row, Bad) else ()), *_faults(told, spec, at)]
    if isinstance(row, Bad) or faults:
        return Bad(no, row.external_id, tuple(faults))
    return _past(row, told, rest, spec)


def _past(row: Row, told: Mapping[str, Any], rest: Mapping[str, Any], spec: Spec) -> Past:
    scored = {key: rest[key] for key in ("score", "model") if rest.get(key) is not None}
    content = digest.canonical({**orjson.loads(row.content), "imported": {**told, **scored}})
    arrived, propensity, seconds = parse.moment(told["arrived_at"]), told.get("propensity"), told.get("active_seconds")
    assert arrived is not None
    return Past(
        row=row._replace(content=content),
        arrived_at=arrived,
        route=told.get("route", Item.Route.SOFT.value),
        propensity=None if propensity is None else float(propensity),
        outcome=spec.outcome(told.get("outcome", "")),
        reason=told.get("reason", ""),
        decided_at=parse.moment(told.get("decided_at")),
        active_seconds=None if seconds is None else float(seconds),
    )


def _faults(told: Mapping[str, Any], spec: Spec, at: datetime) -> Iterator[Fault]:
    yield from _time_faults(told, at)
    yield from _number_faults(told)
    if told.get("route", "soft") not in Item.Route.values:
        yield Fault("route", "choice", _("route is one of hard, soft, pass."))
    yield from _outcome_faults(told, spec)
    if not isinstance(told.get("decided_by", ""), str) or len(told.get("decided_by", "")) > LONGEST_NAME:
        yield parse.of_type("decided_by", _("a text"))


def _time_faults(told: Mapping[str, Any], at: datetime) -> Iterator[Fault]:
    """Yield times that are none, that are still to come, or in the wrong order."""
    arrived, decided = parse.moment(told.get("arrived_at")), parse.moment(told.get("decided_at"))
    for key, moment in (("arrived_at", arrived), ("decided_at", decided)):
        if key not in told:
            continue
        if moment is None:
            detail = _("%(field)s must be an ISO 8601 time with its offset, as in 2026-03-01T12:00:00Z.")
            yield Fault(key, "format", detail % {"field": key})
        elif moment > at:
            yield Fault(
                key, "range", _("%(field)s is still to come: only what is past can be brought in.") % {"field": key}
            )
    if "arrived_at" not in told:
        yield Fault("arrived_at", "missing", _("%(field)s is missing.") % {"field": "arrived_at"})
    if arrived and decided and decided < arrived:
        yield Fault("decided_at", "order", _("decided_at is before arrived_at."))


def _number_faults(told: Mapping[str, Any]) -> Iterator[Fault]:
    for key, least, most in (("propensity", 0.0, 1.0), ("active_seconds", 0.0, DAY)):
        value = told.get(key)
        if value is None:
            continue
        if type(value) not in (int, float):
            yield parse.of_type(key, _("a number"))
        elif not least <= value <= most or (key == "propensity" and value == 0):
            words = {"field": key, "least": least, "most": most}
            yield Fault(key, "range", _("%(field)s must be from %(least)g to %(most)g.") % words)


def _outcome_faults(told: Mapping[str, Any], spec: Spec) -> Iterator[Fault]:
    key, reason = told.get("outcome"), told.get("reason", "")
    if key is None:
        for name in ("decided_at", "reason", "active_seconds", "decided_by"):
            if name in told:
                yield Fault(name, "alone", _("%(field)s needs an outcome.") % {"field": name})
        return
    outcome = spec.outcome(key) if isinstance(key, str) else None
    if outcome is None:
        words = {"keys": ", ".join(one.key for one in spec.outcomes)}
        yield Fault("outcome", "reference", _("The queue has no such outcome; it has %(keys)s.") % words)
    elif reason and reason not in {one.code for one in outcome.reasons}:
        yield Fault("reason", "reference", _("The outcome has no such reason."))
    if "decided_at" not in told:
        yield Fault("decided_at", "missing", _("%(field)s is missing.") % {"field": "decided_at"})


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as raw:
        if file.suffix == ".gz":
            with gzip.open(raw, "rb") as data:
                yield data  # type: ignore[misc]  # it reads as bytes
        else:
            yield raw


def _of_json(data: IO[bytes]) -> Iterator[tuple[int, dict[str, Any] | Bad]]:
    for no, text in enumerate(data, 1):
        if not text.strip():
            continue
        try:
            sent = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield (
                no,
                Bad(no, "", (Fault("", "invalid_json", _("This is not valid JSON: %(error)s") % {"error": error}),)),
            )
            continue
        is_object = isinstance(sent, dict)
        yield no, sent if is_object else Bad(no, "", (Fault("", "type", _("An item is a JSON object.")),))


def _of_csv(data: IO[bytes], spec: Spec) -> Iterator[tuple[int, dict[str, Any] | Bad]]:
    reader = csv.DictReader(io.TextIOWrapper(data, "utf-8-sig", newline=""))
    known = {*TOLD, *ITEM, *(one.name for one in spec.fields)}
    strange = [name for name in reader.fieldnames or () if name not in known]
    if strange:
        detail = _("The queue has no field “%(name)s”, and history has none.") % {"name": strange[0]}
        raise Invalid(faults=[Fault("file", "unknown_key", detail)])
    for cells in reader:
        if None in cells or None in cells.values():
            words = Fault("", "columns", _("The line has another number of columns than the first."))
            yield reader.line_num, Bad(reader.line_num, str(cells.get("external_id") or "")[:200], (words,))
        else:
            yield reader.line_num, _sent(cells, spec)


def _sent(cells: Mapping[str, str], spec: Spec) -> dict[str, Any]:
    """Return a line of a table as JSON would have said it: an empty cell says nothing, a number is one."""
    sent: dict[str, Any] = {key: cells[key] for key in (*TOLD, *ITEM - {"payload"}) if cells.get(key)}
    for key in NUMBERS:
        if key in sent:
            sent[key] = _number(sent[key])
    payload = orjson.loads(cells["payload"]) if cells.get("payload", "").startswith("{") else {}
    fields = {one.name: rows.typed(cells[one.name], one) for one in spec.fields if cells.get(one.name)}
    return {**sent, "payload": {**payload, **fields}}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
