"""Frames in the API: in pages, and closed on demand."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from decisions.models import Event, Frame, Queue, Task
from tests.decisions.routing.framed import audited_queue, named, send
from tests.factories import NOON, make_frame, make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def busy() -> Queue:
    """Make a queue on which things were passed yesterday, and audits are due."""
    queue = audited_queue(30)
    send(queue, named(50), timezone.now() - timedelta(days=1))
    return queue


def test_closing_draws_audits_and_says_how() -> None:
    queue = busy()
    person = caller("manager", queue)
    answer = person.post(f"queues/{queue.slug}/frames/close/", {"why": "before the new model"})
    assert answer.status_code == 201
    closed: dict[str, Any] = answer.json()
    frame = Frame.objects.get()
    assert closed["id"] == frame.pk
    assert (closed["passes"], closed["budget"], closed["drawn"], closed["why"]) == (50, 30, 30, "before the new model")
    assert closed["strata"] == frame.strata
    assert Task.objects.filter(queue=queue, purpose="audit").count() == 30
    assert Event.objects.get(kind="frame.closed").actor == person.user
    again = person.post(f"queues/{queue.slug}/frames/close/", {})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_the_same_call_again_closes_nothing_more() -> None:
    queue = busy()
    person = caller("manager", queue)
    answers = [person.post(f"queues/{queue.slug}/frames/close/", {}, **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Frame.objects.count() == 1


# what is sent, and the answer
@pytest.mark.parametrize(
    ("said", "status", "code"),
    [({"why": "x" * 501}, 400, "invalid"), ({"reason": "x"}, 400, "invalid")],
)
def test_what_is_wrong_is_refused(said: dict[str, Any], status: int, code: str) -> None:
    queue = busy()
    answer = caller("manager", queue).post(f"queues/{queue.slug}/frames/close/", said)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Frame.objects.exists()


def test_a_token_to_read_closes_nothing() -> None:
    queue = busy()
    person = caller("manager", queue, "read")
    assert person.get(f"queues/{queue.slug}/frames/").status_code == 200
    assert person.post(f"queues/{queue.slug}/frames/close/", {}).status_code == 403
    assert not Frame.objects.exists()


def test_frames_are_listed_newest_first_in_pages() -> None:
    queue = make_queue()
    person = make_user("manager", queue)
    made = [make_frame(queue, starts_at=NOON + HOUR * n, ends_at=NOON + HOUR * (n + 1)) for n in range(5)]
    made.append(make_frame(queue, starts_at=NOON + HOUR * 5, ends_at=NOON + HOUR * 6, person=person))
    make_frame(make_queue())
    reader = caller("auditor", queue)
    first = reader.get(f"queues/{queue.slug}/frames/?limit=4").json()
    assert [row["id"] for row in first["results"]] == [frame.pk for frame in made[:1:-1]]
    assert (first["results"][0]["person"], first["results"][1]["person"]) == (person.pk, None)
    rest = reader.get(first["next"].partition("/api/v1/")[2]).json()
    assert [row["id"] for row in rest["results"]] == [made[1].pk, made[0].pk]
    assert rest["next"] is None
