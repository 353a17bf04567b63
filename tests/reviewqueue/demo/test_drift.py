"""The watch over the demo's real rows: quiet while nothing is wrong, and not for long when something drifts."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings

from decisions.intake import parse, submit
from decisions.measure import rollups
from decisions.models import Alert, Decision, Policy, Queue, Ruling, Task, User
from decisions.queues import live
from decisions.queues.spec import Spec
from decisions.watch import look
from decisions.work import suggest
from reviewqueue.demo import drift, replay, rows, setup
from reviewqueue.demo.drift import Drift
from reviewqueue.demo.replay import Sender
from reviewqueue.demo.rows import DemoRow
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LOOK = timedelta(minutes=5)
CHUNK = 100  # rows of a call
WITHIN = 500  # drifted rows, and one look
FOUND_BY = {
    Drift.POSITIVES: ("scores", ""),
    Drift.SEGMENT: ("scores", "segment:"),
    Drift.FIELD: ("missing", "field:"),
}


@dataclass
class Town:
    """A demo queue and its clock: rows come in, people answer what is for them, the watch looks every so often."""

    queue: Queue
    sender: User
    reviewer: User
    at: datetime
    looked_at: datetime
    truths: dict[str, Any]
    every: timedelta = LOOK
    found: set[tuple[str, str]] = field(default_factory=set)

    def send(self, some: Sequence[DemoRow], *, rate: float) -> None:
        """Let rows come in at so many per second."""
        for start in range(0, len(some), CHUNK):
            chunk = some[start : start + CHUNK]
            lines = parse.many(replay.lines(chunk))
            submit.many(queue=live.of(self.queue.slug), lines=lines, sender=self.sender, at=self.at, with_results=False)
            decide(self.queue, self.truths, self.reviewer, self.at)
            self.at += timedelta(seconds=len(chunk) / rate)
            if self.looked_at + self.every <= self.at:
                self.look(self.at)

    def look(self, at: datetime) -> None:
        self.looked_at = at
        rollups.roll_up(at)
        self.found |= {(alert.kind, alert.key) for alert in look.check(self.queue, at)}


def decide(queue: Queue, truths: dict[str, Any], person: User, at: datetime) -> None:
    """Answer what waits for people with the truth, but for one in twenty; too many to go through the desk."""
    spec = queue.spec
    tasks = list(Task.objects.filter(queue=queue, state="waiting").select_related("item__policy", "item__queue"))
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(state="decided")
    answers = [answer_to(task, truths, spec) for task in tasks]
    decisions = Decision.objects.bulk_create(
        Decision(
            queue=queue,
            item=task.item,
            task=task,
            round=1,
            purpose=task.purpose,
            queue_version=task.item.queue_version,
            person=person,
            outcome=outcome,
            suggested=suggested,
            claimed_at=at,
            at=at,
        )
        for task, (outcome, suggested) in zip(tasks, answers, strict=True)
    )
    Ruling.objects.bulk_create(
        Ruling(
            queue=queue,
            item=one.item,
            no=1,
            outcome=one.outcome,
            truth="positive",
            source="decision",
            decision=one,
            person=person,
            was=one.suggested,
            is_override=one.outcome != one.suggested,
            at=at,
            final_at=at,
        )
        for one in decisions
    )


def answer_to(task: Task, truths: dict[str, Any], spec: Spec) -> tuple[str, str]:
    """Return what the reviewer says, and what the policy suggested."""
    outcomes = {outcome.truth: outcome.key for outcome in spec.outcomes}
    said = outcomes[truths[task.item.external_id]] if task.item.external_id in truths else spec.routes.positive
    other = {spec.routes.positive: spec.routes.negative, spec.routes.negative: spec.routes.positive}
    return other[said] if task.pk % 20 == 0 else said, suggest.suggestion(task.item, task.item.policy, spec)


def make_town(slug: str) -> Town:
    queue = setup.queue(slug, lambda _text: None)
    setup.model(queue, lambda _text: None)
    at = Policy.objects.live().get(queue=queue).live_at
    assert at is not None
    people = make_user("manager", queue), make_user("reviewer", queue)
    return Town(queue, *people, at, at, rows.truths(slug, queue.spec))


@pytest.mark.parametrize("slug", list(rows.DEMOS))
def test_the_demo_is_quiet_while_nothing_is_wrong(slug: str, settings: Settings) -> None:
    town, found = make_town(slug), rows.live(slug)
    start = town.at
    # The audit secret, how fast rows come in, and how often the watch looks: as `make run` sends them, as a backlog
    # that is caught up in two minutes, or over hours.
    for seed, rate, every in ((1, 1.0, LOOK), (2, 20.0, LOOK / 10), (3, 0.15, LOOK * 6)):
        settings.AUDIT_SECRETS = {1: bytes([seed]) * 32}
        town.at, town.looked_at, town.every = start, start, every
        with transaction.atomic():
            town.send(found, rate=rate)
            town.look(town.at + LOOK)
            transaction.set_rollback(True)
        assert (seed, town.found) == (seed, set())


@pytest.mark.parametrize("slug", list(rows.DEMOS))
def test_a_drift_is_found_within_the_stated_delay(slug: str) -> None:
    town = make_town(slug)
    town.send(rows.live(slug)[:1500], rate=1.0)
    assert town.found == set()
    start = town.at
    for kind, pause in product(Drift, (timedelta(0), timedelta(hours=20))):
        town.at = town.looked_at = start + pause
        with transaction.atomic():
            town.send(drift.drifted(slug, kind, name="drift-1", count=WITHIN), rate=5.0)
            began = start + pause
            town.look(began + timedelta(seconds=WITHIN / 5) + LOOK)
            what, key = FOUND_BY[kind]
            seen = [one for one in Alert.objects.filter(kind=what, level="act") if one.key.startswith(key)]
            assert (kind, pause, bool(seen)) == (kind, pause, True)
            if kind == Drift.FIELD:  # nothing else was like it before
                assert abs(seen[0].began_at - began) < timedelta(minutes=1)
            transaction.set_rollback(True)


def test_the_stated_delay_is_the_tested_one() -> None:
    assert f"{WITHIN} drifted items" in drift.DELAY
    assert settings.CELERY_BEAT_SCHEDULE["watch_signals"]["schedule"] == LOOK.total_seconds()


def test_drifted_rows_are_what_their_name_says_and_the_same_again() -> None:
    town = make_town("emails")
    spec = town.queue.spec
    one, again, other = (drift.drifted("emails", Drift.FIELD, name=name, count=100) for name in ("a", "a", "b"))
    assert one == again
    assert [row.payload for row in one] != [row.payload for row in other]
    assert len({row.external_id for row in one + other}) == 200
    lost = drift.lost_field(spec)
    assert 60 < sum(lost not in row.payload for row in one) < 95
    assert all("spam" not in row.payload for row in one)
    assert drift.shifted_segment(rows.live("emails"), spec) == "small"


def test_the_command_sends_rows_as_the_demo_and_says_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    setup.queue("credit", lambda _text: None)
    sent: list[tuple[str, dict[str, Any]]] = []

    def send(_self: Sender, path: str, body: bytes, _media_type: str) -> tuple[int, dict[str, Any]]:
        sent.append((path, json.loads(body)))
        return 201, {}

    monkeypatch.setattr(Sender, "send", send)
    monkeypatch.setattr(drift, "COUNT", 20)
    out = io.StringIO()
    call_command("demo", "drift", "field", "--queue", "credit", "--rate", "1000", stdout=out)
    assert out.getvalue().strip() == f"20 drifted items accepted. {drift.DELAY}"
    assert {path for path, _row in sent} == {"/queues/credit/items/"}
    assert {row["source"] for _path, row in sent} == {"demo"}
    assert all(row["external_id"].startswith("drift-field-") for _path, row in sent)
