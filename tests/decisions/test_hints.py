"""Hints: sent after the commit, one for many, and never waited for."""

import time
from collections.abc import Iterator
from threading import Event as Flag

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from decisions import hints
from tests.databases import Clone


class Broker:
    """Takes messages; `is_gone` lets it refuse, `slow` lets it hang."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_gone = False
        self.tried = Flag()
        self.hang = Flag()
        self.hang.set()

    def send_task(self, name: str, **options: object) -> None:
        assert options == {"expires": hints.EXPIRES, "retry": False}
        self.tried.set()
        self.hang.wait(10)
        if self.is_gone:
            raise OperationalError("no broker")
        self.sent.append(name)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    it = Broker()
    monkeypatch.setattr(current_app, "send_task", it.send_task)
    monkeypatch.setattr(hints, "PAUSE", 0.05)
    monkeypatch.setattr(hints, "SHY", 0.05)
    hints._bell.cache_clear()
    yield it
    it.hang.set()
    hints._bell.cache_clear()


def settled(broker: Broker, count: int) -> list[str]:
    """Wait for so many messages, and a little longer for those that should not come."""
    end = time.monotonic() + 5
    while len(broker.sent) < count and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)
    return broker.sent


def test_a_hint_is_sent_after_the_commit_and_not_before(committed_db: Clone, broker: Broker) -> None:
    with transaction.atomic():
        hints.on_commit("deliver_due")
        assert settled(broker, 0) == []
    assert settled(broker, 1) == ["decisions.tasks.deliver_due"]


def test_a_transaction_that_fails_leaves_no_hint(committed_db: Clone, broker: Broker) -> None:
    with transaction.atomic():
        hints.on_commit("deliver_due")
        transaction.set_rollback(True)
    assert settled(broker, 0) == []


def test_many_at_once_become_few(committed_db: Clone, broker: Broker) -> None:
    for _ in range(1000):
        hints.on_commit("deliver_due")
    assert 1 <= len(settled(broker, 1)) <= 10


def test_a_broker_that_is_gone_harms_nobody_and_later_hints_go_out(committed_db: Clone, broker: Broker) -> None:
    broker.is_gone = True
    hints.on_commit("deliver_due")
    assert broker.tried.wait(5)
    assert settled(broker, 0) == []
    broker.is_gone = False
    hints.on_commit("deliver_due")
    assert settled(broker, 1) == ["decisions.tasks.deliver_due"]


def test_nobody_waits_for_a_broker_that_hangs(committed_db: Clone, broker: Broker) -> None:
    broker.hang.clear()
    began = time.monotonic()
    for _ in range(100):
        hints.on_commit("deliver_due")
    assert time.monotonic() - began < 0.5
