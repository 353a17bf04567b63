"""Data sets: labelled rows frozen on disk, each named by the hash of what it holds; what is erased is taken out."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from decisions import locks, rights
from decisions.exceptions import Conflict
from decisions.learning import checkup, frozen, parquet, weak, weights
from decisions.learning.parquet import Tally
from decisions.models import DataSet, Event, KnownSet, Label, Queue, User
from decisions.queues.spec import PayloadField
from decisions.record import digest, log
from decisions.rights import Act

FORMAT = 3
ROWS, MANIFEST, DRAFT = "rows.parquet", "manifest.json", ".draft"
RIPE = 500  # new labels after which a data set is frozen by itself


@transaction.atomic
def freeze(queue: Queue, at: datetime, by: User | None = None) -> DataSet:
    """Write the latest label of each item with its payload to disk, and return the data set that says so.

    The same labels give the same bytes, and so the data set that is already there. Refuses a queue without labels, and
    who may not; `by` None is whoever holds the server's shell, or the machine itself.
    """
    if by is not None:
        rights.require(by, Act.FREEZE_DATA_SET, queue_id=queue.pk)
    _lock(queue.pk)
    last = Label.objects.filter(queue=queue).aggregate(last=Max("no"))["last"]
    if last is None:
        raise Conflict(_("There are no labels yet."))
    erased_to = _last_erased(queue.pk)  # what is erased from here on may be in the file
    draft = _empty_draft(queue)
    last_word = weak.last(queue.pk)
    tally = parquet.write(draft / ROWS, queue=queue, last_no=last, last_word=last_word)
    query = {"labels": "the latest of each item", "last_no": last, "last_word": last_word, "without": "erased items"}
    content = _content(queue, query, tally, draft / ROWS)
    name = hashlib.sha256(digest.canonical(content)).hexdigest()
    folder = _folder(queue) / name
    if not folder.exists():
        _write_manifest(draft, {"content": content, "erasures": {"up_to": erased_to, "rows": 0}})
        draft.rename(folder)
    shutil.rmtree(draft, ignore_errors=True)
    made = DataSet.objects.filter(queue=queue, name=name).first()
    return made or _store(queue, name, content, by, at)


def freeze_ripe(at: datetime) -> list[DataSet]:
    """Freeze the data sets of the queues that got 500 labels since their last one."""
    return [freeze(queue, at) for queue in Queue.objects.exclude(version=None).order_by("pk") if _is_ripe(queue)]


def forget_erased() -> int:
    """Take the rows of items that were erased out of all data sets on disk; return how many files changed.

    A manifest says up to which entry of the record its file was cleaned, so that what one run leaves the next one does.
    """
    queues = Queue.objects.filter(data_sets__isnull=False).distinct().order_by("pk")
    return sum(_forget_erased(queue) for queue in queues)


def newest(queue_id: int) -> DataSet | None:
    """Return the queue's data set that was made last."""
    return DataSet.objects.filter(queue=queue_id).order_by("-created_at", "-pk").first()


def path(data_set: DataSet) -> Path:
    """Return the folder of a data set."""
    return Path(settings.DATA_DIR) / data_set.directory


def manifest(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest: `content`, whose SHA-256 is the name, and `erasures`, what was taken out since."""
    read: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
    return read


@dataclass(frozen=True)
class State:
    """What became of a data set's file: whether it is there, and how many of its rows were erased since."""

    is_there: bool
    erased: int


def state(data_set: DataSet) -> State:
    """Return what became of a data set's file."""
    try:
        return State((path(data_set) / ROWS).is_file(), manifest(path(data_set))["erasures"]["rows"])
    except OSError:
        return State(is_there=False, erased=0)


def opened(data_set: DataSet, by: User) -> BinaryIO:
    """Return a data set's rows as a Parquet file to read; refuses who may not take them, and one that is gone.

    The rows hold payloads, personal fields among them.
    """
    standing = rights.require(by, Act.FREEZE_DATA_SET, queue_id=data_set.queue_id)
    rights.demand(standing, Act.SEE_PERSONAL, queue_id=data_set.queue_id)
    try:
        return (path(data_set) / ROWS).open("rb")
    except OSError as error:
        raise Conflict(_("The file of the data set is gone: %(name)s.") % {"name": data_set.name}) from error


def _store(queue: Queue, name: str, content: dict[str, Any], by: User | None, at: datetime) -> DataSet:
    made = DataSet.objects.create(
        queue=queue,
        name=name,
        manifest=content,
        directory=f"data_sets/{queue.slug}/{name}",
        rows=content["file"]["rows"],
        created_at=at,
    )
    entry = {"name": name, "count": made.rows, "last": content["query"]["last_no"]}
    log.append(Event.Kind.DATASET_MADE, chain=queue.pk, actor=by, at=at, entry=entry, rows=(made,))
    return made


def _content(queue: Queue, query: dict[str, Any], tally: Tally, rows: Path) -> dict[str, Any]:
    assert queue.version is not None
    fields = queue.spec.fields
    known, prints = _known(queue, fields)
    return {
        "format": FORMAT,
        "queue": queue.slug,
        "queue_version": queue.version.no,
        "query": {**query, "known_set": known},
        "fields": [[one.name, str(one.type)] for one in queue.spec.fields],
        "schema": [[one.name, str(one.type)] for one in parquet.schema(queue.spec.fields)],
        "weighting": weights.VERSION,
        "provenance": dict(tally.provenance),
        "segments": dict(tally.segments),
        "classes": dict(tally.classes),
        **checkup.figures(rows, fields, prints.__contains__),
        "file": {"name": ROWS, **parquet.describe(rows)},
        "writer": f"pyarrow {pa.__version__}",
    }


def _known(queue: Queue, fields: Sequence[PayloadField]) -> tuple[str | None, frozenset[bytes]]:
    """Return the frozen known set and the fingerprints of its rows; nothing where there is none or its file is gone."""
    known = KnownSet.objects.filter(queue=queue).order_by("-pk").first()
    if known is None:
        return None, frozenset()
    try:
        rows = frozen.load(known)
    except Conflict:  # said where the known set is used; labels are frozen all the same
        return None, frozenset()
    return known.name, frozenset(checkup.of_payload(row.payload, fields) for row in rows)


def _is_ripe(queue: Queue) -> bool:
    before = newest(queue.pk)
    last = before.manifest["query"]["last_no"] if before else 0
    return Label.objects.filter(queue=queue, no__gt=last)[RIPE - 1 : RIPE].exists()


@transaction.atomic
def _forget_erased(queue: Queue) -> int:
    _lock(queue.pk)
    last = _last_erased(queue.pk)
    folders = [folder for one in DataSet.objects.filter(queue=queue) if (folder := path(one)).exists()]
    return sum(_clean(folder, queue.pk, last) for folder in folders)


def _clean(folder: Path, queue_id: int, last: int) -> bool:
    """Bring one folder up to the last erasure; the manifest is written last, so that a killed run is done again."""
    kept = manifest(folder)
    if kept["erasures"]["up_to"] >= last:
        return False
    erased = _erased(queue_id).filter(seq__gt=kept["erasures"]["up_to"], item__isnull=False)
    cleaner = folder / f".{ROWS}"
    is_changed = parquet.write_without(cleaner, folder / ROWS, set(erased.values_list("item_id", flat=True)))
    if is_changed:
        cleaner.replace(folder / ROWS)
    file = parquet.describe(folder / ROWS)
    gone = kept["content"]["file"]["rows"] - file["rows"]
    _write_manifest(folder, {**kept, "erasures": {"up_to": last, "rows": gone, "file": file}})
    return is_changed


def _write_manifest(folder: Path, content: dict[str, Any]) -> None:
    draft = folder / f".{MANIFEST}"
    draft.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    draft.replace(folder / MANIFEST)


def _folder(queue: Queue) -> Path:
    return Path(settings.DATA_DIR) / "data_sets" / queue.slug


def _empty_draft(queue: Queue) -> Path:
    """Return an empty folder to write to; a killed run may have left one."""
    draft = _folder(queue) / DRAFT
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(parents=True)
    return draft


def _erased(queue_id: int) -> QuerySet[Event]:
    return Event.objects.filter(chain=queue_id, kind=Event.Kind.ITEM_ERASED)


def _last_erased(queue_id: int) -> int:
    """Return the number of the record's last erasure on a queue, 0 for none."""
    return _erased(queue_id).aggregate(last=Max("seq"))["last"] or 0


def _lock(queue_id: int) -> None:
    """Let one process at a time write a queue's data sets."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.DATA_SETS, queue_id])
