"""Opens an alert where so much more comes than usual that deadlines will be missed: on the trend, not on the level."""

from datetime import datetime

from decisions.measure import sla, surge
from decisions.measure.surge import Surge
from decisions.models import Alert, Policy, Queue, Task
from decisions.record import digest
from decisions.watch import alerts, rounds


def check_all(at: datetime) -> int:
    """Look at every queue that routes; return how many will miss deadlines."""
    queues = Queue.objects.exclude(version=None).filter(policies__state=Policy.State.LIVE)
    watched = queues.select_related("version").order_by("pk")
    return rounds.of(watched, lambda queue: check(queue, at) is not None, broken="queues whose backlog was not judged")


def check(queue: Queue, at: datetime) -> Surge | None:
    """Look at one queue, and tell of what would miss its deadlines; a surge that people can take is none."""
    found = surge.find(queue, at)
    if found is None or found.breach_by is None:
        return None
    is_near = found.breach_by <= sla.due(queue.spec, queue.spec.sla_of(Task.Purpose.SOFT), at)
    alerts.see(
        queue=queue,
        kind=Alert.Kind.BACKLOG,
        level=Alert.Level.ACT if is_near else Alert.Level.WARN,
        figures={
            "demand": round(found.seen, 2),
            "usual": round(found.usual, 2),
            "first_breach": digest.moment(found.breach_by),
        },
        began_at=found.since,
        at=at,
    )
    return found
