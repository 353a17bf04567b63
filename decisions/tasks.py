"""Celery's doors to the core. Each may run twice, and what one run leaves the next one finds."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import shared_task
from django.core.cache import cache

from decisions import requests
from decisions.effects import deliver, notices
from decisions.learning import datasets, labels, push, runs, shadow_scores, similar, triggers, work
from decisions.measure import rollups
from decisions.record import checkpoint, log
from decisions.routing import frames, guard
from decisions.watch import backlog, books, filters, look, overload, pauses
from decisions.work import grading, second, sweep

WAITS = 60  # seconds after which a run that no worker took is offered anew
TURN_SECONDS = 30  # after which a run that was killed no longer keeps the next one waiting


@shared_task
def deliver_due() -> None:
    """Tell the world what is due."""
    with turn("deliver_due") as is_mine:
        if is_mine:
            deliver.deliver_due(log.now())


@shared_task
def feed_labels() -> None:
    """Turn final rulings into labels."""
    labels.feed_due(log.now())


@shared_task
def push_labels() -> None:
    """Send labels to the endpoints that take them."""
    with turn("push_labels") as is_mine:
        if is_mine:
            push.push_due(log.now())


@shared_task
def sweep_leases() -> None:
    """Give back what people hold past their lease."""
    sweep.lapse(log.now())
    sweep.free(log.now())


@shared_task
def grade_people() -> None:
    """Count how often people err, and how much of their work is checked because of it."""
    grading.regrade_all(log.now())


@shared_task
def expire_overdue() -> None:
    """Apply the expiry rule to what nobody took in time, and end what waited too long for a second person."""
    sweep.expire(log.now())
    second.expire(log.now())


@shared_task
def roll_up() -> None:
    """Bring the figures of the pages up to date."""
    rollups.roll_up(log.now())


@shared_task
def guard_canaries() -> None:
    """Stop canaries of which a sign is off."""
    guard.watch(log.now())


@shared_task
def relieve_overload() -> None:
    """Take or release overload rules."""
    overload.relieve_all(log.now())


@shared_task
def watch_signals() -> None:
    """Look for signals that are off, and open alerts."""
    at = log.now()
    backlog.check_all(at)
    pauses.check_all(at)
    filters.check_all(at)
    look.check_all(at)


@shared_task
def check_accounts() -> None:
    """See that everything that was accepted is somewhere."""
    books.check_all(log.now())


@shared_task
def send_notices() -> None:
    """Tell people and receivers of alerts."""
    with turn("send_notices") as is_mine:
        if is_mine:
            notices.send_due(log.now())


@shared_task
def close_frames() -> None:
    """Draw audits from what was passed on days that are over."""
    frames.close_due(log.now())


@shared_task
def freeze_data_sets() -> None:
    """Take erased items out of data sets, and freeze new ones where enough labels came."""
    datasets.forget_erased()
    datasets.freeze_ripe(log.now())


@shared_task
def keep_similar() -> None:
    """Keep the newest decided items at hand, to be shown beside others like them."""
    similar.refresh_all()


@shared_task
def score_shadows() -> None:
    """Let the models in shadow score what arrived."""
    with turn("score_shadows") as is_mine:
        if is_mine:
            shadow_scores.sweep(log.now())


@shared_task
def tend_training() -> None:
    """Take runs from workers that died, and give those that wait to a worker."""
    runs.recover(log.now())
    for run_id in runs.waiting():
        train.apply_async((run_id,), expires=WAITS, retry=False)


@shared_task
def trigger_training() -> None:
    """Ask for the training runs that are due by themselves."""
    triggers.start_due(log.now())


@shared_task(soft_time_limit=work.SOFT_LIMIT, time_limit=work.LIMIT)
def train(run_id: int) -> None:
    """Work on a training run; one that another worker has, or that is over, is left alone."""
    work.work(run_id)


@shared_task
def sign_heads() -> None:
    """Leave a signed checkpoint of the record outside the database, once an hour."""
    checkpoint.deposit(log.now())


@shared_task
def forget_requests() -> None:
    """Drop the answers of calls that nobody will repeat any more."""
    requests.forget(log.now())


@contextmanager
def turn(name: str) -> Iterator[bool]:
    """Say whether it is this run's turn, so that slow receivers do not take up all workers.

    Good manners only: two runs at once do no harm.
    """
    is_mine = cache.add(f"turn:{name}", 1, timeout=TURN_SECONDS)
    try:
        yield is_mine
    finally:
        if is_mine:
            cache.delete(f"turn:{name}")
