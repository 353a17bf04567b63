"""What is kept of decided items: the newest, by people, without what was erased or names somebody."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from decisions.learning import labels, similar
from decisions.models import Item, Label, Queue, Ruling
from decisions.queues.spec import FieldType, PayloadField, ValueFormula
from decisions.record import erase
from tests.decisions.effects.world import make_ruling
from tests.factories import NOON, make_item, make_queue, make_user

LATER = NOON + timedelta(days=365)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def labelled(queue: Queue, payload: dict[str, Any], **ruling: Any) -> Item:
    item = make_item(queue, payload)
    labels.plan(make_ruling(item, NOON, **ruling))
    labels.feed_due(LATER)
    return item


def ids(queue: Queue) -> set[int]:
    index = similar.load(queue.slug)
    return set(index.item_ids.tolist()) if index else set()


def test_the_nearest_come_first_and_the_file_says_what_memory_did() -> None:
    queue = make_queue()
    prize, friday = (labelled(queue, {"text": text, "words": 3}) for text in ("win a prize", "see you on friday"))
    assert similar.refresh(queue)
    index = similar.load(queue.slug)
    assert index is not None
    assert index.nearest({"text": "a prize", "words": 3}, 2) == [prize.pk, friday.pk]
    assert index.nearest({"text": "on friday", "words": 3}, 1) == [friday.pk]
    assert similar.load(queue.slug) is index


def test_nothing_is_made_anew_until_a_label_comes() -> None:
    queue = make_queue()
    first = labelled(queue, {"words": 1})
    assert similar.refresh(queue)
    assert not similar.refresh(queue)
    second = labelled(queue, {"words": 2})
    assert similar.refresh_all() == 1
    assert ids(queue) == {first.pk, second.pk}


def test_the_newest_are_kept_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "NEWEST", 2)
    queue = make_queue()
    _old, kept, again = (labelled(queue, {"words": n}) for n in range(3))
    similar.refresh(queue)
    assert ids(queue) == {kept.pk, again.pk}


def test_only_labels_by_people_count_and_only_of_this_queue() -> None:
    queue, other = make_queue(), make_queue()
    mine = labelled(queue, {"words": 1})
    labelled(other, {"words": 1})
    label = Label.objects.get(item=mine)
    outside = make_item(queue, {"words": 5})
    ruling = make_ruling(outside, NOON, source=Ruling.Source.OUTSIDE)
    given = {name: getattr(label, name) for name in ("value", "outcome", "propensity", "ruled_at", "at")}
    Label.objects.create(
        **given, no=label.no + 50, queue=queue, item=outside, ruling=ruling, provenance=Label.Provenance.OUTSIDE
    )
    similar.refresh_all()
    assert ids(queue) == {mine.pk}


def test_what_is_erased_goes_though_no_label_came() -> None:
    queue = make_queue()
    erased, kept = labelled(queue, {"text": "secret"}), labelled(queue, {"text": "plain"})
    similar.refresh(queue)
    admin = make_user("admin", queue)
    erase.erase(item_id=erased.pk, by=admin, why="asked for it", legal_basis="Art. 17", at=NOON)
    assert similar.refresh(queue)
    assert ids(queue) == {kept.pk}


def test_when_all_is_erased_the_file_goes() -> None:
    queue = make_queue()
    erased = labelled(queue, {"text": "secret"})
    similar.refresh(queue)
    admin = make_user("admin", queue)
    erase.erase(item_id=erased.pk, by=admin, why="asked for it", legal_basis="Art. 17", at=NOON)
    assert similar.refresh(queue)
    assert similar.load(queue.slug) is None
    assert not similar.refresh(queue)


def test_fields_that_name_somebody_make_nothing_alike() -> None:
    fields = (
        PayloadField("name", FieldType.TEXT, "Name", personal=True),
        PayloadField("words", FieldType.INTEGER, "Words"),
    )
    queue = make_queue(fields=fields, value_field="", value=ValueFormula())
    labelled(queue, {"name": "Ann", "words": 1})
    similar.refresh(queue)
    index = similar.load(queue.slug)
    assert index is not None
    assert [feature.name for feature in index.space.features] == ["words"]


def test_a_queue_without_labels_or_without_a_field_to_compare_keeps_nothing() -> None:
    fields = (PayloadField("data", FieldType.JSON, "Data"),)
    bare, blank = make_queue(fields=fields, value_field="", value=ValueFormula()), make_queue()
    labelled(bare, {"data": {"a": 1}})
    assert similar.refresh_all() == 0
    assert similar.load(bare.slug) is similar.load(blank.slug) is None
