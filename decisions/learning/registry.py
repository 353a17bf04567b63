"""Models on disk: stored by skops under their hash, checked before anything parses them, kept in memory once read."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skops.io
from django.conf import settings

from decisions.learning.features import Feature, matrix
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
EARLIER_EDGE = 1e-9  # of files that were stored before a calibrator said its own
FINGERPRINT = 8  # bytes that tell a row
UNREADABLE = (
    skops.io.exceptions.UntrustedTypesFoundException,
    zipfile.BadZipFile,
    AttributeError,
    ImportError,
    KeyError,
    TypeError,
    ValueError,
)


class ModelFileRefused(Exception):  # noqa: N818 - the words of the house: something is refused
    """The file of a model is not the one that was stored, or not one of ours."""


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
    """Write an archive under the model's name, whole or not at all; return the file's name and its SHA-256.

    Refuses one that could not be loaded again.
    """
    unpack(data)
    folder().mkdir(parents=True, exist_ok=True)
    file = f"{name}.skops"
    draft = folder() / f".{file}.{os.getpid()}"
    draft.write_bytes(data)
    draft.replace(folder() / file)
    return file, hashlib.sha256(data).hexdigest()


def is_whole(model: ModelVersion) -> bool:
    """Tell whether the file of a model is there and is the one that was stored."""
    path = folder() / model.file
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == model.sha256


def store_learnt(name: str, fingerprints: Collection[bytes]) -> str:
    """Write what tells the rows that a model learnt from, 8 bytes each, beside its file; return the SHA-256 of it."""
    data = b"".join(sorted(fingerprints))
    folder().mkdir(parents=True, exist_ok=True)
    draft = folder() / f".{name}.rows.{os.getpid()}"
    draft.write_bytes(data)
    draft.replace(folder() / f"{name}.rows")
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
    """Return the scorer of a model version, read once in a process; refuses a file whose hash is not the stored one."""
    return _load(folder() / model.file, model.sha256)


@lru_cache(maxsize=16)
def _load(path: Path, sha256: str) -> Scorer:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        message = f"{path.name}: its SHA-256 is not the stored one."
        raise ModelFileRefused(message)
    return unpack(data)


def unpack(data: bytes) -> Scorer:
    """Return the scorer in an archive; refuses whatever is not one, or holds a type that is not on the list."""
    try:
        parts = skops.io.loads(data, trusted=TRUSTED)
        features = tuple(Feature.from_json(stored) for stored in parts["features"])
        line = (float(parts["slope"]), float(parts["intercept"]), float(parts.get("edge", EARLIER_EDGE)))
        return Scorer(parts["estimator"], features, *line)
    except UNREADABLE as error:
        raise ModelFileRefused(str(error)) from error


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
