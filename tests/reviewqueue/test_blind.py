"""What asks for an unbiased answer looks the same for every reason, on the page and in the API."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from decisions import identity
from decisions.models import Queue, Task
from decisions.work.answer import Answer
from tests.decisions.work.makers import answered, control_task, passed_item
from tests.factories import make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def control(queue: Queue) -> Task:
    return control_task(queue)


def audit(queue: Queue) -> Task:
    return make_task(queue, passed_item(queue, arrived_at=timezone.now() - DAY), purpose="audit")


def second(queue: Queue) -> Task:
    audit(queue)
    answered(make_user("reviewer", queue), queue, Answer("spam"))
    return Task.objects.get(queue=queue, purpose="second")


def numbered_alike(text: str, task: Task) -> str:
    """Return a page without what names the item, the task or a form's token."""
    for name in (task.item.external_id, task.queue.slug, str(task.pk)):
        text = text.replace(name, "_")
    return re.sub(r'csrfmiddlewaretoken" value="\w+"|data-lease-until="[^"]*"|datetime="[^"]*"', "", text)


MAKERS = pytest.mark.parametrize("make", [control, audit, second])


@MAKERS
def test_the_api_tells_no_time_and_no_reason(make: Any) -> None:
    queue = make_queue()
    task = make(queue)
    person = caller("reviewer", queue)
    (claimed,) = person.post(f"queues/{queue.slug}/claim/", {}).json()["tasks"]
    assert claimed["id"] == task.pk
    assert claimed.keys() == {"id", "lease", "lease_until", "purpose", "round", "item"}
    assert claimed["purpose"] == "review"
    assert claimed["item"].keys() == {
        *("id", "queue", "external_id", "source", "segment", "value", "payload", "subject", "is_erased", "redacted"),
    }
    life = person.get(f"items/{task.item_id}/").json()
    assert [step["what"] for step in life["life"]] == ["moved"]
    assert (life["ruling"], life["item"]) == (None, claimed["item"])


def test_an_ordinary_task_says_when_it_came_and_is_due() -> None:
    queue = make_queue()
    make_task(queue)
    (claimed,) = caller("reviewer", queue).post(f"queues/{queue.slug}/claim/", {}).json()["tasks"]
    assert {"due_at", "purpose"} <= claimed.keys()
    assert "arrived_at" in claimed["item"]


def test_the_cards_are_the_same_for_every_reason() -> None:
    identity.allocate(Task, 10_000)  # ids that look like no other number of a page
    pages = set()
    for make in (control, audit, second):
        queue = make_queue()
        task = make(queue)
        client = Client()
        client.force_login(make_user("reviewer", queue, name="Ann"))
        client.post(f"/review/{queue.slug}/next/")
        page = client.get(f"/review/{queue.slug}/").content.decode()
        assert task.item.external_id in page
        pages.add(numbered_alike(page[page.index("<article") : page.index("</article>")], task))
    assert len(pages) == 1
