"""The page of a queue's team: who is at work, assigning, handing over with a preview, and undoing it."""

import re

import pytest
from django.test import Client

from decisions.models import Handover, Membership, Presence, Queue, Task, User
from decisions.record import log
from decisions.work import handover, team
from tests.decisions.work.makers import claimed
from tests.factories import make_queue, make_task, make_user

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def floor() -> tuple[Queue, Client, User]:
    queue = make_queue()
    lead = make_user("lead", queue, name="Lea")
    return queue, signed_in(lead), make_user("reviewer", queue, name="Ann")


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_page_tells_who_is_at_work_and_who_has_what() -> None:
    queue, client, ann = floor()
    Membership.objects.filter(user=ann).update(skills=["law"])
    make_task(queue)
    held = claimed(ann, queue)
    said = text(client, f"/floor/{queue.slug}/team/")
    assert "1 of 2 at work" in said
    assert "law" in said
    assert held.item.external_id in said
    assert text(client, f"/floor/{queue.slug}/team/live/").count("At work") >= 1


def test_an_empty_queue_and_a_queue_without_people_say_so() -> None:
    queue = make_queue()
    said = text(signed_in(make_user("manager", queue)), f"/floor/{queue.slug}/team/")
    assert "No task of this queue is open." in said


def test_a_task_is_assigned_from_the_page_and_the_person_is_told_at_their_desk() -> None:
    queue, client, ann = floor()
    task = make_task(queue)
    sent = {"person": ann.pk, "hours": 8, "reason": "skill"}
    assert client.post(f"/floor/{queue.slug}/team/tasks/{task.pk}/assign/", sent).status_code == 302
    desk = text(signed_in(ann), f"/review/{queue.slug}/")
    assert "assigned to you: it comes next" in desk
    assert task.item.external_id in desk
    assert Presence.objects.get(user=ann).place == "desk"
    assert "kept until" in text(client, f"/floor/{queue.slug}/team/")


@pytest.mark.parametrize("wrong", [{"person": "x"}, {"hours": "5"}, {"reason": "because"}])
def test_what_is_wrong_with_an_assignment_is_shown(wrong: dict[str, str]) -> None:
    queue, client, ann = floor()
    task = make_task(queue)
    sent = {"person": ann.pk, "hours": 8, "reason": "skill", **wrong}
    answer = client.post(f"/floor/{queue.slug}/team/tasks/{task.pk}/assign/", sent)
    assert answer.status_code == 422
    assert "Select a valid choice" in answer.content.decode()
    assert not Handover.objects.exists()


def test_a_handover_is_previewed_done_and_undone() -> None:
    queue, client, ann = floor()
    make_task(queue)
    held = claimed(ann, queue)
    page = client.get(f"/floor/{queue.slug}/team/preview/", {"kind": "release", "person": str(ann.pk)}).content.decode()
    assert held.item.external_id in page
    found = re.search(r'name="digest" value="(\w+)"', page)
    assert found
    sent = {"kind": "release", "person": ann.pk, "digest": found[1], "reason": "absence"}
    assert client.post(f"/floor/{queue.slug}/team/handovers/", sent).status_code == 302
    assert Task.objects.get().state == "waiting"
    assert client.post(f"/floor/{queue.slug}/team/handovers/", sent).status_code == 409
    (done,) = handover.undoable(queue.pk, log.now())
    assert "/undo/" in text(client, f"/floor/{queue.slug}/team/")
    assert client.post(f"/floor/{queue.slug}/team/handovers/{done.pk}/undo/").status_code == 302
    assert Task.objects.get().only_for == ann
    assert "/undo/" not in text(client, f"/floor/{queue.slug}/team/")


def test_a_preview_of_nothing_says_so_and_one_of_nobody_is_refused() -> None:
    queue, client, _ann = floor()
    assert "Nothing would move" in text(client, f"/floor/{queue.slug}/team/preview/")
    assert client.get(f"/floor/{queue.slug}/team/preview/", {"kind": "move"}).status_code == 422
    assert client.get(f"/floor/{queue.slug}/team/preview/", {"kind": "x"}).status_code == 422
    assert client.get(f"/floor/{queue.slug}/team/preview/", {"kind": "move", "person": "999999"}).status_code == 422


def test_looking_at_the_floor_is_seen() -> None:
    queue, client, _ann = floor()
    client.get(f"/floor/{queue.slug}/live/")
    at = log.now()
    assert next((member.user.name, member.place) for member in team.of(queue, at)) == ("Lea", "floor")
