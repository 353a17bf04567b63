"""The training pages: what starts a run, how one goes, what came of it, and the way on to a policy."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from decisions.learning import runs, work
from decisions.models import Policy, Queue, TrainingRun, User
from decisions.queues.spec_training import Training
from tests.decisions.learning.world import labelled_queue
from tests.factories import NOON, make_queue, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def page(person: User, path: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def post(person: User, path: str, data: dict[str, str] | None = None) -> int:
    client = Client()
    client.force_login(person)
    return client.post(path, data or {}).status_code


def trained(queue: Queue) -> TrainingRun:
    run = runs.start(queue=queue, by=None, at=NOON)
    work.work(run.pk)
    run.refresh_from_db()
    return run


def test_a_manager_starts_a_run_and_follows_it_to_a_draft() -> None:
    queue = labelled_queue()
    manager, base = make_user("manager", queue), f"/policy/{queue.slug}/training/"
    assert "Train on all labels" in page(manager, base)
    assert post(manager, f"{base}start/", {"why": "more labels"}) == 302
    run = TrainingRun.objects.get()
    assert (run.person, run.why) == (manager, "more labels")
    waiting = page(manager, f"{base}{run.pk}/")
    assert "hx-get" in waiting
    assert "Cancel the run" in waiting
    assert "A run is not over yet" in page(manager, base)
    work.work(run.pk)
    done = page(manager, f"{base}{run.pk}/")
    run.refresh_from_db()
    assert run.model is not None
    assert run.model.name in done
    assert "every 5s" not in done  # what is over is not asked for any more
    assert "Weights against selective labels" in done
    assert post(manager, f"{base}{run.pk}/draft/", {"why": ""}) == 422
    assert post(manager, f"{base}{run.pk}/draft/", {"why": "it ranks better"}) == 302
    draft = Policy.objects.get(queue=queue, state="draft")
    assert (draft.model, draft.why) == (run.model, "it ranks better")


def test_a_step_that_broke_carries_its_error() -> None:
    run = trained(labelled_queue(30))
    told = page(make_user("manager", run.queue), f"/policy/{run.queue.slug}/training/{run.pk}/")
    step = told.split('<li class="step is-failed">')[1].split("</li>")[0]
    assert "Checks" in step
    assert "At least 20 rows of each answer" in step
    assert told.count('<li class="step ') == 12
    assert "use-title" not in told  # there is no model to draft a policy for


def test_why_it_failed_is_said_in_the_readers_language() -> None:
    run = trained(labelled_queue(30))
    client = Client(headers={"Accept-Language": "zh-hans"})
    client.force_login(make_user("manager", run.queue))
    told = client.get(f"/policy/{run.queue.slug}/training/{run.pk}/").content.decode()
    assert told.count("每种答案至少需要 20 行") == 4  # notice, graph, table and log
    assert "At least" not in told


def test_who_only_reads_starts_and_cancels_nothing() -> None:
    queue = labelled_queue()
    run, auditor = make_run(queue), make_user("auditor", queue)
    assert "Cancel the run" not in page(auditor, f"/policy/{queue.slug}/training/{run.pk}/")
    assert "Train on all labels" not in page(auditor, f"/policy/{queue.slug}/training/")


def test_a_queue_without_a_pipeline_and_one_with_triggers_say_so() -> None:
    plain = make_queue()
    assert "names no pipeline" in page(make_user("manager", plain), f"/policy/{plain.slug}/training/")
    rules = Training(after_labels=500, every=timedelta(days=7), on_drift=True)
    queue = labelled_queue(5, training=rules)
    told = page(make_user("manager", queue), f"/policy/{queue.slug}/training/")
    assert "after 500 new labels" in told
    assert "an alert that says the data moved" in told


def test_cancelling_is_told_until_the_worker_stops() -> None:
    queue = labelled_queue()
    manager = make_user("manager", queue)
    run = runs.take(runs.start(queue=queue, by=None, at=NOON).pk, NOON)
    assert run is not None
    assert post(manager, f"/policy/{queue.slug}/training/{run.pk}/cancel/") == 302
    assert "It is being cancelled" in page(manager, f"/policy/{queue.slug}/training/{run.pk}/live/")


def test_the_moving_part_is_sent_again_only_where_something_moved() -> None:
    queue = labelled_queue(5)
    run, client = make_run(queue), Client()
    client.force_login(make_user("manager", queue))
    path = f"/policy/{queue.slug}/training/{run.pk}/live/"
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    TrainingRun.objects.update(progress=40)
    assert "HX-Refresh" not in client.get(path, headers={"If-None-Match": first["ETag"]})
    TrainingRun.objects.update(state="failed", ended_at=NOON)
    assert client.get(path)["HX-Refresh"] == "true"  # it is over: the whole page is loaded anew


def test_runs_of_another_queue_are_not_found_and_pages_follow_each_other() -> None:
    queue, other = make_queue(), make_queue()
    for _ in range(22):
        make_run(queue, state="failed", ended_at=NOON)
    manager = make_user("manager", queue)
    first = page(manager, f"/policy/{queue.slug}/training/")
    assert first.count("/training/") > 20
    assert "?after=" in first
    client = Client()
    client.force_login(manager)
    assert client.get(f"/policy/{queue.slug}/training/{make_run(other).pk}/").status_code == 404


def test_a_models_page_leads_to_the_run_that_made_it() -> None:
    run = trained(labelled_queue())
    assert run.model is not None
    told = page(make_user("manager", run.queue), f"/policy/{run.queue.slug}/models/{run.model.name}/")
    assert f"/policy/{run.queue.slug}/training/{run.pk}/" in told
