"""The newest items that people decided, kept on disk as points: the ones most like another are found at once."""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from django.conf import settings
from django.db.models import Max
from scipy import sparse

from decisions.learning import features, space
from decisions.learning.features import Feature
from decisions.learning.space import FloatArray, Space
from decisions.models import Body, Label, Queue

NEWEST = 5_000  # labelled items a queue: what is kept does not grow with its history
BY_PEOPLE = (Label.Provenance.SOFT, Label.Provenance.CONTROL, Label.Provenance.AUDIT, Label.Provenance.OVERRIDE)


@dataclass(frozen=True)
class Index:
    """Items as points. `last_no` is the newest label that it knows, `version` the queue's spec that it was made by."""

    space: Space
    item_ids: npt.NDArray[np.int64]
    points: sparse.csr_array
    squares: FloatArray  # of the points' lengths
    last_no: int
    version: int

    def nearest(self, payload: Mapping[str, Any], count: int) -> list[int]:
        """Return the ids of the `count` items most like a payload, the nearest first."""
        far = space.distances(self.points, self.squares, self.space.points([payload]))
        chosen = np.argsort(far, kind="stable")[:count]
        found: list[int] = self.item_ids[chosen].tolist()
        return found


def refresh_all() -> int:
    """Bring the kept items of every queue up to date; return how many queues changed."""
    return sum(refresh(queue) for queue in Queue.objects.exclude(version=None).select_related("version").order_by("pk"))


def refresh(queue: Queue) -> bool:
    """Keep a queue's newest items that people decided; False where nothing has changed since.

    What was erased goes: nothing in the file says what an item was, but its place among the others would.
    """
    last = Label.objects.filter(queue=queue).aggregate(last=Max("no"))["last"]
    if last is None or queue.version is None:
        return False
    known = load(queue.slug)
    if known and (known.last_no, known.version) == (last, queue.version.pk) and not _has_erased(known):
        return False
    ids = _newest(queue.pk)
    found = dict(Body.objects.filter(item__in=ids, content__isnull=False).values_list("item", "content"))
    kept = [pk for pk in ids if pk in found]
    payloads = [orjson.loads(found[pk] or "{}")["payload"] for pk in kept]
    chosen = _features(queue, payloads)
    if not chosen or not kept:
        path(queue.slug).unlink(missing_ok=True)
        return known is not None
    made = Space.of(chosen, payloads)
    points = made.points(payloads)
    squares = np.asarray(points.power(2).sum(axis=1)).ravel()
    _store(queue.slug, Index(made, np.array(kept, dtype=np.int64), points, squares, last, queue.version.pk))
    return True


def load(slug: str) -> Index | None:
    """Return what is kept of a queue, read once in a process until it changes; None where nothing is."""
    try:
        changed = path(slug).stat().st_mtime_ns
        return _load(path(slug), changed)
    except FileNotFoundError:
        return None


def path(slug: str) -> Path:
    """Return where a queue's items are kept."""
    return Path(settings.DATA_DIR) / "similar" / f"{slug}.npz"


def _newest(queue_id: int) -> list[int]:
    """Return the items of the newest labels by people, the newest first, each once."""
    labels = Label.objects.filter(queue=queue_id).order_by("-no").values_list("item", "provenance")[:NEWEST]
    return list(dict.fromkeys(item for item, provenance in labels if provenance in BY_PEOPLE))


def _features(queue: Queue, payloads: Sequence[Mapping[str, Any]]) -> list[Feature]:
    """Return the fields that the queue's model may read, and of these none that names somebody."""
    spec = queue.spec
    open_ones = [field for field in spec.fields if not field.personal]
    return features.of_fields(open_ones, spec.model.features, payloads)


def _has_erased(known: Index) -> bool:
    return Body.objects.filter(item__in=known.item_ids.tolist(), content__isnull=True).exists()


def _store(slug: str, index: Index) -> None:
    about = {
        "features": [feature.as_json() for feature in index.space.features],
        "last_no": index.last_no,
        "version": index.version,
    }
    out = io.BytesIO()
    np.savez(
        out,
        about=np.frombuffer(orjson.dumps(about), dtype=np.uint8),
        mean=index.space.mean,
        sd=index.space.sd,
        idf=index.space.idf,
        item_ids=index.item_ids,
        data=index.points.data,
        indices=index.points.indices,
        indptr=index.points.indptr,
        shape=np.array(index.points.shape),
        squares=index.squares,
    )
    path(slug).parent.mkdir(parents=True, exist_ok=True)
    draft = path(slug).with_name(f".{slug}.{os.getpid()}")
    draft.write_bytes(out.getvalue())
    draft.replace(path(slug))


@lru_cache(maxsize=32)
def _load(file: Path, _changed: int) -> Index:
    with np.load(file, allow_pickle=False) as read:
        about = orjson.loads(read["about"].tobytes())
        chosen = tuple(Feature.from_json(stored) for stored in about["features"])
        points = sparse.csr_array((read["data"], read["indices"], read["indptr"]), shape=tuple(read["shape"]))
        made = Space(chosen, read["mean"], read["sd"], read["idf"])
        return Index(made, read["item_ids"], points, read["squares"], about["last_no"], about["version"])
