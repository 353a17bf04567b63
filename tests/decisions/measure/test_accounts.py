"""Everything that was accepted is somewhere, hour by hour; what is not is found."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from decisions.intake import parse, submit
from decisions.measure import accounts
from decisions.models import Alert, Intake, Item, Queue, Rollup, Task, User
from decisions.queues import live
from decisions.watch import alerts, books, telling
from tests.decisions.work.makers import hard_item, passed_item
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


def born(at: datetime) -> Queue:
    queue = make_queue()
    Queue.objects.filter(pk=queue.pk).update(created_at=at)
    queue.refresh_from_db()
    return queue


def lines(scores: list[float], name: str) -> bytes:
    rows = (f'{{"external_id": "{name}-{n}", "payload": {{"text": "x"}}, "score": {s}}}' for n, s in enumerate(scores))
    return "\n".join(rows).encode()


def recount(queue: Queue, start: datetime, end: datetime) -> Counter[str]:
    """Count item by item in which state each is, as a person would."""
    found: Counter[str] = Counter()
    for item in Item.objects.filter(queue=queue, intake__at__gte=start, intake__at__lt=end):
        if item.route == "soft":
            task = Task.objects.filter(item=item, purpose__in=("soft", "control")).order_by("pk").last()
            found[task.state if task else "lost"] += 1
        else:
            found[{"pass": "passed", "hard": "acted"}[item.route]] += 1
    return found


def test_what_was_accepted_is_the_sum_of_its_states() -> None:
    queue, sender = born(NOON), make_user("sender")
    scores = [0.1, 0.2, 0.5, 0.6, 0.7, 0.95, 0.97]
    for hour in range(3):
        rows = parse.many(lines(scores, str(hour)))
        submit.many(queue=live.of(queue.slug), lines=rows, sender=sender, at=NOON + HOUR * hour)
    task = Task.objects.filter(queue=queue).first()
    assert task is not None
    Task.objects.filter(pk=task.pk).update(state="decided")
    assert accounts.check(queue, NOON + HOUR * 3 + MINUTE * 6) == []
    found = accounts.of(queue.pk, NOON + HOUR * 4)
    assert found is not None
    assert found["accepted"] == 21
    assert found["missing"] == 0
    assert found["states"] == recount(queue, NOON, NOON + HOUR * 3)
    assert found["states"]["decided"] == 1
    assert found["checked_to"] == NOON + HOUR * 3


def test_an_hour_is_checked_once_it_is_over() -> None:
    queue = born(NOON)
    make_task(queue, make_item(queue, arrived_at=NOON + MINUTE))
    accounts.check(queue, NOON + HOUR + MINUTE * 4)  # calls that began in it may still be on their way
    assert accounts.of(queue.pk, NOON + HOUR * 2) is None
    accounts.check(queue, NOON + HOUR + MINUTE * 6)
    found = accounts.of(queue.pk, NOON + HOUR * 2)
    assert found is not None
    assert found["checked_to"] == NOON + HOUR


@pytest.mark.parametrize(
    ("lose", "missing"),
    [
        (make_item, 1),  # for people, and no task
        (lambda queue: call(queue, accepted=3), 3),  # said to be accepted, and nothing is there
        (lambda queue: make_item(queue, route="pass", band="pass", intake=call(queue, accepted=0)), -1),  # too much
    ],
)
def test_what_is_lost_is_an_alert(lose, missing: int) -> None:  # type: ignore[no-untyped-def]
    queue = born(NOON)
    make_task(queue), hard_item(queue), passed_item(queue)
    lose(queue)
    (found,) = books.check(queue, NOON + HOUR * 2)
    assert found.missing == missing
    alert = Alert.objects.get(queue=queue)
    assert (alert.kind, alert.level, alert.key) == ("accounts", "act", "hour:2026-03-02T12:00:00Z")
    assert str(found.accepted) in telling.sentence(alert)
    assert telling.what(alert) == "the sum of what was accepted"
    assert alerts.normal_since(alert, NOON + DAY) is None


def call(queue: Queue, *, accepted: int) -> Intake:
    sender: User = make_user()
    return Intake.objects.create(
        queue=queue, sender=sender, app_version="t", accepted=accepted, duplicates=0, rejected=0, digests=b"", at=NOON
    )


def test_each_older_day_has_its_turn() -> None:
    queue = born(NOON)
    make_task(queue, make_item(queue, arrived_at=NOON))
    for hours in (0, 48, 96):  # a run closes two days at most
        accounts.check(queue, NOON + HOUR * (hours + 48) + MINUTE * 6)
    make_item(queue, arrived_at=NOON + HOUR)  # what was in order is not any more
    days = set()
    for hours in range(145, 152):
        at = NOON + HOUR * hours + MINUTE * 6
        found = accounts.check(queue, at)
        days |= set(Rollup.objects.filter(queue=queue, figure="balanced", made_at=at).values_list("at", flat=True))
        if found:
            break
    assert [account.hour for account in found] == [NOON + HOUR]
    assert len({day.date() for day in days}) >= 2
    assert accounts.check(queue, at + MINUTE) == []  # no hour closed: nothing is counted again


def test_two_runs_keep_one_account() -> None:
    queue = born(NOON)
    make_task(queue)
    for _ in range(2):
        accounts.check(queue, NOON + HOUR * 2)
    assert Rollup.objects.filter(queue=queue, figure="accepted").count() == 1
