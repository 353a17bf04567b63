"""The team over the API: who has what, assigning, and handing over."""

from datetime import timedelta

import pytest

from decisions.models import Membership, Task
from decisions.queues.spec import Need
from decisions.record import log
from tests.decisions.work.makers import claimed
from tests.factories import make_queue, make_task, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


def test_the_team_is_told_with_what_each_of_them_has() -> None:
    queue = make_queue()
    lead, ann = caller("lead", queue), make_user("reviewer", queue, name="Ann")
    make_task(queue)
    held = claimed(ann, queue)
    found = lead.get(f"queues/{queue.slug}/team/").json()["members"]
    assert next((one["name"], one["is_at_work"]) for one in found) == ("Ann", True)
    assert [task["id"] for task in found[0]["held"]] == [held.pk]


def test_a_task_is_assigned_until_a_time_and_given_back() -> None:
    queue = make_queue()
    lead, ann = caller("lead", queue), make_user("reviewer", queue)
    task = make_task(queue)
    until = (log.now() + timedelta(hours=2)).isoformat()
    answer = lead.post(f"tasks/{task.pk}/assign/", {"person": ann.pk, "reason": "urgent", "until": until})
    assert (answer.status_code, answer.json()["person"]) == (200, ann.pk)
    back = lead.post(f"tasks/{task.pk}/give-back/", {"reason": "load"})
    assert (back.status_code, back.json()["person"], back.json()["state"]) == (200, None, "waiting")
    again = lead.post(f"tasks/{task.pk}/give-back/", {"reason": "load"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"reason": "urgent"}, "person"),
        ({"person": 0, "reason": "urgent"}, "person"),
        ({"person": 10**15, "reason": "urgent"}, "person"),
        ({"person": 1, "reason": "because"}, "reason"),
        ({"person": 1, "reason": "urgent", "until": "soon"}, "until"),
    ],
)
def test_what_is_wrong_with_an_assignment_is_named(sent: dict[str, object], field: str) -> None:
    queue = make_queue()
    answer = caller("lead", queue).post(f"tasks/{make_task(queue).pk}/assign/", sent)
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_work_is_handed_over_as_previewed_and_put_back() -> None:
    queue = make_queue()
    lead, ann = caller("lead", queue), make_user("reviewer", queue)
    make_task(queue)
    held = claimed(ann, queue)
    said = {"kind": "release", "person": ann.pk}
    plan = lead.post(f"queues/{queue.slug}/handovers/preview/", said).json()
    assert [(step["task"], step["whose"], step["to"]) for step in plan["steps"]] == [(held.pk, ann.pk, None)]
    done = lead.post(f"queues/{queue.slug}/handovers/", {**said, "digest": plan["digest"], "reason": "absence"})
    assert (done.status_code, done.json()["tasks"]) == (201, 1)
    undone = lead.post(f"handovers/{done.json()['id']}/undo/")
    assert undone.json() == {"id": done.json()["id"], "tasks": 1}
    assert Task.objects.get().only_for == ann
    assert lead.post(f"handovers/{done.json()['id']}/undo/").status_code == 409
    assert lead.post("handovers/999999/undo/").status_code == 404


def test_skills_and_exclusions_of_a_colleague() -> None:
    queue = make_queue(needs=(Need(field="kind"),))
    lead, ann = caller("lead", queue), caller("reviewer", queue)
    path = f"queues/{queue.slug}/team/{ann.user.pk}/"
    assert lead.post(f"{path}skills/", {"skills": ["kind=chat"]}).json() == {"skills": ["kind=chat"]}
    assert lead.post(f"{path}skills/", {"skills": ["magic"]}).status_code == 400
    made = ann.post(f"{path}exclusions/", {"kind": "item", "name": "m-7", "why": "own"})
    assert (made.status_code, made.json()["key"]) == (201, "m-7")
    found = ann.get(path).json()
    assert (found["skills"], found["known_skills"]) == (["kind=chat"], ["kind=mail", "kind=chat"])
    assert [one["id"] for one in found["exclusions"]] == [made.json()["id"]]
    assert ann.post(f"exclusions/{made.json()['id']}/lift/").status_code == 403
    assert lead.post(f"exclusions/{made.json()['id']}/lift/").status_code == 204
    assert lead.post(f"exclusions/{made.json()['id']}/lift/").status_code == 404
    assert lead.get(f"queues/{queue.slug}/team/999999/").status_code == 404


def test_an_opt_out_is_ones_own_to_say_and_to_know() -> None:
    queue = make_queue(sensitive=(Need(field="kind", values=("chat",)),))
    ann, lead = caller("reviewer", queue), caller("lead", queue)
    said = ann.post(f"queues/{queue.slug}/me/opt-outs/", {"categories": ["kind=chat"]}).json()
    assert (said["opt_outs"], said["categories"], said["is_break_due"]) == (["kind=chat"], ["kind=chat"], False)
    assert ann.get(f"queues/{queue.slug}/me/").json()["opt_outs"] == ["kind=chat"]
    assert lead.get(f"queues/{queue.slug}/me/").json()["opt_outs"] == []
    assert "kind=chat" not in lead.get(f"queues/{queue.slug}/team/{ann.user.pk}/").content.decode()
    assert ann.post(f"queues/{queue.slug}/me/opt-outs/", {"categories": ["x"]}).status_code == 400
    Membership.objects.filter(user=ann.user).delete()
    assert ann.get(f"queues/{queue.slug}/me/").status_code == 404


def test_shifts_and_absences_over_the_api() -> None:
    queue = make_queue()
    lead, ann = caller("lead", queue), caller("reviewer", queue)
    at = log.now()
    span = {"starts_at": (at + timedelta(hours=1)).isoformat(), "ends_at": (at + timedelta(hours=9)).isoformat()}
    shift = lead.post(f"queues/{queue.slug}/shifts/", {"person": ann.user.pk, **span})
    assert (shift.status_code, shift.json()["people"]) == (201, 1)
    assert lead.post(f"queues/{queue.slug}/shifts/", {"person": ann.user.pk, **span}).status_code == 409
    assert lead.post(f"queues/{queue.slug}/shifts/", {"people": 3, **span}).status_code == 201
    away = ann.post(f"queues/{queue.slug}/absences/", {"person": ann.user.pk, **span})
    assert away.status_code == 201
    found = lead.get(f"queues/{queue.slug}/schedule/").json()
    assert [one["person"] for one in found["shifts"]] == [ann.user.pk, None]
    assert [one["id"] for one in found["absences"]] == [away.json()["id"]]
    assert lead.post(f"queues/{queue.slug}/shifts/{shift.json()['id']}/remove/").status_code == 204
    assert ann.post(f"queues/{queue.slug}/absences/{away.json()['id']}/remove/").status_code == 204
    assert ann.post(f"queues/{queue.slug}/absences/{away.json()['id']}/remove/").status_code == 404
    assert lead.post(f"queues/{queue.slug}/shifts/", {**span, "ends_at": span["starts_at"]}).status_code == 400


def test_ones_own_clock_is_set_over_the_api_and_a_wrong_one_refused() -> None:
    ann = caller("reviewer", make_queue())
    assert ann.post("me/timezone/", {"timezone": "Asia/Tokyo"}).json() == {"timezone": "Asia/Tokyo"}
    ann.user.refresh_from_db()
    assert ann.user.timezone == "Asia/Tokyo"
    refused = ann.post("me/timezone/", {"timezone": "Mars"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "timezone")
    assert ann.post("me/timezone/", {"timezone": ""}).status_code == 200
    ann.user.refresh_from_db()
    assert ann.user.timezone == ""
