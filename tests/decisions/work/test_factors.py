"""What pushed an item's score: from the model that gave it, kept by file and body, and why there is nothing to tell."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from decisions import redact
from decisions.learning import explain, registry, training
from decisions.models import Item, ModelVersion, Queue, Task
from decisions.queues.spec import FieldType, ModelSpec, PayloadField, ValueFormula
from decisions.redact import HIDDEN, Sight
from decisions.work import factors
from tests.decisions.learning.test_training import examples
from tests.decisions.test_redact import sight
from tests.decisions.work.makers import desk
from tests.factories import NOON, make_item, make_queue, make_task

pytestmark = pytest.mark.django_db
ALL = Sight(machine=True, history=True, personal=True)
SPAM = {"text": "win a prize now", "words": 90, "amount": 0.5, "kind": "chat"}
FIELDS = (
    PayloadField("text", FieldType.TEXT, "Text", personal=True),
    PayloadField("words", FieldType.INTEGER, "Words", unit="words"),
    PayloadField("amount", FieldType.MONEY, "Amount", unit="EUR"),
    PayloadField("kind", FieldType.CATEGORY, "Kind", categories=("mail", "chat"), personal=True),
)


@pytest.fixture(autouse=True)
def _alone(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    factors._kept.clear()


def modelled(pipeline: str = "boosting", **spec: Any) -> tuple[Queue, ModelVersion]:
    queue = make_queue(model=ModelSpec(pipeline=pipeline, label="spam", positive="1"), **spec)
    return queue, training.train(queue=queue, examples=examples(), in_time=False, by=None, at=NOON)


def scored(queue: Queue, model: ModelVersion, payload: dict[str, Any] | None = None) -> Item:
    item = make_item(queue, payload or SPAM, rung=Item.Rung.MODEL)
    item.model = model
    return item


def told(item: Item, seen: Sight = ALL) -> dict[str, Any]:
    found: dict[str, Any] = redact.item(item, seen, spec=item.queue.spec)["explanation"]
    return found


@pytest.mark.parametrize("pipeline", ["boosting", "logistic"])
def test_factors_carry_label_unit_and_value_and_add_up(pipeline: str) -> None:
    queue, model = modelled(pipeline, fields=FIELDS, value_field="", value=ValueFormula())
    found = told(scored(queue, model))
    assert found["source"] == "model"
    words = next(factor for factor in found["factors"] if factor["field"] == "words")
    assert (words["label"], words["unit"], words["value"], words["state"]) == ("Words", "words", 90, "known")
    added = found["base"] + sum(factor["weight"] for factor in found["factors"]) + found["rest"]
    assert added == pytest.approx(found["total"])
    assert len(found["factors"]) <= explain.SHOWN


def test_without_the_right_to_personal_fields_their_values_and_words_are_masked() -> None:
    queue, model = modelled("logistic", fields=FIELDS, value_field="", value=ValueFormula())
    item = scored(queue, model)
    found = told(item, replace(ALL, personal=False))["factors"]
    assert {factor["word"] for factor in found if factor["field"] == "text"} == {HIDDEN}
    assert {factor["value"] for factor in found if factor["field"] == "kind"} <= {HIDDEN}
    assert {factor["value"] for factor in found if factor["field"] == "words"} == {90}
    assert {"prize", "win", "now"} & {factor["word"] for factor in told(item)["factors"]}


@pytest.mark.parametrize("purpose", ["control", "audit", "second", "gold"])
def test_who_is_blind_is_told_nothing_of_it(purpose: str) -> None:
    queue, person = desk(model=ModelSpec(pipeline="boosting", label="spam", positive="1"))
    item = scored(queue, training.train(queue=queue, examples=examples(), in_time=False, by=None, at=NOON))
    make_task(queue, item, purpose=purpose, **({"only_for": person} if purpose == "gold" else {}))
    assert "explanation" not in redact.item(item, sight(item, person), spec=queue.spec)


def test_a_queue_that_hides_the_suggestion_hides_what_pushed_it() -> None:
    queue, person = desk(hide_suggestion=True)
    task = make_task(queue, purpose=Task.Purpose.SOFT)
    assert "explanation" not in redact.item(task.item, sight(task.item, person), spec=queue.spec)
    open_queue, other = desk()
    seen = make_task(open_queue, purpose=Task.Purpose.SOFT)
    assert "explanation" in redact.item(seen.item, sight(seen.item, other), spec=open_queue.spec)


@pytest.mark.parametrize(
    ("rung", "source"),
    [("sent", "outside"), ("heuristic", "rule"), ("people", "nothing")],
)
def test_a_score_of_no_model_says_where_it_came_from(rung: str, source: str) -> None:
    assert told(make_item(make_queue(), rung=rung)) == {"source": source}


def test_an_erased_item_has_no_factors() -> None:
    queue, model = modelled()
    item = scored(queue, model)
    assert told(item)["source"] == "model"
    item.body.content = None
    assert told(item) == {"source": "erased"}


def test_a_model_whose_file_is_gone_or_changed_says_so() -> None:
    queue, model = modelled()
    path = registry.folder() / model.file
    path.write_bytes(path.read_bytes() + b"x")
    assert told(scored(queue, model)) == {"source": "lost"}
    path.unlink()
    assert told(scored(queue, model)) == {"source": "lost"}


def test_an_answer_is_kept_by_model_and_body_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, model = modelled()
    item, other = scored(queue, model), scored(queue, model, {**SPAM, "words": 5})
    first = told(item)
    monkeypatch.setattr(explain, "items", lambda *_: pytest.fail("asked again"))
    assert told(item) == first
    with pytest.raises(pytest.fail.Exception):
        told(other)


def test_no_word_of_a_text_is_kept() -> None:
    queue, model = modelled("logistic")
    assert any(factor["word"] for factor in told(scored(queue, model))["factors"])
    told(scored(queue, model))
    assert (factors._kept.hits, factors._kept.misses) == (0, 2)
