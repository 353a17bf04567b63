"""Known data: historical rows with their truth, from a CSV file to one that never changes, and back."""

import csv
import gzip
import hashlib
import io
import math
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.exceptions import Conflict, Fault, Invalid
from decisions.learning import rows
from decisions.learning.rows import FileRow
from decisions.models import KnownSet, ModelVersion, Queue
from decisions.queues.spec import NUMERIC, FieldType, PayloadField, Spec
from decisions.record import digest

FORMAT = 1
FEWEST = 20  # of each answer: with fewer, a promise would hang on single rows
MOST = 200_000
FAULTS_TOLD = 20
SCORE = "score"  # the column of scores by the model that nobody named; `score:NAME` of the one that is named so
KINDS = {FieldType.BOOLEAN: gettext_lazy("yes or no"), **dict.fromkeys(NUMERIC, gettext_lazy("a number"))}


@dataclass(frozen=True)
class KnownRow:
    """One row: its line in the file it came from, what was known, whether it was positive, and scores by model."""

    line: int
    payload: dict[str, Any]
    is_positive: bool
    scores: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        return {"line": self.line, "payload": self.payload, "positive": self.is_positive, "scores": self.scores}


@dataclass(frozen=True)
class TruthColumn:
    """The column that holds the truth, and the value of it that means positive."""

    name: str
    positive: str


@dataclass(frozen=True)
class Reader:
    """What a file must hold: the queue's payload fields, the truth, and scores within each model's range."""

    prefix: str
    fields: tuple[PayloadField, ...]
    truth: TruthColumn
    ranges: Mapping[str, tuple[float, float]]  # by model
    other: tuple[float, float]  # of a model that is not here yet
    needs_scores: bool

    @classmethod
    def of(cls, queue: Queue, truth: TruthColumn | None) -> "Reader":
        """Return the reader for a queue; refuses one that does not say what the truth is."""
        spec: Spec = queue.spec
        truth = truth or TruthColumn(spec.model.label, spec.model.positive)
        if not truth.name or not truth.positive:
            detail = _("The queue does not say which column holds the truth: name it, and the value that is positive.")
            raise Invalid(faults=[Fault("truth", "required", detail)])
        models = ModelVersion.objects.filter(queue=queue)
        ranges = {model.name: (model.score_low, model.score_high) for model in models}
        return cls(queue.slug, spec.fields, truth, ranges, (spec.model.low, spec.model.high), not spec.model.pipeline)

    def read(self, path: Path, wanted: Callable[[FileRow], bool]) -> list[KnownRow]:
        """Return the wanted rows of a CSV file, packed by gzip or not, by the names that training gives them.

        Refuses, with line and column, cells that do not fit; and a file with too few rows of an answer.
        """
        lines = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
        faults: list[Fault] = []
        try:
            self._require_columns(list(lines.fieldnames or ()))
            found = [
                row
                for no, cells in enumerate(lines, 1)
                if wanted(FileRow(f"{self.prefix}-{no:06d}", cells))
                and (row := self._row(cells, lines.line_num, faults))
            ]
        except csv.Error as error:
            detail = _("This is not a CSV file: %(error)s") % {"error": error}
            raise Invalid(faults=[Fault(_place(lines.line_num), "format", detail)]) from error
        if faults:
            raise Invalid(faults=_told(faults))
        _require_enough(found)
        return found

    def _require_columns(self, names: Sequence[str]) -> None:
        wanted = [*(field.name for field in self.fields), self.truth.name]
        faults = [_fault(1, name, "missing", _("The file has no such column.")) for name in wanted if name not in names]
        twice = sorted({name for name in names if names.count(name) > 1})
        faults += [_fault(1, name, "twice", _("There are two columns of this name.")) for name in twice]
        if self.needs_scores and not any(self._model(name) for name in names):
            detail = _("Scores of this queue come with its items, so the file needs a column of each model's scores.")
            faults.append(_fault(1, SCORE, "missing", detail))
        if faults:
            raise Invalid(faults=faults)

    def _model(self, column: str) -> str:
        """Return the model whose scores a column holds, "" where it holds none; a payload field is no score."""
        if column in {field.name for field in self.fields}:
            return ""
        if column == SCORE:
            return str(ModelVersion.Kind.EXTERNAL.value)
        head, _colon, name = column.partition(":")
        return name.strip() if head == SCORE else ""

    def _row(self, cells: dict[str, str], line: int, faults: list[Fault]) -> KnownRow | None:
        """Return one line as a row, or None and what is wrong with it."""
        before = len(faults)
        if None in cells or None in cells.values():
            faults.append(Fault(_place(line), "format", _("The line has not as many cells as the first one.")))
            return None
        payload = rows.payload(cells, self.fields)
        faults.extend(self._misfits(payload, line))
        if cells[self.truth.name] in ("", "NA"):
            faults.append(_fault(line, self.truth.name, "missing", _("The truth is missing.")))
        named = {column: name for column in cells if (name := self._model(column))}
        scores = {name: self._score(name, column, cells[column], line, faults) for column, name in named.items()}
        if len(faults) > before:
            return None
        return KnownRow(line, payload, cells[self.truth.name] == self.truth.positive, scores)

    def _misfits(self, payload: Mapping[str, Any], line: int) -> Iterator[Fault]:
        """Say which cells are not of their field's type; the input checks judge the rest when a policy is checked."""
        for field in self.fields:
            if field.type in KINDS and isinstance(payload[field.name], str):
                words = {"cell": payload[field.name][:40], "kind": KINDS[field.type]}
                yield _fault(line, field.name, "type", _("“%(cell)s” is not %(kind)s.") % words)

    def _score(self, name: str, column: str, cell: str, line: int, faults: list[Fault]) -> float:
        low, high = self.ranges.get(name, self.other)
        try:
            score = float(cell)
        except ValueError:
            score = math.nan
        if not low <= score <= high:
            words = {"cell": cell[:40], "low": low, "high": high}
            detail = _("“%(cell)s” is not a score from %(low)g to %(high)g.") % words
            faults.append(_fault(line, column, "range", detail))
        return score


def fingerprint(payload: Mapping[str, Any], *, is_positive: bool) -> bytes:
    """Return 8 bytes that tell one row's content from another's: what was known and the truth."""
    return hashlib.sha256(digest.canonical([payload, is_positive])).digest()[:8]


def write(queue: Queue, found: Sequence[KnownRow]) -> tuple[str, str]:
    """Store rows as canonical JSON lines under the hash of the file; return the file's place and its SHA-256."""
    head = {"format": FORMAT, "queue": queue.slug, "fields": [[f.name, str(f.type)] for f in queue.spec.fields]}
    data = b"".join(digest.canonical(line) + b"\n" for line in (head, *(row.as_json() for row in found)))
    name = hashlib.sha256(data).hexdigest()
    file = f"known_sets/{queue.slug}/{name}.jsonl"
    path = Path(settings.DATA_DIR) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)
    return file, name


def load(known: KnownSet) -> list[KnownRow]:
    """Return the rows of a known set; refuses a file that is gone or is not, byte for byte, the one that was frozen."""
    try:
        data = (Path(settings.DATA_DIR) / known.file).read_bytes()
    except OSError as error:
        raise Conflict(_("The file of the known data is gone: %(file)s.") % {"file": known.file}) from error
    if hashlib.sha256(data).hexdigest() != known.name:
        raise Conflict(_("The file of the known data is not the one that was frozen: %(file)s.") % {"file": known.file})
    _head, *lines = map(orjson.loads, data.splitlines())
    return [KnownRow(line["line"], line["payload"], line["positive"], line["scores"]) for line in lines]


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        detail = _("The file cannot be read: %(error)s") % {"error": error}
        raise Invalid(faults=[Fault("file", "format", detail)]) from error


def _require_enough(found: Sequence[KnownRow]) -> None:
    positives = sum(row.is_positive for row in found)
    if len(found) > MOST:
        detail = _("A known set has at most %(most)d rows.") % {"most": MOST}
        raise Invalid(faults=[Fault("rows", "too_many", detail)])
    if min(positives, len(found) - positives) < FEWEST:
        words = {"fewest": FEWEST, "positives": positives, "negatives": len(found) - positives}
        detail = _("At least %(fewest)d rows of each answer are needed; there are %(positives)d and %(negatives)d.")
        raise Invalid(faults=[Fault("rows", "too_few", detail % words)])


def _told(faults: Sequence[Fault]) -> list[Fault]:
    """Return the first faults, and how many more there are."""
    more = len(faults) - FAULTS_TOLD
    if more <= 0:
        return list(faults)
    return [*faults[:FAULTS_TOLD], Fault("", "more", _("%(count)d more cells do not fit.") % {"count": more})]


def _fault(line: int, column: str, code: str, detail: str) -> Fault:
    place = _("line %(line)d, column “%(column)s”") % {"line": line, "column": column}
    return Fault(place, code, detail)


def _place(line: int) -> str:
    return _("line %(line)d") % {"line": line}
