"""The audits' page: what was drawn and how it stands, drawing now, and nothing that lifts anybody's blindness."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from decisions.models import Draw, Frame, Queue, Task, User
from decisions.routing import frames
from decisions.work import sweep
from tests.decisions.routing.framed import audited_queue, named, send
from tests.decisions.work.makers import HAM, answered
from tests.factories import NOON, make_frame, make_queue, make_user

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def page(person: User, queue: Queue, rest: str = "") -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(f"/policy/{queue.slug}/frames/{rest}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def audited() -> tuple[Queue, Frame]:
    """Make a queue with four audits that wait."""
    queue = audited_queue(4)
    at = timezone.now() - DAY
    send(queue, named(9), at)
    return queue, frames.close(queue.pk, at + DAY)


def test_a_queue_without_frames_says_when_the_first_one_comes() -> None:
    queue = make_queue()
    shown = page(make_user("manager", queue), queue)
    assert "No frame yet" in shown
    assert "no audit budget" in shown
    assert "Draw now</button>" not in shown


def test_drawing_now_says_what_it_costs_and_draws() -> None:
    queue = audited_queue(6)
    send(queue, named(9), timezone.now() - DAY)
    person = make_user("manager", queue)
    assert "It costs 6 reviews at most" in page(person, queue)
    client = Client()
    client.force_login(person)
    answer = client.post(f"/policy/{queue.slug}/frames/close/", {"why": "a new campaign"}, follow=True)
    shown = " ".join(answer.content.decode().split())
    assert "6 of 9 passes were drawn" in shown
    assert "a new campaign" in shown
    frame = Frame.objects.get()
    assert (frame.person, frame.drawn) == (person, 6)
    assert "There is nothing to draw from yet" in shown


def test_who_only_reads_draws_nothing() -> None:
    queue, _frame = audited()
    assert "Draw now" not in page(make_user("auditor", queue), queue)


def test_how_audits_stand_is_counted() -> None:
    queue, frame = audited()
    reviewer = make_user("reviewer", queue)
    for _ in range(2):
        answered(reviewer, queue, HAM)
    due = Task.objects.filter(state="waiting", purpose="audit")
    Task.objects.filter(pk=due[0].pk).update(due_at=NOON)
    sweep.expire(NOON + HOUR)
    shown = page(make_user("auditor", queue), queue, f"{frame.pk}/")
    assert "1 open, 0 with a lead, 1 expired" in shown
    assert "of a budget of 4" in shown


@pytest.mark.parametrize(("role", "told"), [("auditor", True), ("manager", False), ("lead", False), ("admin", False)])
def test_who_may_still_be_asked_is_not_told_which_items_are_audits(role: str, told: bool) -> None:
    queue, frame = audited()
    shown = page(make_user(role, queue), queue, f"{frame.pk}/")
    names = Draw.objects.values_list("item__external_id", flat=True)
    assert [name in shown for name in names] == [told] * 4
    assert ("4 items are hidden" in shown) is not told


def test_a_frame_of_another_queue_is_not_found() -> None:
    queue, _frame = audited()
    client = Client(raise_request_exception=False)
    client.force_login(make_user("manager", queue))
    assert client.get(f"/policy/{queue.slug}/frames/{make_frame(make_queue()).pk}/").status_code == 404


def test_frames_come_in_pages_in_the_queue_s_zone() -> None:
    queue = make_queue(timezone="Asia/Tokyo")
    made = [make_frame(queue, starts_at=NOON + HOUR * n, ends_at=NOON + HOUR * (n + 1)) for n in range(22)]
    person = make_user("auditor", queue)
    first = page(person, queue)
    assert f"/frames/{made[21].pk}/" in first
    assert f"?after={made[2].pk}" in first
    assert "Asia/Tokyo" in first
    second = page(person, queue, f"?after={made[2].pk}")
    assert f"/frames/{made[1].pk}/" in second
    assert f"/frames/{made[2].pk}/" not in second
