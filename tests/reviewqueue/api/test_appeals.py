"""Appeals through the API and on pages."""

import pytest
from django.test import Client

from decisions.models import Appeal, User
from decisions.work import claim
from tests.factories import make_item, make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
SAID = {"statement": "It was an invoice", "reference": "ticket-1"}


def test_an_appeal_from_outside_is_filed_once_judged_and_listed() -> None:
    queue = make_queue()
    sender = caller("auditor", queue, kind=User.Kind.SERVICE)
    lead, auditor = caller("lead", queue), caller("auditor", queue)
    item = make_item(queue, route="hard", band="hard", score=0.95)
    path = f"items/{item.pk}/appeal/"
    made = sender.post(path, SAID)
    assert (made.status_code, made.json()["state"], made.json()["was"]) == (201, "open", "spam")
    again = sender.post(path, SAID)
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    other = sender.post(path, {**SAID, "statement": "other words"})
    assert (other.status_code, other.json()["code"]) == (409, "other_content")
    (task,) = lead.post(f"queues/{queue.slug}/claim/").json()["tasks"]
    assert task["purpose"] == "appeal"
    said = {"lease": task["lease"], "outcome": "ham", "reason": "content"}
    assert lead.post(f"tasks/{task['id']}/decide/", {**said, "reason": ""}).status_code == 400
    assert lead.post(f"tasks/{task['id']}/decide/", said).status_code == 201
    (listed,) = auditor.get(f"appeals/?queue={queue.slug}&state=overturned&reference=ticket-1").json()["results"]
    assert (listed["outcome"], listed["reason"], listed["statement"]) == ("ham", "content", "[hidden]")
    assert lead.get(f"appeals/?queue={queue.slug}").json()["results"][0]["statement"] == SAID["statement"]
    assert auditor.get(f"appeals/?queue={queue.slug}&state=open").json()["results"] == []


@pytest.mark.parametrize(
    ("said", "field"),
    [({}, "statement"), ({"statement": ""}, "statement"), ({"statement": "x", "reference": "a\nb"}, "reference")],
)
def test_bad_appeals_name_the_field(said: dict[str, str], field: str) -> None:
    queue = make_queue()
    item = make_item(queue, route="hard", band="hard", score=0.95)
    answer = caller("manager", queue).post(f"items/{item.pk}/appeal/", said)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_what_waits_is_not_appealed() -> None:
    queue = make_queue()
    item = make_item(queue)
    make_task(queue, item)
    answer = caller("manager", queue).post(f"items/{item.pk}/appeal/", SAID)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_on_a_page_it_is_filed_and_the_card_says_what_it_is_about() -> None:
    queue = make_queue()
    filer, judge = Client(), Client()
    person = make_user("lead", queue, name="Jo")
    filer.force_login(make_user("manager", queue))
    judge.force_login(person)
    item = make_item(queue, route="hard", band="hard", score=0.95, external_id="mail-9")
    page = f"/audit/{queue.slug}/items/{item.pk}/"
    assert "File an appeal" in filer.get(page).content.decode()
    assert filer.post(f"{page}appeal/", {"statement": " "}).status_code == 422
    assert filer.post(f"{page}appeal/", SAID).status_code == 302
    assert filer.post(f"{page}appeal/", {"statement": "again"}).status_code == 409
    shown = filer.get(page).content.decode()
    assert SAID["statement"] in shown
    assert "File an appeal" not in shown
    assert "override/" not in shown  # it is judged in its queue
    assert "mail-9" in filer.get(f"/audit/{queue.slug}/appeals/").content.decode()
    claim.next_tasks(queue_id=queue.pk, person=person)
    card = judge.get(f"/review/{queue.slug}/").content.decode()
    assert SAID["statement"] in card
    assert "The model suggests" not in card
    task = Appeal.objects.get().task
    path = f"/review/{queue.slug}/tasks/{task.pk}/decide/"
    judge.post(path, {"lease": str(task.lease), "answer": "spam", "reason": "content"})
    assert Appeal.objects.get().state == "upheld"
    assert "upheld" in filer.get(f"/audit/{queue.slug}/appeals/").content.decode()
    other = make_queue()
    assert filer.post(f"/audit/{other.slug}/items/{item.pk}/appeal/", SAID).status_code == 404
