"""Model files: only what was stored is read, and nothing is ever unpickled."""

import hashlib
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from pytest_django import Settings
from sklearn.linear_model import LogisticRegression

from decisions.learning import registry
from decisions.learning.features import NUMBER, Feature
from decisions.learning.registry import ModelFileRefused, Scorer
from decisions.models import ModelVersion

TOUCHED: list[str] = []


class Trap:
    """Does harm when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return TOUCHED.append, ("harm",)


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def scorer() -> Scorer:
    line = LogisticRegression().fit(np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1])
    return Scorer(line, (Feature("x", NUMBER),), 1.0, 0.0, 0.0)


def stored() -> ModelVersion:
    file, sha256 = registry.store("m", registry.pack(scorer()))
    return ModelVersion(name="m", kind="pipeline", file=file, sha256=sha256)


def with_file(data: bytes) -> ModelVersion:
    """A model whose stored hash is that of these bytes: the second line of defence is what is left."""
    registry.folder().mkdir(parents=True, exist_ok=True)
    (registry.folder() / "m.skops").write_bytes(data)
    return ModelVersion(name="m", kind="pipeline", file="m.skops", sha256=hashlib.sha256(data).hexdigest())


def test_a_stored_model_scores_as_before_and_is_read_once() -> None:
    model = stored()
    payloads = [{"x": 0.5}, {"x": 2.5}]
    loaded = registry.load(model)
    assert loaded.score(payloads).tolist() == scorer().score(payloads).tolist()
    assert registry.load(model) is loaded


def test_a_file_from_before_calibrators_had_an_edge_of_their_own_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    dumps = skops.io.dumps
    monkeypatch.setattr("skops.io.dumps", lambda parts: dumps({k: v for k, v in parts.items() if k != "edge"}))
    assert registry.unpack(registry.pack(scorer())).edge == 1e-9


def test_ten_thousand_rows_are_scored_at_once() -> None:
    p = registry.load(stored()).score([{"x": i / 1000} for i in range(10_000)])
    assert p.shape == (10_000,)
    assert (np.diff(p) > 0).all()


def test_the_same_scorer_packs_to_the_same_bytes() -> None:
    assert registry.pack(scorer()) == registry.pack(scorer())


@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_changed_byte_is_refused_before_parsing(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = stored()
    path = registry.folder() / model.file
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(ModelFileRefused):
        registry.load(model)
    assert not registry.is_whole(model)


def test_a_missing_file_is_told_apart() -> None:
    model = stored()
    (registry.folder() / model.file).unlink()
    assert not registry.is_whole(model)
    with pytest.raises(FileNotFoundError):
        registry.load(model)


def test_a_pickle_is_refused_and_does_nothing() -> None:
    with pytest.raises(ModelFileRefused):
        registry.load(with_file(pickle.dumps(Trap())))
    assert not TOUCHED


def test_a_type_that_is_not_on_the_list_is_refused() -> None:
    for parts in ({"estimator": Trap(), "features": [], "slope": 1.0, "intercept": 0.0}, {"estimator": None}, [1]):
        with pytest.raises(ModelFileRefused):
            registry.load(with_file(skops.io.dumps(parts)))
    assert not TOUCHED


def test_a_zip_that_is_no_model_is_refused() -> None:
    for name, data in (("schema.json", b"{}"), ("other", b""), ("schema.json", b"not json")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr(name, data)
        with pytest.raises(ModelFileRefused):
            registry.load(with_file(packed.getvalue()))


def test_what_could_not_be_loaded_is_not_stored() -> None:
    with pytest.raises(ModelFileRefused):
        registry.store("m", b"nonsense")
    assert not (registry.folder() / "m.skops").exists()
