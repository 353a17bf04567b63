"""What starts a run by itself: labels, time and alerts, each as the queue's spec says, and never a second one."""

from datetime import timedelta
from typing import Any

import pytest

from decisions.learning import runs, triggers
from decisions.models import Alert, TrainingRun
from decisions.queues.spec_training import Training
from tests.decisions.learning.world import label, labelled_queue, payloads
from tests.decisions.watch.alerting import make_alert
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BY_LABELS, DAILY, BY_ALERT = Training(after_labels=50), Training(every=DAY), Training(on_drift=True)


def asked(at: Any) -> list[tuple[str, int]]:
    return [(run.trigger, run.queue_id) for run in triggers.start_due(at)]


def end(run: TrainingRun) -> None:
    """End a run as if nothing had come of it."""
    runs.cancel(run_id=run.pk, by=make_user("manager", run.queue), at=NOON)


def more(queue: Any, count: int) -> None:
    for no, payload in enumerate(payloads(count)[0]):
        label(queue, payload, no % 2, no=no)


def test_a_queue_that_says_nothing_is_left_to_people() -> None:
    labelled_queue(60)
    assert asked(NOON) == []


def test_enough_new_labels_start_a_run_and_it_counts_from_the_last_one() -> None:
    queue = labelled_queue(49, training=BY_LABELS)
    assert asked(NOON) == []
    more(queue, 1)
    assert asked(NOON) == [("labels", queue.pk)]
    assert asked(NOON + DAY) == []  # it is not over
    end(TrainingRun.objects.get())
    more(queue, 49)
    assert asked(NOON + DAY) == []  # it failed or was cancelled: those labels are not counted again
    more(queue, 1)
    assert asked(NOON + DAY) == [("labels", queue.pk)]


def test_time_starts_a_run_where_anything_new_came() -> None:
    queue = labelled_queue(5, training=DAILY)
    assert asked(NOON) == [("schedule", queue.pk)]
    end(TrainingRun.objects.get())
    assert asked(NOON + 2 * DAY) == []
    more(queue, 1)
    assert asked(NOON + DAY - HOUR) == []
    assert asked(NOON + DAY) == [("schedule", queue.pk)]


def test_an_alert_starts_one_run_and_not_another() -> None:
    queue = labelled_queue(5, training=BY_ALERT)
    given = {"kind": "backlog", "level": "warn", "began_at": NOON, "opened_at": NOON, "seen_at": NOON}
    Alert.objects.create(queue=queue, **given)
    assert asked(NOON) == []  # that more comes than people can do teaches no model
    alert = make_alert(queue, NOON)
    assert asked(NOON) == [("drift", queue.pk)]
    run = TrainingRun.objects.get()
    assert run.alert == alert
    end(run)
    more(queue, 1)
    assert asked(NOON + DAY) == []


def test_two_runs_that_nobody_asked_for_leave_each_other_time() -> None:
    queue = labelled_queue(60, training=BY_LABELS)
    runs.start(queue=queue, by=None, at=NOON)
    end(TrainingRun.objects.get())
    more(queue, 60)
    assert asked(NOON + timedelta(minutes=59)) == []
    assert asked(NOON + HOUR) == [("labels", queue.pk)]


def test_a_run_that_a_person_asked_for_meanwhile_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = labelled_queue(60, training=BY_LABELS)
    runs.start(queue=queue, by=None, at=NOON)
    monkeypatch.setattr(triggers, "due", lambda *_: (TrainingRun.Trigger.LABELS, None))
    assert asked(NOON) == []
    assert TrainingRun.objects.count() == 1
