"""What pushed a score, and similar decided items: on the card, on the item's page and through the API, or hidden."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from decisions.learning import labels, similar, training
from decisions.models import Item, Queue, User
from decisions.queues.spec import ModelSpec
from decisions.redact import HIDDEN
from decisions.work import claim, factors
from reviewqueue.web import pushed
from tests.decisions.learning.test_training import examples
from tests.decisions.work.makers import decided_item, desk
from tests.decisions.work.test_alike import LATER
from tests.factories import NOON, make_item, make_policy, make_spec, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
SPAM = {"text": "win a prize now", "words": 90, "amount": 0.5, "kind": "chat"}


@pytest.fixture(autouse=True)
def _alone(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    factors._kept.clear()


def scored(queue: Queue, payload: dict[str, Any] | None = None, purpose: str = "soft") -> Item:
    """Make an item that the queue's model scored and that waits for somebody."""
    model = training.train(queue=queue, examples=examples(), in_time=False, by=None, at=NOON)
    make_policy(queue, "live", model=model, hard=0.9)
    item = make_item(queue, payload or SPAM, rung=Item.Rung.MODEL)
    make_task(queue, item, purpose=purpose)
    return item


def world(**spec: Any) -> tuple[Queue, User]:
    return desk(model=ModelSpec(pipeline="boosting", label="spam", positive="1"), **spec)


def page(person: User, path: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def card(queue: Queue, person: User) -> str:
    claim.next_tasks(queue_id=queue.pk, person=person)
    return page(person, f"/review/{queue.slug}/")


def test_the_card_says_in_words_what_pushed_the_score() -> None:
    queue, person = world()
    scored(queue)
    shown = card(queue, person)
    assert "What pushed it" in shown
    assert "strongly towards “Spam”" in shown
    assert '<bdi>Words</bdi>: <bdi class="strong">90</bdi>' in shown


@pytest.mark.parametrize(("purpose", "spec"), [("control", {}), ("audit", {}), ("soft", {"hide_suggestion": True})])
def test_a_blind_card_shows_neither(purpose: str, spec: dict[str, Any]) -> None:
    queue, person = world(**spec)
    decided_item(queue, payload=SPAM)
    labels.feed_due(timezone.now() + LATER)
    similar.refresh(queue)
    scored(queue, purpose=purpose)
    shown = card(queue, person)
    assert "What pushed it" not in shown
    assert "Similar decided items" not in shown
    assert "No similar item" not in shown


def test_a_card_without_a_model_says_why_there_are_no_factors() -> None:
    queue, person = desk()
    make_task(queue)
    assert "No factors: the score comes from outside." in card(queue, person)


def test_the_card_shows_similar_items_or_says_that_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, person = desk()
    make_task(queue)
    assert "No similar item has been decided by people yet." in card(queue, person)
    example = decided_item(queue)
    labels.feed_due(timezone.now() + LATER)
    similar.refresh(queue)
    later = timezone.now() + LATER
    monkeypatch.setattr("reviewqueue.web.review.card.log.now", lambda: later)
    shown = page(person, f"/review/{queue.slug}/")
    assert "Similar decided items" in shown
    assert "1 × Spam" in shown
    assert example.external_id in shown


def test_the_item_s_page_shows_both_and_the_odds() -> None:
    queue, _person = world()
    item = scored(queue)
    shown = page(make_user("auditor", queue), f"/audit/{queue.slug}/items/{item.pk}/")
    assert "What pushed the score" in shown
    assert "odds ×" in shown
    assert "No similar item has been decided by people yet." in shown


def test_the_api_tells_both_of_an_item_and_factors_of_what_is_claimed() -> None:
    queue, _person = world()
    example = decided_item(queue, payload=SPAM)
    labels.feed_due(timezone.now() + LATER)
    similar.refresh(queue)
    item = scored(queue)
    answer = caller("auditor", queue).get(f"items/{item.pk}/").json()
    assert answer["item"]["explanation"]["source"] == "model"
    assert {factor["field"] for factor in answer["item"]["explanation"]["factors"]} <= {"words", "amount", "kind"}
    assert answer["similar"] == []  # it can still be undone
    (task,) = caller("reviewer", queue).post(f"queues/{queue.slug}/claim/", {}).json()["tasks"]
    assert task["item"]["explanation"]["total"] == pytest.approx(answer["item"]["explanation"]["total"])
    assert example.pk != item.pk


def test_the_api_tells_a_blind_person_neither() -> None:
    queue, _person = world()
    scored(queue, purpose="control")
    (task,) = caller("reviewer", queue).post(f"queues/{queue.slug}/claim/", {}).json()["tasks"]
    assert "explanation" not in task["item"]


@pytest.mark.parametrize(
    ("factor", "value"),
    [
        ({"state": "missing", "value": None}, "missing"),
        ({"state": "unseen", "value": "fax", "field": "kind"}, "fax, which training did not show"),
        ({"state": "unread", "value": "many"}, "many, which the model cannot read"),
        ({"value": HIDDEN}, HIDDEN),
        ({"word": "prize", "value": None}, "“prize”"),
        ({"value": 1234}, "1,234"),
        ({"value": 7, "field": "gone"}, "7"),  # the spec does not know it any more
    ],
)
def test_how_a_value_is_said(factor: dict[str, Any], value: str) -> None:
    base = {"field": "words", "label": "Words", "unit": "", "word": "", "state": "known", "weight": 0.2}
    (line,) = pushed.told({"source": "model", "factors": [{**base, **factor}]}, make_spec())["factors"]
    assert line["value"] == value


@pytest.mark.parametrize(
    ("weight", "is_up", "outcome", "strength", "odds"),
    [
        (1.2, True, "Spam", "strongly", "× 3.3"),
        (0.5, True, "Spam", "clearly", "× 1.6"),
        (-0.1, False, "Not spam", "slightly", "÷ 1.1"),
        (-1.2, False, "Not spam", "strongly", "÷ 3.3"),
    ],
)
def test_which_way_and_how_strongly(weight: float, is_up: bool, outcome: str, strength: str, odds: str) -> None:
    factor = {"field": "words", "label": "Words", "unit": "", "word": "", "state": "known", "value": 1}
    (line,) = pushed.told({"source": "model", "factors": [{**factor, "weight": weight}]}, make_spec())["factors"]
    assert (line["is_up"], line["outcome"], line["strength"], line["odds"]) == (is_up, outcome, strength, odds)


def test_a_model_that_answers_the_same_for_all_says_so() -> None:
    assert pushed.told({"source": "model", "factors": []}, make_spec())["note"].startswith("No field pushed")
