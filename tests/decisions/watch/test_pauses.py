"""A pause is told to who owns the queue, once, without figures."""

import re

import pytest

from decisions.models import Alert, Grade, Notice
from decisions.record import log
from decisions.watch import alerts, pauses, telling
from decisions.work import grading
from tests.decisions.work.makers import desk
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_a_pause_is_told_once_and_its_end_is_seen() -> None:
    queue, ann = desk()
    lead, at = make_user("lead", queue), log.now()
    told = {"n": 40, "wrong": 17, "gold_share": 0.2, "second_share": 0.2, "since": at, "at": at}
    Grade.objects.create(queue=queue, person=ann, no=1, is_paused=True, why="errors", **told)
    assert pauses.check_all(at) == 1
    assert pauses.check_all(log.now()) == 1
    alert = Alert.objects.get()
    assert (alert.kind, alert.key, alert.level) == ("paused", f"person:{ann.pk}", "warn")
    assert alert.figures == {"why": "errors"}
    assert str(ann) in telling.what(alert)
    mail = Notice.objects.get(channel="mail")
    assert mail.address == queue.spec.owner
    assert telling.sentence(alert) in mail.body
    assert not re.search(r"\d", telling.sentence(alert))
    grading.lift(queue_id=queue.pk, person_id=ann.pk, by=lead)
    assert pauses.check_all(log.now()) == 0
    assert alerts.normal_since(alert, log.now()) == alert.seen_at


def test_who_did_not_pass_the_set_is_told_so() -> None:
    queue, ann = desk()
    at = log.now()
    told = {"n": 3, "wrong": 2, "gold_share": 0.2, "second_share": 0.2, "since": at, "at": at}
    Grade.objects.create(queue=queue, person=ann, no=1, is_paused=True, why="failed", **told)
    pauses.check_all(at)
    assert "before the first item" in telling.sentence(Alert.objects.get())
