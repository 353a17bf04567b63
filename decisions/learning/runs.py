"""The life of a training run: asked for, taken up by a worker, watched, cancelled, taken up again when one died.

A run is fenced: each worker that takes it up gets the next number of its attempts, and what one with an earlier number
writes is refused. So two workers never write to one run, and a queue has one open run at most.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from decisions import hints, locks, rights
from decisions.exceptions import Conflict, NotFound
from decisions.learning import recipe, told
from decisions.models import Alert, Event, Label, ModelVersion, Queue, TrainingLine, TrainingRun, User
from decisions.record import log
from decisions.rights import Act

State = TrainingRun.State
Trigger = TrainingRun.Trigger

BEAT = 5.0  # seconds between two signs of life of a worker
LAPSE = timedelta(seconds=60)  # without one, after which a run is taken from its worker
MOST_ATTEMPTS = 3  # a run that takes its worker with it so often is given up
LOG_SHOWN = 300


class Stopped(Exception):  # noqa: N818 - what happens to the work, not a fault
    """A run is not this worker's any more."""


class Cancelled(Stopped):
    """A person cancelled the run."""


@transaction.atomic
def start(
    *,
    queue: Queue,
    by: User | None,
    at: datetime,
    trigger: Trigger = Trigger.HAND,
    why: str = "",
    alert: Alert | None = None,
) -> TrainingRun:
    """Ask for a run. Refuses a queue without a pipeline or labels, and one of which a run is open.

    `by` None is the machine: a trigger of the queue's spec.
    """
    if by is not None:
        rights.require(by, Act.TRAIN, queue_id=queue.pk)
    recipe.require_pipeline(queue.spec)
    _lock(queue.pk)
    if TrainingRun.objects.open().filter(queue=queue).exists():
        raise Conflict(_("A training run of this queue is not over yet."))
    last = Label.objects.filter(queue=queue).aggregate(last=Max("no"))["last"]
    if last is None:
        raise Conflict(_("There are no labels yet."))
    run = TrainingRun.objects.create(
        queue=queue, trigger=trigger, person=by, alert=alert, why=why, last_no=last, asked_at=at
    )
    entry = {"run": run.pk, "trigger": trigger.value, "alert": alert.pk if alert else None, "last": last}
    log.append(Event.Kind.TRAINING_ASKED, chain=queue.pk, actor=by, at=at, entry=entry)
    hints.on_commit("tend_training")
    return run


@transaction.atomic
def cancel(*, run_id: int, by: User, at: datetime) -> TrainingRun:
    """Cancel a run: at once where it waits or nobody works on it, else its worker stops between two parts of a step.

    Refuses one that is over; asking twice is as once.
    """
    run = _locked(run_id)
    if run is None:
        raise NotFound
    rights.require(by, Act.TRAIN, queue_id=run.queue_id)
    if not run.is_open:
        raise Conflict(_("This training run is over."))
    if not run.is_being_cancelled:
        run.cancelled_by = by
        run.save(update_fields=["cancelled_by"])
        write(run, "cancel_asked", at)
    if run.state == State.QUEUED:
        _end(run, State.CANCELLED, at)
    return run


@transaction.atomic
def take(run_id: int, at: datetime) -> TrainingRun | None:
    """Take up a run that waits; None where there is none, or another worker has it."""
    run = _locked(run_id)
    if run is None or run.state != State.QUEUED:
        return None
    run.state, run.attempt = State.RUNNING, run.attempt + 1
    run.started_at, run.heartbeat_at = run.started_at or at, at
    run.step, run.progress, run.steps = "", 0, {}
    run.save()
    write(run, "started" if run.attempt == 1 else "again", at, attempt=run.attempt)
    entry = {"run": run.pk, "attempt": run.attempt}
    log.append(Event.Kind.TRAINING_STARTED, chain=run.queue_id, actor=run.person, at=at, entry=entry)
    return run


def touch(run: TrainingRun, at: datetime, **changes: Any) -> None:
    """Write a sign of life and what changed; raises where the run was cancelled or is another worker's by now."""
    mine = TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt, state=State.RUNNING)
    if not mine.filter(cancelled_by=None).update(heartbeat_at=at, **changes):
        raise Cancelled if mine.exists() else Stopped


@transaction.atomic
def done(run: TrainingRun, model: ModelVersion, at: datetime) -> None:
    """End a run that made a model, or came to one that was there; with the model's own row it is one transaction."""
    held = _mine(run)
    held.model, held.progress, held.steps = model, 100, run.steps
    write(held, "done", at, model=model.name)
    _end(held, State.DONE, at)


@transaction.atomic
def cancelled(run: TrainingRun, at: datetime) -> None:
    """End a run that its worker stopped."""
    held = _mine(run)
    held.steps = run.steps
    _end(held, State.CANCELLED, at)


@transaction.atomic
def failed(run: TrainingRun, why: Mapping[str, Any], at: datetime) -> None:
    """End a run that cannot go on; `why` is a code of `told.ERRORS` with its figures."""
    held = _mine(run)
    held.steps = run.steps
    _break(held, why)
    write(held, "failed", at, why=dict(why))
    _end(held, State.FAILED, at)


def waiting() -> list[int]:
    """Return the runs that may be taken up now, the oldest first: so many that not too many are at work at once."""
    free = settings.TRAINING_AT_ONCE - TrainingRun.objects.filter(state=State.RUNNING).count()
    found = TrainingRun.objects.filter(state=State.QUEUED).order_by("pk").values_list("pk", flat=True)
    return list(found[: max(0, free)])


def recover(at: datetime) -> int:
    """Take runs from workers that give no sign of life any more; return how many.

    Each waits again for another worker, is given up after the third, or is cancelled where somebody had asked for it.
    """
    lost = TrainingRun.objects.filter(state=State.RUNNING, heartbeat_at__lt=at - LAPSE)
    return sum(_recover(pk, at) for pk in lost.values_list("pk", flat=True))


def write(run: TrainingRun, code: str, at: datetime, **figures: Any) -> None:
    """Write a line of a run's log."""
    TrainingLine.objects.create(run=run, attempt=run.attempt, step=run.step, code=code, figures=figures, at=at)


def lines(run: TrainingRun) -> list[TrainingLine]:
    """Return the last lines of a run's log, oldest first."""
    return list(run.lines.order_by("-pk")[:LOG_SHOWN])[::-1]


@contextmanager
def alive(run: TrainingRun) -> Iterator[None]:
    """Give signs of life from a thread while a long part is at work."""
    stop = Flag()
    thread = Thread(target=_beat, args=(run.pk, run.attempt, stop), name=f"training {run.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(run_id: int, attempt: int, stop: Flag) -> None:
    """Write signs of life until told to stop; the connection is this thread's own."""
    try:
        while not stop.wait(BEAT):
            mine = TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING)
            mine.update(heartbeat_at=log.now())
    finally:
        connection.close()


@transaction.atomic
def _recover(run_id: int, at: datetime) -> bool:
    run = _locked(run_id)
    if run is None or run.state != State.RUNNING or run.heartbeat_at is None or run.heartbeat_at >= at - LAPSE:
        return False
    if run.is_being_cancelled:
        _end(run, State.CANCELLED, at)
    elif run.attempt >= MOST_ATTEMPTS:
        _break(run, {"code": "killed", "figures": {"count": run.attempt}})
        write(run, "given_up", at, count=run.attempt)
        _end(run, State.FAILED, at)
    else:
        run.state = State.QUEUED
        run.save()
        write(run, "lost", at)
        entry = {"run": run.pk, "attempt": run.attempt, "step": run.step}
        log.append(Event.Kind.TRAINING_INTERRUPTED, chain=run.queue_id, actor=None, at=at, entry=entry)
    return True


def _break(run: TrainingRun, why: Mapping[str, Any]) -> None:
    """Note why a run failed: at its step for people in any language, and in words for other programs."""
    run.steps[run.step] = {**run.steps.get(run.step, {}), "state": "failed", "error": dict(why)}
    run.error = told.error(why)


ENDS = {
    State.DONE: Event.Kind.TRAINING_DONE,
    State.FAILED: Event.Kind.TRAINING_FAILED,
    State.CANCELLED: Event.Kind.TRAINING_CANCELLED,
}


def _end(run: TrainingRun, state: State, at: datetime) -> None:
    """Close a run that is held, with its event."""
    run.state, run.ended_at = state, at
    run.save()
    entry = {"run": run.pk, "attempt": run.attempt, "step": run.step, "model": run.model_id}
    by = run.cancelled_by if state == State.CANCELLED else run.person
    log.append(ENDS[state], chain=run.queue_id, actor=by, at=at, entry=entry)


def _mine(run: TrainingRun) -> TrainingRun:
    """Return the run as it is stored, locked; raises where it is not this worker's any more."""
    held = _locked(run.pk)
    if held is None or held.state != State.RUNNING or held.attempt != run.attempt:
        raise Stopped
    return held


def _locked(run_id: int) -> TrainingRun | None:
    """Return a run under its queue's lock and its own."""
    queue_id = TrainingRun.objects.filter(pk=run_id).values_list("queue", flat=True).first()
    if queue_id is None:
        return None
    _lock(queue_id)
    return TrainingRun.objects.select_for_update(of=("self",)).select_related("queue__version").get(pk=run_id)


def _lock(queue_id: int) -> None:
    """Let nobody else start or take a run of this queue until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.TRAINING, queue_id])
