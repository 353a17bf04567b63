"""Model files: only what was sealed and stored is read, within its bounds, and nothing is ever unpickled."""

import hashlib
import io
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io
from pytest_django import Settings
from sklearn.linear_model import LogisticRegression

from decisions.exceptions import Invalid
from decisions.learning import archive, registry, seal
from decisions.learning.features import NUMBER, Feature
from decisions.learning.registry import Scorer
from decisions.learning.seal import ModelFileRefused
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


def stored(name: str = "m") -> ModelVersion:
    file, sha256 = registry.store(name, registry.pack(scorer()))
    return ModelVersion(name=name, kind="pipeline", file=file, sha256=sha256)


def ready() -> ModelVersion:
    """A stored model whose file nobody has parsed: it was packed and sealed only."""
    data = registry.pack(scorer())
    return ModelVersion(
        name="m",
        kind="pipeline",
        file=registry.keep(seal.make(name="m", data=data, memory=1 << 16), data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def with_file(data: bytes) -> ModelVersion:
    """A model whose stored hash and seal are those of these bytes: the defence behind them is what is left."""
    registry.keep(seal.make(name="m", data=data, memory=1), data)
    return ModelVersion(name="m", kind="pipeline", file="m.skops", sha256=hashlib.sha256(data).hexdigest())


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return packed.getvalue()


@pytest.fixture
def never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("it was parsed"))


def test_a_stored_model_scores_as_before_and_is_read_once() -> None:
    model = stored()
    payloads = [{"x": 0.5}, {"x": 2.5}]
    loaded = registry.load(model)
    assert loaded.score(payloads).tolist() == scorer().score(payloads).tolist()
    assert registry.load(model) is loaded


def test_ten_thousand_rows_are_scored_at_once() -> None:
    p = registry.load(stored()).score([{"x": i / 1000} for i in range(10_000)])
    assert p.shape == (10_000,)
    assert (np.diff(p) > 0).all()


def test_the_same_scorer_packs_to_the_same_bytes() -> None:
    assert registry.pack(scorer()) == registry.pack(scorer())


@pytest.mark.parametrize("place", [0, 100, -1])
@pytest.mark.usefixtures("never_parsed")
def test_one_changed_byte_is_refused_before_parsing(place: int) -> None:
    model = ready()
    path = registry.folder() / model.file
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelFileRefused, match="not the sealed one"):
        registry.load(model)
    assert not registry.is_whole(model)


def spoilt(name: str) -> None:
    """Spoil the seal of the stored model."""
    path = registry.folder() / "m.skops.seal"
    good = seal.parse(path.read_bytes())
    if name == "gone":
        path.unlink()
    elif name == "long":
        path.write_bytes(b" " * 5000)
    elif name == "no seal":
        path.write_bytes(b"[1]")
    else:
        changed = {
            "schema": replace(good, schema=2),
            "memory": replace(good, memory=0),
            "key": replace(good, public_key="ab" * 32),
        }
        path.write_bytes(changed[name].document())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("gone", "has no seal"),
        ("long", "not a model's seal"),
        ("no seal", "not a model's seal"),
        ("schema", "signature does not hold"),  # what the seal says cannot be changed
        ("memory", "signature does not hold"),
        ("key", "does not trust"),
    ],
)
@pytest.mark.usefixtures("never_parsed")
def test_a_seal_that_does_not_hold_is_refused_before_parsing(how: str, said: str) -> None:
    model = ready()
    spoilt(how)
    with pytest.raises(ModelFileRefused, match=said):
        registry.load(model)
    assert not registry.is_whole(model)


@pytest.mark.usefixtures("never_parsed")
def test_a_seal_of_another_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "SCHEMA", 2)
    model = ready()
    monkeypatch.setattr(seal, "SCHEMA", 1)
    with pytest.raises(ModelFileRefused, match="schema 2; this version reads schema 1"):
        registry.load(model)


@pytest.mark.usefixtures("never_parsed")
def test_a_seal_holds_for_its_own_model_only() -> None:
    model = ready()
    (registry.folder() / "n.skops").write_bytes((registry.folder() / "m.skops").read_bytes())
    (registry.folder() / "n.skops.seal").write_bytes((registry.folder() / "m.skops.seal").read_bytes())
    with pytest.raises(ModelFileRefused, match="another model"):
        registry.load(ModelVersion(name="n", kind="pipeline", file="n.skops", sha256=model.sha256))


@pytest.mark.usefixtures("never_parsed")
def test_another_key_is_refused_until_it_is_trusted(settings: Settings) -> None:
    model, earlier = ready(), seal.trusted()
    settings.MODEL_KEY = "77" * 32
    with pytest.raises(ModelFileRefused, match="does not trust"):
        registry.checked(model)
    settings.MODEL_PUBLIC_KEYS = list(earlier)
    assert registry.checked(model)[1].name == "m"
    settings.MODEL_KEY = ""  # who only reads needs no key
    assert registry.is_whole(model)


def test_without_a_key_nothing_is_stored(settings: Settings) -> None:
    settings.MODEL_KEY = ""
    with pytest.raises(Invalid, match="MODEL_KEY"):
        registry.store("m", registry.pack(scorer()))
    assert not list(registry.folder().glob("*"))


def bomb() -> bytes:
    return zipped({"schema.json": b"{}", "1.npy": b"\0" * (3 << 20)})


def lying() -> bytes:
    """An archive whose directory says less than its members unpack to."""
    return bomb().replace((3 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: pickle.dumps(Trap()), "Pickles and other formats are never read"),
        (lambda: b"", "not a model's archive"),
        (bomb, "unpacks to more than 1 MB"),
        (lying, "cannot be read"),
        (lambda: b"PK\x03\x04" + b"\0" * (2 << 20), "larger than 1 MB"),
        (lambda: zipped({"other": b""}), "cannot be read"),
        (lambda: zipped({"schema.json": b"not json"}), "cannot be read"),
        (lambda: zipped({"schema.json": b"{}"}), "schema is of another version"),
        (lambda: zipped({"schema.json": b'{"protocol": 1}'}), "schema is of another version"),
        (lambda: zipped({"schema.json": b'{"protocol": 2, "__class__": "dict", "content": {}}'}), "no model of ours"),
        (lambda: skops.io.dumps([1]), "no model of ours"),
    ],
    ids=["pickle", "empty", "bomb", "lying", "large", "no schema", "no json", "bare", "protocol", "parts", "list"],
)
@pytest.mark.usefixtures("never_parsed")
def test_what_is_no_archive_of_ours_is_refused_before_parsing(
    made: Callable[[], bytes], said: str, settings: Settings
) -> None:
    settings.MODEL_FILE_MB = settings.MODEL_MEMORY_MB = 1
    with pytest.raises(ModelFileRefused, match=said):
        registry.load(with_file(made()))
    assert not TOUCHED


def test_a_model_that_takes_more_memory_than_it_may_is_neither_stored_nor_read(settings: Settings) -> None:
    model = ready()
    settings.MODEL_MEMORY_MB = 0
    with pytest.raises(ModelFileRefused, match="more than 0 MB"):
        registry.measured((registry.folder() / model.file).read_bytes())
    with pytest.raises(ModelFileRefused, match="more than 0 MB"):
        registry.load(model)


def test_a_process_keeps_no_more_models_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = stored("one"), stored("other")
    first = registry.load(one)
    monkeypatch.setattr(archive, "most_memory", lambda: registry.sealed(one).memory)
    registry.load(other)
    assert registry.load(one) is not first


def test_a_missing_file_is_told_apart() -> None:
    model = stored()
    (registry.folder() / model.file).unlink()
    assert not registry.is_whole(model)
    with pytest.raises(FileNotFoundError):
        registry.load(model)


def test_a_type_that_is_not_on_the_list_is_refused() -> None:
    parts = {"estimator": Trap(), "features": [], "slope": 1.0, "intercept": 0.0, "edge": 0.0}
    with pytest.raises(ModelFileRefused, match="Trap"):
        registry.load(with_file(skops.io.dumps(parts)))
    assert not TOUCHED


def test_what_could_not_be_loaded_is_not_stored() -> None:
    with pytest.raises(ModelFileRefused):
        registry.store("m", b"nonsense")
    assert not (registry.folder() / "m.skops").exists()
