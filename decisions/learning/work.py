"""What a worker does for a training run, step by step: from frozen labels to a model that is stored."""

import hashlib
import time
import traceback
from dataclasses import asdict
from typing import Any

import numpy as np
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from decisions.exceptions import Refused
from decisions.learning import checkup, datasets, examples, features, fitting, frozen, runs, selection, told, training
from decisions.learning.examples import Examples
from decisions.learning.fitting import CannotLearn, Lesson, Step
from decisions.learning.recipe import Recipe
from decisions.learning.training import Course
from decisions.models import DataSet, TrainingRun
from decisions.record import digest, log

logger = structlog.get_logger(__name__)

SOFT_LIMIT, LIMIT = 110 * 60, 120 * 60  # seconds
MOST_ROWS = 500_000  # the newest ones: a model is fitted in memory
# How much of the whole way each step is, in percent; roughly, by how long it takes.
SHARES = {
    Step.DATA_SET: 6,
    Step.CHECKS: 2,
    Step.SPLIT: 1,
    Step.FEATURES: 5,
    Step.CANDIDATES: 50,
    Step.FIT: 10,
    Step.CALIBRATE: 20,
    Step.EVALUATE: 2,
    Step.FILE: 2,
    Step.MODEL: 2,
}


class Worker:
    """Looks on for a run: writes each step, its progress and its log, and stops where the run was cancelled."""

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self._ticks, self._done, self._began = 1, 0, time.monotonic()

    def begin(self, step: Step, ticks: int = 1) -> None:
        self._ticks, self._done, self._began = ticks, 0, time.monotonic()
        self.run.step = step
        self.run.steps[step] = {"state": "running"}
        self._write()

    def tick(self) -> None:
        self._done += 1
        self._write()

    def end(self, version: Any = "", **figures: Any) -> None:
        """Note that the step is done: a version that is no text is named by its hash."""
        name = version if isinstance(version, str) else hashlib.sha256(digest.canonical(version)).hexdigest()
        before = self.run.steps[self.run.step]
        self.run.steps[self.run.step] = {
            **before,
            "state": "warned" if before.get("warned") else "done",
            "version": name,
            "seconds": round(time.monotonic() - self._began, 2),
            "figures": figures,
        }
        self._done = self._ticks
        self._write()

    def say(self, code: str, **figures: Any) -> None:
        runs.write(self.run, code, log.now(), **figures)

    def warn(self, code: str, **figures: Any) -> None:
        """Note something that a person should look at before they trust the model."""
        self.run.steps[self.run.step]["warned"] = True
        self.say(code, **figures)

    def broke(self, state: str) -> None:
        """Mark the step that was at work as where it ended."""
        if self.run.step:
            self.run.steps[self.run.step] = {**self.run.steps.get(self.run.step, {}), "state": state}

    def _write(self) -> None:
        order = list(SHARES)
        place = order.index(Step(self.run.step))
        whole = sum(SHARES[step] for step in order[:place])
        self.run.progress = min(99, round(whole + SHARES[order[place]] * self._done / self._ticks))
        changed = {name: getattr(self.run, name) for name in ("step", "steps", "progress")}
        runs.touch(self.run, log.now(), **changed)


def work(run_id: int) -> None:
    """Take up a run and see it to its end, whatever that is; what another worker has, or is over, is left alone."""
    run = runs.take(run_id, log.now())
    if run is None:
        return
    worker = Worker(run)
    try:
        with runs.alive(run):
            _train(worker)
    except runs.Cancelled:
        worker.broke("cancelled")
        runs.cancelled(run, log.now())
    except runs.Stopped:
        logger.warning("training_taken_over", run=run.pk, attempt=run.attempt)
    except SoftTimeLimitExceeded:
        _fail(worker, "too_long")
    except CannotLearn as error:
        _fail(worker, error.why, **error.figures)
    except Refused as error:
        said = [fault.detail for fault in error.faults] or [error.detail]
        _fail(worker, told.REFUSED, said=" ".join(said))
    except Exception as error:  # whatever a library raises on odd rows ends the run in words
        where = "".join(traceback.format_tb(error.__traceback__)[-4:])  # the message itself may quote a payload
        logger.error("training_failed", run=run.pk, error=type(error).__name__, where=where)
        if "empty vocabulary" in str(error):
            _fail(worker, "no_words")
        else:
            _fail(worker, "unforeseen", error=type(error).__name__)


def _fail(worker: Worker, code: str, **figures: Any) -> None:
    """End the run, with why it cannot go on kept as a code and figures at the step that broke."""
    worker.broke("failed")
    try:
        runs.failed(worker.run, {"code": code, "figures": figures}, log.now())
    except runs.Stopped:
        logger.warning("training_taken_over", run=worker.run.pk, attempt=worker.run.attempt)


def _train(worker: Worker) -> None:
    course = _course(worker)
    model = training.known(course)
    if model is None:
        model = training.made(course, worker, log.now())
    else:
        worker.say("known", model=model.name)
    training.along(course, worker, worker.run.person, log.now())
    worker.begin(Step.MODEL)
    worker.end(model.name)
    with transaction.atomic():
        runs.done(worker.run, training.recorded(model, worker.run.person), log.now())


def _course(worker: Worker) -> Course:
    """Return what is to be learnt, each step of it told."""
    run = worker.run
    rows = _rows(worker)
    assert run.data_set is not None
    _check(worker, rows)
    worker.begin(Step.SPLIT)
    folds = fitting.split(rows.truth, in_time=True)
    worker.end([[int(fold[0].size), int(fold[1].size)] for fold in folds], folds=len(folds))
    worker.begin(Step.FEATURES)
    payloads = list(rows.payloads())
    recipe = Recipe.of(run.queue.spec, payloads, in_time=True, selects=True)
    lesson = Lesson(
        x=features.matrix(payloads, recipe.features),
        y=rows.truth,
        believed=rows.weight,
        propensity=rows.propensity,
        is_judge=selection.judges(rows.provenance, rows.propensity),
    )
    course = Course(
        queue=run.queue,
        recipe=recipe,
        lesson=lesson,
        folds=folds,
        source=run.data_set.name,
        fingerprints=[
            frozen.fingerprint(payload, is_positive=bool(truth))
            for payload, truth in zip(payloads, rows.truth, strict=True)
        ],
        origin={"rows": _sealed(run.data_set), "most": MOST_ROWS},
    )
    run.recipe = {**recipe.as_json(), "model": course.name}
    runs.touch(run, log.now(), recipe=run.recipe)
    worker.end([feature.as_json() for feature in recipe.features], features=len(recipe.features))
    return course


def _rows(worker: Worker) -> Examples:
    """Freeze the data set, or take the one that an earlier attempt froze, and read it."""
    run = worker.run
    worker.begin(Step.DATA_SET, 2)
    if run.data_set is None:
        run.data_set = datasets.freeze(run.queue, log.now())
        runs.touch(run, log.now(), data_set=run.data_set)
    worker.tick()
    rows = examples.load(run.data_set)
    worker.say("rows", rows=len(rows), left_out=run.data_set.rows - len(rows))
    if len(rows) > MOST_ROWS:
        worker.warn("newest", rows=MOST_ROWS)
        rows = rows.newest(MOST_ROWS)
    worker.end(run.data_set.name, rows=len(rows))
    return rows


def _check(worker: Worker, rows: Examples) -> None:
    """Refuse what cannot teach, and say what a person should know of the rest."""
    worker.begin(Step.CHECKS)
    positives = int(rows.truth.sum())
    judges = selection.judges(rows.provenance, rows.propensity)
    figures = {
        "rows": len(rows),
        "positives": positives,
        "negatives": len(rows) - positives,
        "judges": int(judges.sum()),
        "without_propensity": int(np.isnan(rows.propensity).sum()),
    }
    worker.say("counted", **figures)
    fitting.require_enough(rows.truth)
    assert worker.run.data_set is not None
    warnings = [one for one in checkup.warnings(worker.run.data_set.manifest) if one.code in told.WARNINGS]
    for one in warnings:
        worker.warn(one.code, count=one.count, field=one.field)
    worker.end([figures, [asdict(one) for one in warnings]], **figures)


def _sealed(data_set: DataSet) -> str:
    """Return the SHA-256 of a data set's rows as they are now: what was erased since is not in them."""
    kept = datasets.manifest(datasets.path(data_set))
    sealed: str = kept["erasures"].get("file", data_set.manifest["file"])["sha256"]
    return sealed
