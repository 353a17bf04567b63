"""The demo's history: a week's rhythm on the queue's clock, drawn from real rows, imported once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from django.utils.dateparse import parse_datetime

from decisions.intake import history as past
from decisions.intake.parse import Bad
from decisions.models import Event, Item, Queue, Token
from decisions.record import log
from reviewqueue.demo import history, rows, setup

pytestmark = pytest.mark.django_db
END = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


@pytest.fixture
def queue() -> Queue:
    return setup.queue("emails", lambda _text: None)


def test_it_has_a_weeks_rhythm_on_the_queues_clock(queue: Queue) -> None:
    times = [parse_datetime(one["arrived_at"]) for one in history.lines(queue, END)]
    local = [at.astimezone(queue.spec.zone) for at in times if at]
    hours, days = Counter(at.hour for at in local), Counter(at.weekday() for at in local)
    assert max(hours, key=lambda hour: hours[hour]) in (9, 10, 11, 14, 15)
    assert hours[3] < hours[10] / 8
    assert days[5] < days[2] / 2
    assert END - timedelta(weeks=8, hours=1) <= min(local) <= END - timedelta(weeks=7, days=6)
    assert max(local) <= END
    assert 8_000 < len(local) < 25_000


def test_every_line_is_one_that_can_be_brought_in_and_is_the_same_again(queue: Queue) -> None:
    one, other = (list(islice(history.lines(queue, END), 300)) for _ in range(2))
    assert one == other
    at = log.now()
    assert not [bad for no, line in enumerate(one) if isinstance(bad := past.line(no, line, queue.spec, at), Bad)]


def test_it_is_brought_in_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queues = [setup.queue(slug, lambda _text: None) for slug in rows.DEMOS]
    setup._token(setup.SENDER, queues, Token.Scope.INTAKE)
    monkeypatch.setattr(history, "WEEKS", 1)
    said: list[str] = []
    for _ in range(2):
        history.run(said.append, tmp_path)
    told = [text for text in said if "drawn again" in text]
    assert len(told) == len(queues)
    assert Event.objects.filter(kind="items.imported", chain=queues[0].pk).exists()
    assert set(Item.objects.values_list("source", flat=True)) == {"imported"}
