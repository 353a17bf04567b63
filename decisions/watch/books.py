"""Opens an alert where what was accepted and what is there differ."""

from datetime import datetime

from decisions.measure import accounts
from decisions.measure.accounts import HOUR, Account
from decisions.models import Alert, Queue
from decisions.record import digest
from decisions.watch import alerts, rounds


def check_all(at: datetime) -> int:
    """Check the accounts of every queue; return how many hours do not add up."""
    queues = Queue.objects.exclude(version=None).select_related("version").order_by("pk")
    return rounds.of(queues, lambda queue: len(check(queue, at)), broken="queues whose accounts were not checked")


def check(queue: Queue, at: datetime) -> list[Account]:
    """Check a queue's accounts and tell of each hour that does not add up."""
    found = accounts.check(queue, at)
    for account in found:
        start, end = digest.moment(account.hour), digest.moment(account.hour + HOUR)
        told = {"accepted": account.accepted, "found": sum(account.states.values()), "lost": account.lost}
        alerts.see(
            queue=queue,
            kind=Alert.Kind.ACCOUNTS,
            key=f"hour:{start}",
            level=Alert.Level.ACT,
            figures={**told, "from": start, "to": end},
            began_at=account.hour,
            at=at,
        )
    return found
