"""Training runs in the API: asked for, read with steps and log, cancelled."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from decisions.learning import work
from decisions.models import Event, TrainingRun
from tests.decisions.learning.world import labelled_queue
from tests.factories import make_queue, make_run
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def test_a_run_is_asked_for_and_read_to_its_end() -> None:
    queue = labelled_queue()
    person = caller("manager", queue)
    answer = person.post(f"queues/{queue.slug}/training-runs/start/", {"why": "more labels"})
    assert answer.status_code == 201
    asked: dict[str, Any] = answer.json()
    assert (asked["state"], asked["trigger"], asked["why"]) == ("queued", "hand", "more labels")
    assert asked["person"] == person.user.pk
    work.work(asked["id"])
    told = person.get(f"queues/{queue.slug}/training-runs/{asked['id']}/").json()
    assert (told["state"], told["progress"], told["error"]) == ("done", 100, "")
    assert [step["step"] for step in told["steps"]][-3:] == ["model", "policy", "live"]
    assert told["steps"][0]["version"] == told["data_set"]
    assert told["log"][-1]["code"] == "done"
    assert told["model"] in told["log"][-1]["text"]
    assert told["weighting"]["kept"] in {"unweighted", "clipped", "full"}
    (listed,) = person.get(f"queues/{queue.slug}/training-runs/").json()["results"]
    assert listed["model"] == told["model"]


def test_the_same_call_again_starts_no_second_run_and_another_one_is_refused() -> None:
    queue = labelled_queue(5)
    person = caller("manager", queue)
    path = f"queues/{queue.slug}/training-runs/start/"
    answers = [person.post(path, {}, **{"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    again = person.post(path, {})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert TrainingRun.objects.count() == 1


# what is sent, and the answer
@pytest.mark.parametrize(
    ("said", "status", "code"),
    [({"why": "x" * 501}, 400, "invalid"), ({"weights": "full"}, 400, "invalid")],
)
def test_what_is_wrong_is_refused(said: dict[str, Any], status: int, code: str) -> None:
    queue = labelled_queue(5)
    answer = caller("manager", queue).post(f"queues/{queue.slug}/training-runs/start/", said)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not TrainingRun.objects.exists()


def test_a_queue_without_labels_or_pipeline_trains_nothing() -> None:
    for queue, status in ((labelled_queue(0), 409), (make_queue(), 400)):
        answer = caller("manager", queue).post(f"queues/{queue.slug}/training-runs/start/", {})
        assert answer.status_code == status


def test_cancelling_ends_a_waiting_run_once() -> None:
    queue = make_queue()
    run, person = make_run(queue), caller("manager", queue)
    path = f"queues/{queue.slug}/training-runs/{run.pk}/cancel/"
    assert person.post(path, {}).json()["state"] == "cancelled"
    assert person.post(path, {}).status_code == 409
    assert Event.objects.get(kind="training.cancelled").actor == person.user


def test_a_run_of_another_queue_is_not_found() -> None:
    queue, other = make_queue(), make_queue()
    run, person = make_run(other), caller("manager", queue)
    assert person.get(f"queues/{queue.slug}/training-runs/{run.pk}/").status_code == 404
    assert person.post(f"queues/{queue.slug}/training-runs/{run.pk}/cancel/", {}).status_code == 404
