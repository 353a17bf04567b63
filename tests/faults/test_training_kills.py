"""kill -9 in mid-training, two workers at one run, and the same model from two processes."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from decisions.exceptions import Conflict
from decisions.learning import registry, runs, work
from decisions.learning.fitting import Step
from decisions.models import Event, ModelVersion, Policy, Queue, TrainingRun
from decisions.record import log, proof
from tests.databases import Clone
from tests.decisions.learning.world import labelled_queue
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
State = TrainingRun.State


def trainer(clone: Clone, folder: Path, *words: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**clone.environment, "DATA_DIR": str(folder), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-m", "tests.faults.trainer", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def lapse(at: timedelta = runs.LAPSE * 2) -> int:
    """Let time go by until a worker that gives no sign of life counts as dead."""
    return runs.recover(log.now() + at)


def no_half_state(queue: Queue) -> None:
    """One policy is live as before, every model that is stored is whole, and the record is sound."""
    assert Policy.objects.live().filter(queue=queue).count() == 1
    assert all(registry.is_whole(model) for model in ModelVersion.objects.filter(queue=queue, kind="pipeline"))
    assert proof.verify(queue.pk).bad == ()


@pytest.mark.slow
def test_a_worker_killed_at_any_step_leaves_no_half_model(
    committed_db: Clone, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    queue = labelled_queue(160)
    manager = make_user("manager", queue)
    for step in Step.values:
        run = runs.start(queue=queue, by=None, at=log.now())
        killed = trainer(committed_db, tmp_path, "kill", str(run.pk), step)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        run.refresh_from_db()
        assert (run.state, run.step, run.model_id) == (State.RUNNING, step, None)
        assert not ModelVersion.objects.filter(queue=queue, kind="pipeline").exists()
        no_half_state(queue)
        assert lapse() == 1
        assert runs.waiting() == [run.pk]
        if step != Step.values[-1]:
            runs.cancel(run_id=run.pk, by=manager, at=log.now())
    work.work(run.pk)  # the last one is taken up again, and comes to its end
    run.refresh_from_db()
    assert (run.state, run.attempt, run.error) == (State.DONE, 2, "")
    assert ModelVersion.objects.filter(queue=queue, kind="pipeline").count() == 1
    no_half_state(queue)


@pytest.mark.slow
def test_two_processes_come_to_the_same_model(committed_db: Clone, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    run = runs.take(runs.start(queue=labelled_queue(160), by=None, at=log.now()).pk, log.now())
    assert run is not None
    told = {trainer(committed_db, tmp_path, "name", str(run.pk), seed=seed).stdout for seed in ("1", "2")}
    assert len(told) == 1
    lapse()
    work.work(run.pk)
    made = ModelVersion.objects.get(kind="pipeline")
    assert told == {f"{made.name} {made.sha256}"}


def test_a_second_worker_waits_for_the_first_to_take_a_run_and_then_leaves_it(
    committed_db: Clone, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    run = runs.start(queue=labelled_queue(5), by=None, at=log.now())

    def other() -> TrainingRun | None:
        try:
            return runs.take(run.pk, log.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert runs.take(run.pk, log.now())
            second = pool.submit(other)  # the first one's is not committed yet
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        assert second.result(timeout=10) is None
    assert Event.objects.filter(kind="training.started").count() == 1


def test_two_who_ask_at_once_start_one_run(committed_db: Clone, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    queue = labelled_queue(5)

    def other() -> str:
        try:
            runs.start(queue=queue, by=None, at=log.now())
        except Conflict:
            return "refused"
        finally:
            connection.close()
        return "started"

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            runs.start(queue=queue, by=None, at=log.now())
            second = pool.submit(other)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        assert second.result(timeout=10) == "refused"
    assert TrainingRun.objects.filter(queue=queue).count() == 1
