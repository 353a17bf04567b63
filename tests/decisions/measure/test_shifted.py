"""Two sides of a queue compared, read from what is stored and from data sets on disk."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from decisions.exceptions import Invalid
from decisions.learning import datasets, labels
from decisions.measure import shift_words, shifted
from decisions.measure.dates import Days
from decisions.measure.drift import Level
from decisions.measure.shifted import Asked, Shifted
from decisions.models import ModelVersion, Policy, Queue, Score
from tests.decisions.effects.world import make_ruling
from tests.decisions.measure.measured import DAY, MIDNIGHT, queue_of_last_week
from tests.factories import NOON, make_item, make_queue

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    shifted._compare.cache_clear()


def came(queue: Queue, at: datetime, words: int, n: int = 40, **fields: Any) -> None:
    for k in range(n):
        make_item(queue, {"text": "hello", "words": words + k % 2, "kind": "mail"}, arrived_at=at, **fields)


def days(queue: Queue, first: date, last: date, model: str | None = None) -> Asked:
    return Asked(Days(first, last, queue.spec.zone), model)


def compare(queue: Queue, one: Asked | None = None, **asked: Any) -> Shifted:
    today, before = MIDNIGHT.date(), (MIDNIGHT - DAY * 2).date()
    other = asked.pop("other", days(queue, today, today))
    return shifted.compare(queue, one or days(queue, before, before), other, at=NOON, **asked)


def trained(queue: Queue, words: int, n: int = 40) -> ModelVersion:
    """Freeze labelled rows and let the live model be the one that learnt from them."""
    for k in range(n):
        item = make_item(queue, {"text": "hello", "words": words + k % 2, "kind": "mail"}, arrived_at=NOON - DAY * 5)
        labels.plan(
            make_ruling(
                item, NOON - DAY * 4, outcome="spam" if k % 2 else "ham", truth="positive" if k % 2 else "negative"
            )
        )
    labels.feed_due(NOON + timedelta(days=1))
    made = datasets.freeze(queue, NOON)
    policy = Policy.objects.live().get(queue=queue)
    model = ModelVersion.objects.create(
        queue=queue, name="boosting-1", kind="pipeline", data_set=made.name, app_version="test", created_at=NOON
    )
    Policy.objects.filter(pk=policy.pk).update(state="retired")
    Policy.objects.create(
        queue=queue, no=2, state="live", model=model, suggest=0.5, objective="o", why="w", created_at=NOON
    )
    return model


def test_two_times_are_compared_field_by_field() -> None:
    queue = queue_of_last_week()
    came(queue, MIDNIGHT - DAY * 2, 10)
    came(queue, MIDNIGHT, 500)
    found = compare(queue)
    assert found.rows == (40, 40)
    by_name = {one.name: one for one in found.fields}
    assert by_name["words"].level == Level.ACT
    assert by_name["kind"].level == Level.NONE
    assert by_name["amount"].level == Level.NONE  # missing on both sides
    assert "1 field of 4 differs" in shift_words.sentence(found)
    assert "words" in shift_words.sentence(found)


def test_the_training_set_of_the_live_model_is_held_against_today() -> None:
    queue = queue_of_last_week()
    trained(queue, 10)
    came(queue, MIDNIGHT, 500)
    one, other, segment = shifted.asked(queue, {}, NOON)
    assert (one, segment) == (Asked(None), None)
    assert other.days is not None
    assert other.days.first == MIDNIGHT.date()
    found = shifted.compare(queue, one, other, at=NOON)
    assert found.rows == (40, 40)
    assert next(one for one in found.fields if one.name == "words").level == Level.ACT
    assert found.scores is None  # what a model says of what it learnt from is no score of what came


def test_a_model_from_elsewhere_has_no_training_set() -> None:
    queue = make_queue()
    found = compare(queue, Asked(None))
    assert "not kept here" in found.absent
    assert shift_words.sentence(found) == found.absent
    one, _other, _segment = shifted.asked(queue, {}, NOON)
    assert one.days is not None
    assert (one.days.first, one.days.last) == ((MIDNIGHT - DAY * 28).date(), (MIDNIGHT - DAY).date())


def test_segments_are_compared_on_their_own_and_by_link() -> None:
    queue = queue_of_last_week()
    for name, words in (("north", 10), ("south", 500)):
        came(queue, MIDNIGHT - DAY * 2, 10, segment=name)
        came(queue, MIDNIGHT, words, segment=name)
    found = compare(queue)
    by_name = {one.name: one for one in found.segments}
    assert [field.name for field in by_name["south"].off] == ["words"]
    assert by_name["north"].off == ()
    assert found.mix is not None
    assert found.mix.level == Level.NONE
    narrow = compare(queue, segment="north")
    assert (narrow.rows, narrow.level, narrow.segments) == ((40, 40), Level.NONE, ())


def test_two_models_are_compared_on_what_both_scored() -> None:
    queue = queue_of_last_week()
    came(queue, MIDNIGHT, 10)
    other = ModelVersion.objects.create(queue=queue, name="next", kind="external", app_version="test", created_at=NOON)
    for k, item in enumerate(queue.items.all()):
        if k < 35:
            Score.objects.create(item=item, model=other, score=0.1, p=0.1 + k / 1000, at=NOON)
    today = MIDNIGHT.date()
    found = compare(queue, days(queue, today, today, "external"), other=days(queue, today, today, "next"))
    assert found.rows == (40, 35)
    assert found.scores is not None
    assert found.scores.level == Level.ACT


def test_few_items_are_not_measured() -> None:
    queue = queue_of_last_week()
    came(queue, MIDNIGHT, 10, n=5)
    found = compare(queue)
    assert (found.rows, found.level) == ((0, 5), Level.UNMEASURED)
    assert "Not measured" in shift_words.sentence(found)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"one": "x"}, "one"),
        ({"one": "days", "one_from": "x"}, "one_from"),
        ({"other_from": "2026-03-02", "other_to": "2026-03-01"}, "other_from"),
        ({"other_from": "2025-01-01", "other_to": "2026-01-01"}, "other_from"),  # too long
    ],
)
def test_sides_that_make_no_sense_are_refused(query: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        shifted.asked(make_queue(), query, NOON)
    assert [fault.field for fault in refusal.value.faults] == [field]


def test_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(Invalid):
        compare(make_queue(), Asked(None, "nobody"))
