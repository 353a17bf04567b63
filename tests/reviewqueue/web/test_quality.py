"""The quality page, one's own answers, and what waits to be settled."""

import pytest
from django.test import Client

from decisions.models import Grade, User
from tests.decisions.measure.test_answering import golden, twice
from tests.decisions.work.makers import HAM, answered, desk, gold_item
from tests.decisions.work.test_disputes import disputed
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.test_quality import paused

pytestmark = pytest.mark.django_db


def page(person: User, path: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_lead_sees_people_with_limits_and_lifts_a_pause() -> None:
    queue = make_queue()
    anna = make_user("reviewer", queue, name="Anna")
    lead = make_user("lead", queue)
    for _ in range(30):
        golden(queue, {anna: "spam"})
    paused(anna, queue)
    shown = page(lead, f"/floor/{queue.slug}/quality/")
    assert "Anna" in shown
    assert "30/30" in shown
    assert "100" in shown
    assert ">Lift</button>" in shown
    assert f"/floor/{queue.slug}/quality/" in page(lead, f"/floor/{queue.slug}/")
    client = Client()
    client.force_login(lead)
    answer = client.post(f"/floor/{queue.slug}/quality/{anna.pk}/lift/", follow=True)
    assert "may work here again" in answer.content.decode()
    assert ">Lift</button>" not in answer.content.decode()
    assert Grade.objects.latest("no").by == lead


def test_empty_and_few_are_said_as_such() -> None:
    queue, anna = desk()
    lead = make_user("lead", queue)
    shown = page(lead, f"/floor/{queue.slug}/quality/")
    assert "Nothing was checked yet" in shown
    assert "No item is gold" in shown
    golden(queue, {anna: "spam"})
    assert "not measured" in page(lead, f"/floor/{queue.slug}/quality/")


def test_gold_is_listed_with_the_way_to_its_page() -> None:
    queue = make_queue()
    lead, item = make_user("lead", queue), gold_item(queue)
    shown = page(lead, f"/floor/{queue.slug}/quality/")
    assert item.external_id in shown
    assert f'href="/audit/{queue.slug}/items/{item.pk}/"' in shown


def test_settled_disagreements_are_told_and_waiting_ones_are_not() -> None:
    queue = make_queue()
    anna = make_user("reviewer", queue, name="Anna")
    lead = make_user("lead", queue)
    task = disputed(queue, anna, make_user("reviewer", queue))
    shown = page(lead, f"/floor/{queue.slug}/quality/")
    assert task.item.external_id not in shown
    assert task.item.external_id in page(lead, f"/review/{queue.slug}/adjudications/")
    answered(lead, queue, HAM)
    assert task.item.external_id in page(lead, f"/floor/{queue.slug}/quality/")
    assert "Nothing to settle" in page(lead, f"/review/{queue.slug}/adjudications/")


def test_the_way_to_settle_is_offered_to_who_may() -> None:
    queue, anna = desk()
    assert "/adjudications/" not in page(anna, "/review/")
    assert "/adjudications/" in page(make_user("expert", queue), "/review/")


def test_ones_own_answers_are_private() -> None:
    queue = make_queue()
    anna = make_user("reviewer", queue, name="Anna")
    bert = make_user("reviewer", queue, name="Bert")
    golden(queue, {anna: "spam", bert: "ham"})
    twice(queue, anna, "ham", bert, "spam")
    shown = page(anna, f"/review/{queue.slug}/mine/")
    assert "Bert" not in shown
    assert "1/1" in shown
    assert "not measured" in shown
    assert f"/review/{queue.slug}/mine/" in page(anna, "/review/")
    paused(anna, queue)
    assert "Your work here is paused" in page(anna, f"/review/{queue.slug}/mine/")
