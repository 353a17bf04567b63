"""Models on disk: stored by skops under their hash and sealed, checked before anything parses them, read once."""

import hashlib
import io
import json
import os
import threading
import tracemalloc
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skops.io
from django.conf import settings
from django.utils.translation import gettext as _

from decisions.exceptions import Refused
from decisions.learning import archive, seal
from decisions.learning.features import Feature, matrix
from decisions.learning.seal import ModelFileRefused, Seal
from decisions.learning.shelf import Shelf
from decisions.measure import calibrate
from decisions.models import ModelVersion

FloatArray = npt.NDArray[np.float64]

# What a file may hold besides the types that skops itself knows to be harmless; anything else is refused.
# A partial only ever wraps a function that is itself on a list, here scikit-learn's check of its input.
TRUSTED = [
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]
FINGERPRINT = 8  # bytes that tell a row
SEAL = ".seal"  # behind the name of the file that it seals
UNREADABLE = (
    skops.io.exceptions.UntrustedTypesFoundException,
    zipfile.BadZipFile,
    AttributeError,
    ImportError,
    KeyError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
_measuring = threading.Lock()


@dataclass(frozen=True)
class Scorer:
    """A model in memory. `slope`, `intercept` and `edge` calibrate its probabilities on the log odds."""

    estimator: Any
    features: tuple[Feature, ...]
    slope: float
    intercept: float
    edge: float

    def score(self, payloads: Sequence[Mapping[str, Any]]) -> FloatArray:
        """Return each payload's calibrated probability of the positive outcome, in [0, 1]."""
        p = self.estimator.predict_proba(matrix(payloads, self.features))[:, 1]
        return calibrate.probabilities(p, self.slope, self.intercept, self.edge)


def folder() -> Path:
    """Return where model files lie."""
    return Path(settings.DATA_DIR) / "models"


def pack(scorer: Scorer) -> bytes:
    """Return a scorer as a skops archive; the same scorer always gives the same bytes."""
    parts = {
        "estimator": scorer.estimator,
        "features": [feature.as_json() for feature in scorer.features],
        "slope": scorer.slope,
        "intercept": scorer.intercept,
        "edge": scorer.edge,
    }
    return _steady(skops.io.dumps(parts))


def store(name: str, data: bytes) -> tuple[str, str]:
    """Write an archive and its seal under the model's name, whole or not at all; return the file's name and SHA-256.

    Refuses one that could not be loaded again, or takes more memory than a model may.
    """
    archive.check(data)
    made = seal.make(name=name, data=data, memory=measured(data))
    return keep(made, data), made.sha256


def keep(made: Seal, data: bytes) -> str:
    """Write a sealed archive to its place; return the file's name. The seal goes first: nothing lies there without."""
    file = f"{made.name}.skops"
    _write(f"{file}{SEAL}", made.document())
    _write(file, data)
    return file


def measured(data: bytes) -> int:
    """Return the bytes of memory that reading a model takes at its peak; refuses more than a model may.

    As Python's own book of allocations has it, numpy's arrays with it; whatever other threads take at the time counts
    too, so that it is never too little.
    """
    with _measuring:
        tracemalloc.start()
        try:
            unpack(data)
            memory = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    if memory > archive.most_memory():
        words = {"memory": memory >> 20, "most": settings.MODEL_MEMORY_MB}
        raise ModelFileRefused(_("The model takes %(memory)s MB of memory, more than %(most)s MB.") % words)
    return memory


def is_whole(model: ModelVersion) -> bool:
    """Tell whether the file of a model is there, is the one that was stored, and its seal holds."""
    try:
        checked(model)
    except (OSError, Refused):
        return False
    return True


def checked(model: ModelVersion) -> tuple[bytes, Seal]:
    """Return the bytes of a model's file and its seal after all that can be said of them without parsing any.

    Refuses a file without a seal, one that another key sealed, other bytes than those that were stored, and archives
    that are too large or not ours; raises FileNotFoundError where it is gone.
    """
    path = folder() / model.file
    if path.stat().st_size > archive.most_bytes():
        raise ModelFileRefused(_("The file is larger than %(most)s MB.") % {"most": settings.MODEL_FILE_MB})
    made = sealed(model)
    data = path.read_bytes()
    require(made, name=model.name, data=data)
    if made.sha256 != model.sha256:
        raise ModelFileRefused(_("%(file)s: its SHA-256 is not the stored one.") % {"file": path.name})
    return data, made


def demand(model: ModelVersion) -> None:
    """Refuse a model that could not score: its file is gone, or `checked` refuses it. One from outside needs none."""
    if model.kind != ModelVersion.Kind.PIPELINE:
        return
    try:
        checked(model)
    except OSError as error:
        raise ModelFileRefused(_("The file of the model %(name)s is gone.") % {"name": model.name}) from error


def sealed(model: ModelVersion) -> Seal:
    """Return the seal of a model's file; refuses where there is none that holds. It does not read the file."""
    path = folder() / f"{model.file}{SEAL}"
    if not path.is_file():
        raise ModelFileRefused(_("%(file)s has no seal.") % {"file": model.file})
    return seal.parse(path.read_bytes())


def require(made: Seal, *, name: str, data: bytes) -> None:
    """Refuse bytes that a seal does not speak of, and archives that are too large or not ours; parses nothing."""
    if made.name != name:
        raise ModelFileRefused(_("The seal is of another model: %(name)s.") % {"name": made.name})
    if made.size != len(data) or made.sha256 != hashlib.sha256(data).hexdigest():
        raise ModelFileRefused(_("%(name)s: its SHA-256 is not the sealed one.") % {"name": name})
    if made.memory > archive.most_memory():
        words = {"memory": made.memory >> 20, "most": settings.MODEL_MEMORY_MB}
        raise ModelFileRefused(_("The model takes %(memory)s MB of memory, more than %(most)s MB.") % words)
    archive.check(data)


def store_learnt(name: str, fingerprints: Collection[bytes]) -> str:
    """Write what tells the rows that a model learnt from, 8 bytes each, beside its file; return the SHA-256 of it."""
    data = b"".join(sorted(fingerprints))
    _write(f"{name}.rows", data)
    return hashlib.sha256(data).hexdigest()


def learnt(model: ModelVersion) -> frozenset[bytes] | None:
    """Return the fingerprints of the rows that a model learnt from; None where that is not known."""
    path = folder() / f"{model.name}.rows"
    if model.kind != ModelVersion.Kind.PIPELINE or not path.is_file():
        return None
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != model.parameters.get("learnt"):
        return None
    return frozenset(data[i : i + FINGERPRINT] for i in range(0, len(data), FINGERPRINT))


def load(model: ModelVersion) -> Scorer:
    """Return the scorer of a model version, read once in a process as long as there is room; refuses as `checked`."""
    return _shelf.get((model.file, model.sha256, folder()), lambda: _read(model), archive.most_memory())


_shelf: Shelf[Scorer] = Shelf()


def _read(model: ModelVersion) -> tuple[Scorer, int]:
    data, made = checked(model)
    return unpack(data), made.memory


def unpack(data: bytes) -> Scorer:
    """Return the scorer in an archive; refuses whatever is not one, or holds a type that is not on the list."""
    try:
        parts = skops.io.loads(data, trusted=TRUSTED)
        features = tuple(Feature.from_json(stored) for stored in parts["features"])
        line = (float(parts["slope"]), float(parts["intercept"]), float(parts["edge"]))
        return Scorer(parts["estimator"], features, *line)
    except UNREADABLE as error:
        raise ModelFileRefused(str(error)) from error


def _write(name: str, data: bytes) -> None:
    """Write a file to the folder of models, whole or not at all."""
    folder().mkdir(parents=True, exist_ok=True)
    draft = folder() / f".{name}.{os.getpid()}.{threading.get_ident()}"
    draft.write_bytes(data)
    draft.replace(folder() / name)


def _steady(archive: bytes) -> bytes:
    """Return a skops archive without what differs from run to run: addresses in memory as ids, and the time."""
    source = zipfile.ZipFile(io.BytesIO(archive))
    schema = json.loads(source.read("schema.json"))
    ids: dict[int, int] = {}
    files: dict[str, str] = {}
    _renumber(schema, ids, files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema, indent=2))
        for old, new in files.items():
            target.writestr(zipfile.ZipInfo(new), source.read(old))
    return out.getvalue()


def _renumber(node: Any, ids: dict[int, int], files: dict[str, str]) -> None:
    """Number objects and files in the order in which the schema names them."""
    if isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
        if isinstance(node.get("file"), str):
            name = node["file"]
            node["file"] = files.setdefault(name, f"{len(files) + 1}{Path(name).suffix}")
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _renumber(inner, ids, files)
