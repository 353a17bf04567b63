"""What a data set says of its rows, and what it warns of."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from decisions.learning import checkup, datasets, frozen, labels
from decisions.learning.frozen import KnownRow
from decisions.models import Evidence, Item, KnownSet, Queue
from decisions.queues.spec import FieldType, PayloadField, ValueFormula
from tests.decisions.effects.world import make_ruling
from tests.factories import NOON, make_item, make_queue, make_user

LATER = NOON + timedelta(days=365)
HOUR = timedelta(hours=1)
FIELDS = (
    PayloadField("text", FieldType.TEXT, "Text"),
    PayloadField("words", FieldType.INTEGER, "Words"),
    PayloadField("kind", FieldType.CATEGORY, "Kind"),
    PayloadField("is_late", FieldType.BOOLEAN, "Late"),
    PayloadField("id", FieldType.TEXT, "Id"),
)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def queue() -> Queue:
    return make_queue(fields=FIELDS, value_field="", value=ValueFormula())


def labelled(queue: Queue, payload: dict[str, Any], *, spam: bool = True, at: datetime = NOON, **item: Any) -> Item:
    made = make_item(queue, payload, **item)
    outcome, truth = ("spam", "positive") if spam else ("ham", "negative")
    labels.plan(make_ruling(made, at, outcome=outcome, truth=truth))
    return made


def frozen_of(queue: Queue) -> dict[str, Any]:
    labels.feed_due(LATER)
    content: dict[str, Any] = datasets.freeze(queue, LATER).manifest
    return content


def codes(content: dict[str, Any]) -> set[str]:
    return {one.code for one in checkup.warnings(content)}


def test_answers_weights_and_times(queue: Queue) -> None:
    for spam in (True, True, False):
        labelled(queue, {"words": 1}, spam=spam)
    labelled(queue, {"words": 1}, arrived_at=NOON - HOUR)
    labels.plan(make_ruling(make_item(queue), NOON + HOUR, outcome="unclear", truth="none"))
    content = frozen_of(queue)
    assert content["answers"] == {"override": {"negative": 1, "none": 1, "positive": 3}}
    assert content["weights"]["all"] == {"rows": 4, "sum": 3.24, "min": 0.81, "max": 0.81, "effective": 4.0}
    assert content["times"]["items"] == ["2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"]
    assert content["times"]["labels"] == ["2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z"]


def test_a_field_that_alone_tells_the_answer_is_named(queue: Queue) -> None:
    chance = random.Random(7)
    for number in range(80):
        spam = number % 2 == 0
        payload: dict[str, Any] = {
            "text": chance.choice("abc"),
            "words": chance.randrange(1000),
            "kind": "paid" if spam else "open",  # tells it
            "id": f"row {number}",  # another for each row: tells nothing
        }
        if not spam:
            payload["is_late"] = chance.random() < 0.5  # that it is missing tells it
        labelled(queue, payload, spam=spam)
    told = {one["field"]: one["auc"] for one in frozen_of(queue)["leaks"]["telling_fields"]}
    assert told == {"kind": 1.0, "is_late": 1.0}


def test_a_number_that_tells_it_the_other_way_round_is_named(queue: Queue) -> None:
    for number in range(60):
        labelled(queue, {"words": number}, spam=number < 30)
    content = frozen_of(queue)
    assert [one["field"] for one in content["leaks"]["telling_fields"]] == ["words"]
    assert "telling_field" in codes(content)


def test_with_few_answers_no_field_is_blamed(queue: Queue) -> None:
    for number in range(20):
        labelled(queue, {"words": number}, spam=number < 10)
    content = frozen_of(queue)
    assert content["leaks"]["telling_fields"] == []
    assert codes(content) == {"few"}


def test_the_same_payload_with_both_answers_is_counted(queue: Queue) -> None:
    for spam in (True, False, True):
        labelled(queue, {"words": 1}, spam=spam)
    labelled(queue, {"words": 2})
    labelled(queue, {"words": 2})
    assert frozen_of(queue)["leaks"]["contradicting"] == {"payloads": 1, "rows": 3}


def test_an_answer_from_before_the_item_is_counted(queue: Queue) -> None:
    item = labelled(queue, {"words": 1}, occurred_at=NOON - HOUR)
    early = labelled(queue, {"words": 2}, occurred_at=NOON + HOUR)  # answered before it occurred
    truth = make_ruling(item, NOON + 2 * HOUR, source="outside")
    Evidence.objects.create(
        queue=queue,
        item=item,
        kind="truth",
        said="spam",
        ruling=truth,
        source="crm",
        told_by=make_user(),
        occurred_at=NOON - 3 * HOUR,  # told later, but known before the item
        at=NOON,
    )
    labels.plan(truth)
    assert early.occurred_at
    assert frozen_of(queue)["leaks"]["label_before_item"] == 2


def test_fields_from_after_the_decision_are_named() -> None:
    fields = (*FIELDS[:1], PayloadField("repaid", FieldType.BOOLEAN, "Repaid", after=True))
    queue = make_queue(fields=fields, value_field="", value=ValueFormula())
    labelled(queue, {"text": "a"})
    content = frozen_of(queue)
    assert content["leaks"]["after_fields"] == ["repaid"]
    assert [one.field for one in checkup.warnings(content) if one.code == "after_field"] == ["repaid"]


def test_rows_of_the_frozen_known_set_are_counted(queue: Queue) -> None:
    known = [
        KnownRow(1, {"text": "a", "words": 3, "kind": None, "is_late": None, "id": None}, is_positive=True, scores={})
    ]
    file, name = frozen.write(queue, known)
    KnownSet.objects.create(queue=queue, name=name, file=file, rows=1, positives=1, created_at=NOON)
    labelled(queue, {"text": "a", "words": 3})
    labelled(queue, {"text": "a", "words": 4})
    content = frozen_of(queue)
    assert content["leaks"]["known_rows"] == 1
    assert content["query"]["known_set"] == name


def test_a_known_set_whose_file_is_gone_holds_up_nothing(queue: Queue) -> None:
    KnownSet.objects.create(queue=queue, name="0" * 64, file="gone", rows=1, positives=1, created_at=NOON)
    labelled(queue, {"text": "a"})
    content = frozen_of(queue)
    assert (content["leaks"]["known_rows"], content["query"]["known_set"]) == (0, None)


def test_what_would_leak_over_a_split_by_time_is_counted(queue: Queue) -> None:
    for number in range(10):
        at = NOON + number * HOUR
        labelled(queue, {"words": number % 8}, arrived_at=at, at=at + (9 * HOUR if number < 2 else HOUR))
    split = frozen_of(queue)["leaks"]["split"]
    assert split == {"begins": "2026-03-02T20:00:00Z", "late_labels": 2, "repeated": 2}


def test_simulated_answers_beside_real_ones_are_told(queue: Queue) -> None:
    labelled(queue, {"words": 1})
    person = make_user("reviewer", queue, kind="simulated")
    labels.plan(make_ruling(make_item(queue), NOON, person=person))
    assert "simulated" in codes(frozen_of(queue))
