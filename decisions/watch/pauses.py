"""Tells the owner of a queue of who was paused there, by too many errors or by an onboarding set."""

from datetime import datetime

from decisions.models import Alert, Queue
from decisions.watch import alerts, rounds
from decisions.work import grading


def check_all(at: datetime) -> int:
    """Look at every queue; return how many people are paused."""
    queues = Queue.objects.exclude(version=None).select_related("version").order_by("pk")
    return rounds.of(queues, lambda queue: check(queue, at), broken="queues whose pauses were not told")


def check(queue: Queue, at: datetime) -> int:
    """Tell of a queue's pauses, without figures: how often somebody errs is for them and for leads."""
    paused = [grade for grade in grading.all_newest(queue.pk).values() if grade.is_paused]
    for grade in paused:
        alerts.see(
            queue=queue,
            kind=Alert.Kind.PAUSED,
            key=f"person:{grade.person_id}",
            level=Alert.Level.WARN,
            figures={"why": grade.why},
            began_at=grade.at,
            at=at,
        )
    return len(paused)
