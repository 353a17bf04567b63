"""What starts a training run when nobody asks: new labels, time gone by, an alert that says the data moved."""

from datetime import datetime

from django.db.models import QuerySet

from decisions.exceptions import Conflict
from decisions.learning import runs
from decisions.models import Alert, Label, Queue, TrainingRun

Trigger = TrainingRun.Trigger
# Alerts that say that what arrives, or what people make of it, is not what it was.
DRIFT = (
    Alert.Kind.PRECISION,
    Alert.Kind.VOLUME,
    Alert.Kind.SCORES,
    Alert.Kind.MISSING,
    Alert.Kind.UNSEEN,
    Alert.Kind.OVERRIDES,
)


def start_due(at: datetime) -> list[TrainingRun]:
    """Ask for the runs that are due by the specs of queues; a queue of which one is open gets no second."""
    queues = Queue.objects.filter(version__isnull=False).select_related("version").order_by("pk")
    return [run for queue in queues if (run := _start(queue, at))]


def _start(queue: Queue, at: datetime) -> TrainingRun | None:
    if not queue.spec.training.is_by_itself:
        return None
    found = due(queue, at)
    if found is None:
        return None
    trigger, alert = found
    try:
        return runs.start(queue=queue, by=None, at=at, trigger=trigger, alert=alert)
    except Conflict:  # a person was faster
        return None


def due(queue: Queue, at: datetime) -> tuple[Trigger, Alert | None] | None:
    """Return why a queue's model is due to be trained again, None where it is not.

    What counts is what came since the last run was asked for, however that ended: a run that failed for want of
    labels is not tried over and over. Without a new label there is nothing new to learn.
    """
    asked = queue.spec.training
    last = TrainingRun.objects.filter(queue=queue).order_by("-pk").first()
    if last and (last.is_open or at < last.asked_at + asked.rest):
        return None
    new = Label.objects.filter(queue=queue, no__gt=last.last_no if last else 0)
    if not new.exists():
        return None
    if asked.on_drift and (alert := _drifted(queue, last).first()):
        return Trigger.DRIFT, alert
    if asked.after_labels is not None and new[asked.after_labels - 1 : asked.after_labels].exists():
        return Trigger.LABELS, None
    if asked.every is not None and (last is None or at >= last.asked_at + asked.every):
        return Trigger.SCHEDULE, None
    return None


def _drifted(queue: Queue, last: TrainingRun | None) -> QuerySet[Alert]:
    """Return the open alerts that no run has answered yet, the oldest first."""
    found = Alert.objects.open().filter(queue=queue, kind__in=DRIFT)
    if last:
        found = found.filter(opened_at__gt=last.asked_at)
    return found.order_by("opened_at")
