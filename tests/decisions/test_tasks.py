"""Celery's doors: every one that beat opens is there, may run twice, and a slow one does not run beside itself."""

from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from pytest_django import Settings

from decisions import tasks
from decisions.effects import deliver
from decisions.learning import runs
from decisions.models import TrainingRun
from decisions.queues.spec_training import Training
from tests.decisions.learning.world import labelled_queue
from tests.factories import NOON

NAMES = sorted(str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.django_db
def test_each_task_of_the_schedule_is_there_and_does_no_harm_twice(name: str) -> None:
    task = current_app.tasks[name]
    task()
    task()


def test_the_schedule_and_the_doors_are_the_same() -> None:
    doors = {name for name in current_app.tasks if name.startswith("decisions.tasks.")}
    assert doors - {"decisions.tasks.train"} == set(NAMES)  # that one is told which run, by `tend_training`


@pytest.mark.django_db
def test_deliveries_leave_a_run_that_is_under_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(deliver, "deliver_due", done.append)
    with tasks.turn("deliver_due") as is_mine:
        assert is_mine
        tasks.deliver_due()
    assert done == []
    tasks.deliver_due()
    assert len(done) == 1


@pytest.mark.django_db
def test_a_run_that_fails_gives_its_turn_back() -> None:
    with pytest.raises(ZeroDivisionError), tasks.turn("deliver_due"):
        raise ZeroDivisionError
    with tasks.turn("deliver_due") as is_mine:
        assert is_mine


@pytest.mark.django_db
def test_a_run_whose_worker_died_is_offered_again_and_taken_up_once(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    offered: list[int] = []
    monkeypatch.setattr(tasks.train, "apply_async", lambda args, **_options: offered.extend(args))
    run = runs.start(queue=labelled_queue(), by=None, at=NOON)
    tasks.tend_training()
    runs.take(run.pk, NOON)  # by a worker that is never heard of again
    tasks.tend_training()
    assert offered == [run.pk, run.pk]
    tasks.train(run.pk)
    tasks.train(run.pk)  # both messages arrive
    tasks.tend_training()
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("done", 2)
    assert offered == [run.pk, run.pk]


@pytest.mark.django_db
def test_what_is_due_by_a_queues_file_is_asked_for() -> None:
    queue = labelled_queue(60, training=Training(after_labels=50))
    tasks.trigger_training()
    tasks.trigger_training()
    assert [run.trigger for run in TrainingRun.objects.filter(queue=queue)] == ["labels"]
