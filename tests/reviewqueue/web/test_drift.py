"""The page of drift: what it says, and that its address holds the comparison."""

import pytest
from django.test import Client

from decisions.measure import shifted
from decisions.models import Queue
from decisions.queues.spec import FieldType, PayloadField
from tests.decisions.measure.measured import DAY, MIDNIGHT, counted, queue_of_last_week
from tests.decisions.measure.test_shifted import came
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db
BOTH = {
    "one": "days",
    "one_from": "2026-02-28",
    "one_to": "2026-02-28",
    "other_from": "2026-03-02",
    "other_to": "2026-03-02",
}


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON)
    shifted._compare.cache_clear()


def page(queue: Queue, role: str = "auditor", **query: str) -> str:
    client = Client()
    client.force_login(make_user(role, queue))
    answer = client.get(f"/policy/{queue.slug}/drift/", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_address_holds_the_comparison() -> None:
    queue = queue_of_last_week()
    came(queue, MIDNIGHT - DAY * 2, 10, segment="north")
    came(queue, MIDNIGHT, 500, segment="north")
    counted()
    text = page(queue, **BOTH)
    assert "1 field of 4 differs" in text
    assert "2026-02-28 to 2026-02-28" in text
    assert "differs much" in text
    assert "segment=north" in text
    assert "Only segment north." in page(queue, **BOTH, segment="north")


def test_a_model_from_elsewhere_says_that_it_has_no_training_set() -> None:
    assert "There is no training set to compare with" in page(make_queue(), one="training")


def test_personal_fields_show_no_values() -> None:
    fields = (PayloadField("words", FieldType.INTEGER, "Words", personal=True),)
    queue = queue_of_last_week(fields=fields, value_field="")
    came(queue, MIDNIGHT - DAY * 2, 12345)
    came(queue, MIDNIGHT, 54321)
    assert "differs much" in (text := page(queue, **BOTH))
    assert "12345" not in text.replace(",", "")


def test_sides_that_make_no_sense_are_said_beside_their_field() -> None:
    text = page(make_queue(), **{**BOTH, "other_to": "2026-02-01"})
    assert "The first day is after the last one." in text


def test_before_anything_came_nothing_is_measured() -> None:
    assert "Not measured" in page(make_queue())
