"""Gold on an item's page: marked and retired by who may, hidden from whom it measures."""

import pytest
from django.test import Client

from decisions.models import Gold, Grade, Queue, User
from decisions.queues.spec import Quality
from tests.decisions.work.makers import decided_item, gold_item
from tests.factories import NOON, make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(person: User, queue: Queue, item_id: int) -> str:
    answer = client_of(person).get(f"/audit/{queue.slug}/items/{item_id}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_lead_marks_and_retires_on_the_page() -> None:
    queue = make_queue()
    lead, item = make_user("lead", queue), decided_item(queue)
    place = f"/audit/{queue.slug}/items/{item.pk}/gold/"
    assert '<option value="spam" selected>' in page(lead, queue, item.pk)  # what holds is offered
    shown = client_of(lead).post(place, {"outcome": "ham", "reason": "clear"}, follow=True).content.decode()
    assert "it is mixed in unseen" in shown
    assert "The guideline leaves no doubt" in shown
    assert Gold.objects.get().person == lead
    shown = client_of(lead).post(f"{place}retire/", {"retire-reason": "known"}, follow=True).content.decode()
    assert "given out as gold no longer" in shown
    assert "Retire</button>" not in shown


@pytest.mark.parametrize("role", ["manager", "auditor", "admin"])
def test_nobody_else_is_told_that_an_item_is_gold(role: str) -> None:
    queue = make_queue()
    item = gold_item(queue)
    assert "gold-title" not in page(make_user(role, queue), queue, item.pk)


def test_whom_it_measures_is_not_told() -> None:
    queue = make_queue()
    lead, item = make_user("lead", queue), gold_item(queue)
    make_task(queue, item, purpose="gold", only_for=lead)
    assert "gold-title" not in page(lead, queue, item.pk)


@pytest.mark.parametrize(
    ("data", "status", "told"),
    [
        ({"outcome": "eggs", "reason": "clear"}, 422, "no such outcome"),
        ({"outcome": "spam", "reason": ""}, 422, "Say why"),
        ({"outcome": "ham", "reason": "clear"}, 409, "marked as already"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(data: dict[str, str], status: int, told: str) -> None:
    queue = make_queue()
    item = gold_item(queue, "ham")
    answer = client_of(make_user("lead", queue)).post(f"/audit/{queue.slug}/items/{item.pk}/gold/", data)
    assert answer.status_code == status
    assert told in answer.content.decode()


def test_an_item_of_another_queue_is_not_found() -> None:
    queue, item = make_queue(), gold_item(make_queue())
    lead = make_user("lead")
    for rest, data in (("", {"outcome": "ham", "reason": "clear"}), ("retire/", {"retire-reason": "known"})):
        answer = client_of(lead).post(f"/audit/{queue.slug}/items/{item.pk}/gold/{rest}", data)
        assert answer.status_code == 404


def test_a_paused_person_reads_why_on_their_desk_and_in_the_api() -> None:
    queue = make_queue(quality=Quality(error_limit=0.2))
    person = make_user("reviewer", queue)
    Grade.objects.create(
        queue=queue, person=person, no=1, n=6, wrong=6, gold_share=0.2, second_share=0.0, is_paused=True, why="errors",
        since=NOON, at=NOON,
    )  # fmt: skip
    make_task(queue)
    shown = client_of(person).get(f"/review/{queue.slug}/").content.decode()
    assert "Your work here is paused" in shown
    assert client_of(person).post(f"/review/{queue.slug}/next/", headers={"HX-Request": "true"}).status_code == 204
    answer = caller(user=person).post(f"queues/{queue.slug}/claim/")
    assert (answer.status_code, answer.json()["code"]) == (409, "person_paused")


def test_a_newcomer_reads_that_no_known_items_are_left() -> None:
    queue = make_queue(quality=Quality(gold_share=0.0, onboarding=2))
    person = make_user("reviewer", queue)
    make_task(queue)
    assert "No known items are left for you" in client_of(person).get(f"/review/{queue.slug}/").content.decode()
    assert client_of(person).post(f"/review/{queue.slug}/next/", headers={"HX-Request": "true"}).status_code == 204
    answer = caller(user=person).post(f"queues/{queue.slug}/claim/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_onboarded")
    gold_item(queue, by=make_user("lead", queue))
    assert "Take the next item" in client_of(person).get(f"/review/{queue.slug}/").content.decode()
