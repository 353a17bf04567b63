"""Training runs: asked for once, taken up by one worker, fenced, cancelled, recovered, each change with its event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_django import Settings

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.learning import fitting, graph, registry, runs, told, work
from decisions.learning.fitting import Step
from decisions.learning.graph import Mark
from decisions.models import DataSet, Event, ModelVersion, Queue, TrainingRun
from decisions.record import log
from decisions.routing import publish
from tests.decisions.learning.world import TEXTS, label, labelled_queue, payloads
from tests.factories import NOON, make_queue, make_spec, make_user

pytestmark = pytest.mark.django_db
State = TrainingRun.State


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def start(queue: Queue, **given: Any) -> TrainingRun:
    return runs.start(queue=queue, by=given.pop("by", None), at=given.pop("at", NOON), **given)


def ended(queue: Queue, **given: Any) -> TrainingRun:
    """Ask for a run and let a worker see it to its end."""
    run = start(queue, **given)
    work.work(run.pk)
    run.refresh_from_db()
    return run


def kinds(queue: Queue) -> list[str]:
    return [event.kind for event in Event.objects.filter(chain=queue.pk, kind__startswith="training.").order_by("seq")]


def said(run: TrainingRun) -> list[str]:
    return [told.line(one) for one in runs.lines(run)]


def test_a_run_goes_all_the_way_and_says_so() -> None:
    queue = labelled_queue()
    manager = make_user("manager", queue)
    run = ended(queue, by=manager, why="more labels")
    assert (run.state, run.error, run.progress) == (State.DONE, "", 100)
    assert run.model is not None
    assert run.data_set is not None
    assert run.model.data_set == run.data_set.name
    assert registry.is_whole(run.model)
    assert kinds(queue) == ["training.asked", "training.started", "training.done"]
    trained = Event.objects.filter(kind="model.trained").values_list("actor", flat=True)
    assert list(trained) == [manager.pk, manager.pk]  # the simpler model, then the model
    assert {node.key: node.mark for node in graph.of(run)} == {
        **dict.fromkeys(Step.values, Mark.DONE),
        "policy": Mark.WAITING,
        "live": Mark.WAITING,
    }
    assert all(node.version for node in graph.of(run)[:-2])
    assert any("can" in line or "left out" in line for line in said(run))
    assert said(run)[-1].startswith(f"The model {run.model.name} is stored.")


def test_the_same_labels_give_the_same_model_without_fitting_again(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = labelled_queue()
    first = ended(queue)
    monkeypatch.setattr(fitting, "learn", lambda *_: pytest.fail("fitted again"))
    again = ended(queue)
    assert (again.state, again.model_id, again.data_set_id) == (State.DONE, first.model_id, first.data_set_id)
    assert Event.objects.filter(kind="model.trained").count() == 2  # of the model and of the simpler one
    marks = {node.key: node.mark for node in graph.of(again)}
    assert (marks["features"], marks["fit"], marks["model"]) == (Mark.DONE, Mark.KEPT, Mark.DONE)


def test_more_labels_give_another_model() -> None:
    queue = labelled_queue()
    first = ended(queue)
    (extra,), _truth = payloads(1, seed=8)
    label(queue, extra, 1, no=500)
    assert ended(queue).model_id != first.model_id


def few(queue: Queue) -> None:
    for no, payload in enumerate(payloads(30)[0]):
        label(queue, payload, no % 2, no=no)


def one_answer(queue: Queue) -> None:
    for no, payload in enumerate(payloads(60)[0]):
        label(queue, payload, 0, no=no)


def late(queue: Queue) -> None:
    for no, payload in enumerate(payloads(600)[0][:150]):
        label(queue, payload, int(no >= 130), no=no)


# what the labels are, and what the page says of it, at which step
@pytest.mark.parametrize(
    ("fill", "error", "step"),
    [
        (few, "At least 20 rows of each answer", "checks"),
        (one_answer, "there are 0 positive and 60 negative", "checks"),
        (late, "only in the latest rows", "split"),
    ],
)
def test_what_cannot_teach_fails_in_words_at_its_step(fill: Callable[[Queue], None], error: str, step: str) -> None:
    queue = labelled_queue(0)
    fill(queue)
    run = ended(queue)
    assert (run.state, run.step) == (State.FAILED, step)
    assert error in run.error
    broken = [node for node in graph.of(run) if node.mark == Mark.FAILED]
    assert [(node.key, node.error) for node in broken] == [(step, run.error)]
    assert kinds(queue)[-1] == "training.failed"
    assert not ModelVersion.objects.filter(queue=queue, kind="pipeline").exists()


def test_a_text_queue_is_trained() -> None:
    run = ended(labelled_queue(model=TEXTS))
    assert run.model is not None
    assert run.model.metrics["auc"] > 0.7


def test_texts_without_words_are_said_and_quote_nothing() -> None:
    queue = labelled_queue(0, model=TEXTS)
    for no in range(60):
        label(queue, {"text": "!"}, no % 2, no=no)
    run = ended(queue)
    assert (run.state, run.step) == (State.FAILED, "candidates")
    assert "no words to learn from" in run.error


def test_an_unforeseen_error_is_named_and_never_quotes_a_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_named: Any) -> None:
        raise ValueError("could not convert string to float: 'Jane Roe'")

    monkeypatch.setattr(fitting, "split", broken)
    run = ended(labelled_queue())
    assert run.state == State.FAILED
    assert run.error == "ValueError: the server's log says where."


def test_nobody_asks_without_the_right_a_pipeline_or_labels() -> None:
    queue = labelled_queue()
    with pytest.raises(Forbidden, match="train"):
        start(queue, by=make_user("auditor", queue))
    with pytest.raises(Invalid):
        start(make_queue())
    with pytest.raises(Conflict):
        start(labelled_queue(0))
    assert not TrainingRun.objects.exists()


def test_a_queue_has_one_open_run() -> None:
    queue, other = labelled_queue(30), labelled_queue(30)
    start(queue)
    with pytest.raises(Conflict):
        start(queue)
    start(other)
    assert TrainingRun.objects.open().count() == 2


def test_only_so_many_are_offered_to_workers_at_once(settings: Settings) -> None:
    first, second = start(labelled_queue(30)), start(labelled_queue(30))
    assert runs.waiting() == [first.pk]
    settings.TRAINING_AT_ONCE = 2
    assert runs.waiting() == [first.pk, second.pk]
    runs.take(first.pk, NOON)
    assert runs.waiting() == [second.pk]
    settings.TRAINING_AT_ONCE = 1
    assert runs.waiting() == []


def test_a_run_that_is_at_work_or_over_is_not_taken_up_again() -> None:
    run = start(labelled_queue())
    assert runs.take(run.pk, NOON)
    assert runs.take(run.pk, NOON) is None
    work.work(run.pk)  # the message came a second time
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.RUNNING, 1)
    assert runs.take(10**9, NOON) is None


def test_a_waiting_run_is_cancelled_at_once() -> None:
    queue = labelled_queue(30)
    run, manager = start(queue), make_user("manager", queue)
    runs.cancel(run_id=run.pk, by=manager, at=NOON)
    run.refresh_from_db()
    assert (run.state, run.cancelled_by) == (State.CANCELLED, manager)
    assert Event.objects.get(kind="training.cancelled").actor == manager
    with pytest.raises(Conflict):
        runs.cancel(run_id=run.pk, by=manager, at=NOON)


def test_who_may_not_train_may_not_cancel() -> None:
    queue = labelled_queue(30)
    run = start(queue)
    with pytest.raises(Forbidden):
        runs.cancel(run_id=run.pk, by=make_user("lead", queue), at=NOON)
    with pytest.raises(NotFound):
        runs.cancel(run_id=10**9, by=make_user("manager", queue), at=NOON)


@pytest.mark.parametrize("step", ["data_set", "candidates", "calibrate", "model"])
def test_a_running_one_stops_at_the_next_part_and_leaves_no_model(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = labelled_queue()
    run, manager = start(queue), make_user("manager", queue)
    begin = work.Worker.begin

    def begun(worker: work.Worker, at_step: Step, ticks: int = 1) -> None:
        begin(worker, at_step, ticks)
        if at_step == step:
            runs.cancel(run_id=run.pk, by=manager, at=NOON)

    monkeypatch.setattr(work.Worker, "begin", begun)
    work.work(run.pk)
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert graph.of(run)[list(Step.values).index(step)].mark == Mark.CANCELLED
    assert kinds(queue) == ["training.asked", "training.started", "training.cancelled"]
    assert not ModelVersion.objects.filter(queue=queue, kind="pipeline").exists()


def test_a_worker_that_lost_its_run_writes_nothing_more() -> None:
    queue = labelled_queue()
    lost = runs.take(start(queue).pk, NOON)
    assert lost is not None
    assert runs.recover(NOON + timedelta(minutes=2)) == 1
    taken = runs.take(lost.pk, NOON + timedelta(minutes=2))
    assert taken is not None
    assert taken.attempt == 2
    writes: list[Callable[[], None]] = [
        lambda: runs.touch(lost, NOON, progress=50),
        lambda: runs.failed(lost, {"code": "too_long", "figures": {}}, NOON),
        lambda: runs.cancelled(lost, NOON),
        lambda: runs.done(lost, ModelVersion.objects.filter(queue=queue)[0], NOON),
    ]
    for write in writes:
        with pytest.raises(runs.Stopped):
            write()
    taken.refresh_from_db()
    assert (taken.state, taken.progress) == (State.RUNNING, 0)


def test_a_live_worker_keeps_its_run() -> None:
    run = runs.take(start(labelled_queue(30)).pk, NOON)
    assert run is not None
    assert runs.recover(NOON + timedelta(seconds=30)) == 0
    runs.touch(run, NOON + timedelta(seconds=50))
    assert runs.recover(NOON + timedelta(seconds=100)) == 0


def test_a_run_whose_workers_die_is_given_up_after_the_third() -> None:
    queue = labelled_queue(30)
    run, at = start(queue), NOON
    for _ in range(runs.MOST_ATTEMPTS):
        taken = runs.take(run.pk, at)
        assert taken is not None
        work.Worker(taken).begin(Step.SPLIT)
        TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=at)
        at += timedelta(minutes=2)
        assert runs.recover(at) == 1
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "killed 3 times" in run.error
    tried = ["training.started", "training.interrupted"] * 2
    assert kinds(queue) == ["training.asked", *tried, "training.started", "training.failed"]
    assert [node.key for node in graph.of(run) if node.mark == Mark.FAILED] == ["split"]


def test_a_cancelled_run_whose_worker_died_ends() -> None:
    queue = labelled_queue(30)
    run = runs.take(start(queue).pk, NOON)
    assert run is not None
    runs.cancel(run_id=run.pk, by=make_user("manager", queue), at=NOON)
    assert runs.recover(NOON + timedelta(minutes=2)) == 1
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_a_second_attempt_uses_the_data_set_of_the_first() -> None:
    queue = labelled_queue()
    run = runs.take(start(queue).pk, NOON)
    assert run is not None
    work._rows(work.Worker(run))
    (extra,), _truth = payloads(1, seed=8)
    label(queue, extra, 1, no=500)
    runs.recover(log.now() + timedelta(minutes=2))
    work.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.DONE, 2)
    assert DataSet.objects.filter(queue=queue).count() == 1


def test_a_policy_that_pins_the_model_is_in_the_graph() -> None:

    queue = labelled_queue()
    run = ended(queue)
    publish.draft(queue=queue, changes={"model": run.model}, by=None, why="try it", at=NOON)
    nodes = {node.key: node for node in graph.of(run)}
    assert (nodes["policy"].mark, nodes["policy"].version, nodes["live"].mark) == (Mark.DONE, "2", Mark.WAITING)


def test_the_comparison_is_kept_with_the_model() -> None:
    run = ended(labelled_queue(240))
    assert run.model is not None
    kept = run.model.metrics["weighting"]
    assert kept["why"] in {"noise", "better", "too_few"}
    assert orjson.loads(orjson.dumps(kept)) == kept
    assert {"auc", "log_loss", "brier", "measured_on", "rows", "positives"} <= set(run.model.metrics)


def test_what_would_mislead_a_model_is_said_and_marks_the_checks() -> None:
    queue = labelled_queue(0)
    for no, payload in enumerate(payloads(200)[0]):
        label(queue, {**payload, "amount": float(no % 2)}, no % 2, no=no)
    run = ended(queue)
    assert run.state == State.DONE
    assert any(line.startswith("The field “amount” alone gives nearly every answer") for line in said(run))
    assert {node.key: node.mark for node in graph.of(run)}["checks"] == Mark.WARNED


def test_a_field_that_is_known_only_afterwards_is_not_learnt_from() -> None:
    fields = tuple(replace(one, after=one.name == "amount") for one in make_spec().fields)
    run = ended(labelled_queue(fields=fields))
    assert [one["name"] for one in run.recipe["features"]] == ["words", "kind"]
