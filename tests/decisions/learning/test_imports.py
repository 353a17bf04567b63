"""Models from outside: what is checked before parsing, what a process of its own holds, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from sklearn.ensemble import HistGradientBoostingClassifier

from decisions.exceptions import Conflict, Forbidden, Invalid
from decisions.learning import imports, registry, rehearsal, seal
from decisions.learning.features import NUMBER, Feature
from decisions.learning.registry import Scorer
from decisions.learning.seal import ModelFileRefused
from decisions.models import Event, ModelVersion, Queue
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db

OUTSIDE = "99" * 32


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path / "data"


def packed(field: str = "words") -> bytes:
    x = np.arange(4.0).reshape(4, 1)
    trees = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=1).fit(x, [0, 0, 1, 1])
    scorer = Scorer(trees, (Feature(field, NUMBER),), 1.0, 0.0, 1e-9)
    return registry.pack(scorer)


def outside(tmp_path: Path, settings: Settings, data: bytes, *, trusted: bool = True) -> tuple[Path, Path]:
    """Files as another site leaves them, sealed with its own key."""
    own, settings.MODEL_KEY = settings.MODEL_KEY, OUTSIDE
    made = seal.make(name="theirs-1", data=data, memory=1 << 20)
    settings.MODEL_KEY = own
    settings.MODEL_PUBLIC_KEYS = [made.public_key] if trusted else []
    file, sealed = tmp_path / "theirs.skops", tmp_path / "theirs.skops.seal"
    file.write_bytes(data)
    sealed.write_bytes(made.document())
    return file, sealed


def bring(queue: Queue, file: Path, sealed: Path, **changes: Any) -> ModelVersion:
    return imports.bring(**{"queue": queue, "file": file, "sealed": sealed, "by": None, "at": NOON, **changes})


def test_a_sealed_model_is_read_by_a_process_of_its_own_and_stored(tmp_path: Path, settings: Settings) -> None:
    queue = make_queue()
    file, _sealed = outside(tmp_path, settings, packed())
    call_command("import_model", queue.slug, str(file))
    model = ModelVersion.objects.get(queue=queue, name="theirs-1")
    assert registry.load(model).score([{"words": 3.0}]).shape == (1,)
    assert model.parameters["features"][0]["name"] == "words"
    event = Event.objects.get(kind="model.imported")
    assert (event.chain, event.actor) == (queue.pk, None)
    with pytest.raises(CommandError, match="already"):
        call_command("import_model", queue.slug, str(file))


def test_the_process_has_no_more_memory_than_a_model_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "m.skops"
    file.write_bytes(packed())
    monkeypatch.setenv("MODEL_MEMORY_MB", "0")
    with pytest.raises(ModelFileRefused, match="could not be read"):
        rehearsal.rehearse(file)
    monkeypatch.setenv("MODEL_MEMORY_MB", "64")
    assert 0 < rehearsal.rehearse(file)["memory"] < 64 << 20


def test_the_process_has_no_more_time_than_it_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "SECONDS", 0.01)
    with pytest.raises(ModelFileRefused, match="was not read within"):
        rehearsal.rehearse(tmp_path / "m.skops")


@pytest.fixture
def never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "rehearse", lambda _file: pytest.fail("it was read"))


@pytest.mark.usefixtures("never_read")
def test_what_no_trusted_key_sealed_is_not_even_read(tmp_path: Path, settings: Settings) -> None:
    file, sealed = outside(tmp_path, settings, packed(), trusted=False)
    with pytest.raises(ModelFileRefused, match="does not trust"):
        bring(make_queue(), file, sealed)
    with pytest.raises(Invalid):
        bring(make_queue(), file, tmp_path / "no.seal")
    file, sealed = outside(tmp_path, settings, packed())
    file.write_bytes(packed("amount"))
    with pytest.raises(ModelFileRefused, match="not the sealed one"):
        bring(make_queue(), file, sealed)
    settings.MODEL_FILE_MB = 0
    with pytest.raises(ModelFileRefused, match="larger than"):
        bring(make_queue(), file, sealed)
    assert not ModelVersion.objects.filter(name="theirs-1").exists()


@pytest.mark.usefixtures("never_read")
def test_a_sealed_pickle_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(ModelFileRefused, match="never read"):
        bring(make_queue(), *outside(tmp_path, settings, b"\x80\x04K\x01."))


def test_fields_that_the_queue_lacks_and_people_without_the_right(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"memory": 1, "features": [{"name": "shoe_size", "kind": NUMBER, "categories": []}], "scores": []}
    monkeypatch.setattr(rehearsal, "rehearse", lambda _file: told)
    queue, (file, sealed) = make_queue(), outside(tmp_path, settings, packed("shoe_size"))
    with pytest.raises(Invalid, match="shoe_size"):
        bring(queue, file, sealed)
    with pytest.raises(Forbidden):
        bring(queue, file, sealed, by=make_user("reviewer", queue))


def test_a_name_is_given_once_on_all_queues(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "rehearse", lambda _file: {"memory": 1, "features": [], "scores": []})
    files = outside(tmp_path, settings, packed())
    bring(make_queue(), *files, by=make_user("manager"))
    with pytest.raises(Conflict):
        bring(make_queue(), *files)
