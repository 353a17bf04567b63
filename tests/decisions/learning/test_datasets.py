"""Data sets: the same labels give the same bytes, under a name that follows from them; what is erased is taken out."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from pytest_django import Settings

from decisions.exceptions import Conflict, Forbidden
from decisions.learning import datasets, labels, parquet
from decisions.models import DataSet, Event, Evidence, Item, Queue
from decisions.record import digest, erase
from tests.decisions.effects.world import make_ruling
from tests.factories import NOON, make_item, make_queue, make_user

LATER = NOON + timedelta(days=365)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def labelled(queue: Queue, payload: dict[str, Any] | None = None, **ruling: Any) -> Item:
    """Make an item with a label."""
    item = make_item(queue, payload, segment="retail", value=12.5)
    labels.plan(make_ruling(item, NOON, **ruling))
    labels.feed_due(LATER)
    return item


def rows(data_set: DataSet) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = pq.read_table(datasets.path(data_set) / datasets.ROWS).to_pylist()
    return got


def erase_item(item: Item) -> None:
    admin = make_user("admin", item.queue)
    erase.erase(item_id=item.pk, by=admin, why="asked for it", legal_basis="Art. 17", at=NOON)


def test_a_data_set_holds_item_label_and_typed_payload(queue: Queue) -> None:
    item = labelled(queue, {"text": "héllo", "words": 3, "amount": 1.5, "kind": "mail"})
    (row,) = rows(datasets.freeze(queue, LATER))
    assert row["item_id"] == item.pk
    assert row["label"] == 1
    assert row["payload.text"] == "héllo"
    assert (row["payload.words"], row["payload.amount"], row["payload.kind"]) == (3.0, 1.5, "mail")
    assert (row["segment"], row["value"], row["propensity"], row["outcome"]) == ("retail", 12.5, 1.0, "spam")
    assert row["arrived_at"] == NOON


def test_gaps_and_values_of_another_type_are_null(queue: Queue) -> None:
    labelled(queue, {"words": "many", "text": {"a": [1]}, "amount": True})
    (row,) = rows(datasets.freeze(queue, LATER))
    assert (row["payload.words"], row["payload.amount"], row["payload.kind"]) == (None, None, None)
    assert row["payload.text"] == '{"a":[1]}'


def test_only_the_latest_label_of_an_item_counts(queue: Queue) -> None:
    item = labelled(queue)
    labels.plan(make_ruling(item, NOON + timedelta(minutes=1), outcome="ham", truth="negative"))
    labels.feed_due(LATER)
    (row,) = rows(datasets.freeze(queue, LATER))
    assert (row["no"], row["label"], row["outcome"]) == (2, 0, "ham")


def test_the_manifest_counts_and_names_what_is_there(queue: Queue) -> None:
    for truth in ("positive", "negative", "negative", "none"):
        labelled(queue, truth=truth)
    labelled(make_queue())
    made = datasets.freeze(queue, LATER)
    kept = datasets.manifest(datasets.path(made))
    content = kept["content"]
    assert made.manifest == content
    assert made.rows == content["file"]["rows"] == 4
    assert content["classes"] == {"positive": 1, "negative": 2, "none": 1}
    assert content["segments"] == {"retail": 4}
    assert content["provenance"] == {"override": 4}
    assert content["query"]["last_no"] == 4
    assert ["payload.words", "double"] in content["schema"]
    assert kept["erasures"] == {"up_to": 0, "rows": 0}


def test_name_and_hashes_follow_from_the_bytes(queue: Queue) -> None:
    labelled(queue)
    made = datasets.freeze(queue, LATER)
    folder = datasets.path(made)
    sealed = hashlib.sha256((folder / datasets.ROWS).read_bytes()).hexdigest()
    assert made.manifest["file"]["sha256"] == sealed
    assert folder.name == made.name == hashlib.sha256(digest.canonical(made.manifest)).hexdigest()


def test_the_same_labels_give_the_same_bytes_and_the_same_data_set(
    queue: Queue, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "CHUNK", 3)
    for number in range(10):
        labelled(queue, {"text": f"text {number}", "words": number})
    first = datasets.freeze(queue, LATER)
    assert datasets.freeze(queue, LATER + timedelta(days=1)) == first
    before = {file.name: file.read_bytes() for file in datasets.path(first).iterdir()}
    settings.DATA_DIR = tmp_path / "elsewhere"
    assert datasets.freeze(queue, LATER) == first
    assert {file.name: file.read_bytes() for file in datasets.path(first).iterdir()} == before
    assert pq.ParquetFile(datasets.path(first) / datasets.ROWS).num_row_groups == 4
    assert Event.objects.filter(kind=Event.Kind.DATASET_MADE).count() == 1


def test_a_new_label_gives_another_data_set(queue: Queue) -> None:
    labelled(queue)
    first = datasets.freeze(queue, LATER)
    labelled(queue)
    second = datasets.freeze(queue, LATER)
    assert (first.rows, second.rows) == (1, 2)
    assert first.name != second.name
    assert len(rows(first)) == 1


def test_what_a_killed_run_left_does_not_matter(queue: Queue) -> None:
    labelled(queue)
    left = datasets._folder(queue) / datasets.DRAFT
    left.mkdir(parents=True)
    (left / datasets.ROWS).write_bytes(b"half a file")
    made = datasets.freeze(queue, LATER)
    assert len(rows(made)) == 1
    assert not left.exists()


def test_a_queue_without_labels_is_refused(queue: Queue) -> None:
    make_item(queue)
    with pytest.raises(Conflict):
        datasets.freeze(queue, LATER)


def test_data_sets_are_frozen_by_themselves_when_enough_labels_came(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "RIPE", 3)
    labelled(queue)
    labelled(queue)
    assert datasets.freeze_ripe(LATER) == []
    labelled(queue)
    (made,) = datasets.freeze_ripe(LATER)
    assert made.rows == 3
    assert datasets.freeze_ripe(LATER) == []


def test_an_erased_item_is_taken_out_of_every_file_and_the_manifest_says_so(queue: Queue) -> None:
    erased, kept = labelled(queue, {"text": "secret"}), labelled(queue, {"text": "plain"})
    first = datasets.freeze(queue, LATER)
    labelled(queue)
    second = datasets.freeze(queue, LATER)
    erase_item(erased)
    assert datasets.forget_erased() == 2
    for made in (first, second):
        assert erased.pk not in [row["item_id"] for row in rows(made)]
        assert kept.pk in [row["item_id"] for row in rows(made)]
        said = datasets.manifest(datasets.path(made))
        assert said["content"] == made.manifest
        assert said["erasures"]["rows"] == 1
        file = datasets.path(made) / datasets.ROWS
        assert said["erasures"]["file"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert datasets.forget_erased() == 0


def test_an_item_erased_before_is_left_out_from_the_start(queue: Queue) -> None:
    erased = labelled(queue)
    labelled(queue)
    erase_item(erased)
    made = datasets.freeze(queue, LATER)
    assert made.rows == 1
    assert datasets.forget_erased() == 0


def test_an_erasure_that_a_data_set_did_not_hold_only_moves_its_mark(queue: Queue) -> None:
    labelled(queue)
    made = datasets.freeze(queue, LATER)
    before = (datasets.path(made) / datasets.ROWS).read_bytes()
    erase_item(labelled(queue))
    assert datasets.forget_erased() == 0
    assert (datasets.path(made) / datasets.ROWS).read_bytes() == before
    assert datasets.manifest(datasets.path(made))["erasures"]["up_to"] > 0


def test_a_run_killed_between_file_and_manifest_is_done_again(queue: Queue) -> None:
    erased = labelled(queue)
    labelled(queue)
    made = datasets.freeze(queue, LATER)
    erase_item(erased)
    manifest = datasets.path(made) / datasets.MANIFEST
    before = manifest.read_bytes()
    datasets.forget_erased()
    after = manifest.read_bytes()
    manifest.write_bytes(before)
    datasets.forget_erased()
    assert orjson.loads(manifest.read_bytes()) == orjson.loads(after)


def test_a_data_set_whose_folder_is_elsewhere_is_passed_over(queue: Queue, settings: Settings, tmp_path: Path) -> None:
    item = labelled(queue)
    datasets.freeze(queue, LATER)
    erase_item(item)
    settings.DATA_DIR = tmp_path / "other"
    assert datasets.forget_erased() == 0


def test_weak_evidence_is_counted_up_to_the_freeze(queue: Queue) -> None:
    item = labelled(queue)
    said = {"queue": queue, "item": item, "kind": "feedback", "said": "wrong", "source": "app", "told_by": make_user()}
    Evidence.objects.create(**said, reference="1", occurred_at=NOON, at=NOON)
    first = datasets.freeze(queue, LATER)
    Evidence.objects.create(**said, reference="2", occurred_at=NOON, at=NOON)
    second = datasets.freeze(queue, LATER)
    assert [(row["weak_right"], row["weak_wrong"]) for one in (first, second) for row in rows(one)] == [(0, 1), (0, 2)]


def test_who_may_not_freeze_is_refused_and_who_did_is_recorded(queue: Queue) -> None:
    labelled(queue)
    with pytest.raises(Forbidden, match="freeze_data_set"):
        datasets.freeze(queue, LATER, make_user("auditor", queue))
    manager = make_user("manager", queue)
    datasets.freeze(queue, LATER, manager)
    assert Event.objects.get(kind=Event.Kind.DATASET_MADE).actor == manager
