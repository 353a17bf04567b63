"""The alert inbox, the page of an incident, and the badge in the navigation."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from decisions.models import Alert, Queue, Rollup, User
from decisions.watch import alerts, look
from tests.decisions.watch.alerting import FIGURES, make_alert, make_closed
from tests.factories import NOON, make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def lead(queue: Queue) -> User:
    return make_user("lead", queue)


def page(person: User, path: str = "/floor/alerts/", **headers: str) -> Any:
    client = Client()
    client.force_login(person)
    return client.get(path, headers=headers)


def text(person: User, path: str = "/floor/alerts/") -> str:
    answer = page(person, path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def send(person: User, alert: Alert, step: str, **data: str) -> Any:
    client = Client()
    client.force_login(person)
    return client.post(f"/floor/alerts/{alert.pk}/{step}/", data)


def test_an_empty_inbox_says_when_it_was_looked_at(queue: Queue, lead: User) -> None:
    assert "Nothing was checked yet" in text(lead)
    at = NOON.replace(hour=14, minute=5)
    Rollup.objects.create(queue=queue, figure=look.CHECKED, at=at, value=0, made_at=at)
    assert "Nothing is off" in text(lead)
    assert "Last checked at 14:05" in text(lead)


def test_one_that_was_not_looked_at_is_not_hidden_by_others(queue: Queue, lead: User) -> None:
    other = make_queue()
    alerts_of = make_user("lead")
    assert Rollup.objects.create(queue=other, figure=look.CHECKED, at=NOON, value=0, made_at=NOON)
    assert "Nothing was checked yet" in text(alerts_of)


def test_the_inbox_shows_what_is_off_in_words(queue: Queue, lead: User) -> None:
    alert = make_alert(queue, level="act")
    shown = text(lead)
    assert "The share of hard actions" in shown
    assert "31.0 % of the last 300 items took this route; it was 15.0 % in the hour before." in shown
    assert f"/floor/alerts/{alert.pk}/" in shown
    assert "Act now" in shown
    assert "owner@example.org" in shown


def test_who_may_not_see_alerts_gets_no_list_and_no_badge(queue: Queue) -> None:
    make_alert(queue)
    reviewer, stranger = make_user("reviewer", queue), make_user("manager", make_queue())
    assert "No alerts are open to you" in text(reviewer)
    assert "share of hard actions" not in text(stranger)
    assert "1 alert<" not in text(reviewer)
    assert "1 alert<" not in text(stranger)


def test_the_badge_counts_what_nobody_put_off(queue: Queue, lead: User) -> None:
    assert "alerts</span>" not in text(lead, "/floor/")
    alert = make_alert(queue)
    make_alert(queue, key="route:soft")
    assert "2 alerts</span>" in text(lead, "/floor/")
    now = timezone.now()
    alerts.snooze(alert_id=alert.pk, by=lead, until=now + HOUR, at=now)
    assert "1 alert</span>" in text(lead, "/floor/")
    assert "Put off" in text(lead)


def test_mail_that_is_not_set_up_is_said(queue: Queue, lead: User, settings: Settings) -> None:
    alert = make_alert(queue)
    assert "Mail is not set up" in text(lead)
    assert "Mail is not set up" in text(lead, f"/floor/alerts/{alert.pk}/")
    settings.EMAIL_HOST = "mail.example.org"
    assert "Mail is not set up" not in text(lead)


def test_an_incident_from_its_alert_to_its_lesson(queue: Queue, lead: User) -> None:
    alert = make_alert(queue)
    path = f"/floor/alerts/{alert.pk}/"
    shown = text(lead, path)
    for word in ("Acknowledge", "Put it off for", "Name the cause", "Close the incident", "Pending", "Opened"):
        assert word in shown
    assert "300 rows" in shown
    assert "1,000 rows" in shown
    for step, data in (
        ("acknowledge", {}),
        ("snooze", {"hours": "4"}),
        ("diagnose", {"cause": "A new form"}),
        ("close", {"end": "mended", "lesson": "Test the form"}),
    ):
        answer = send(lead, alert, step, **data)
        assert (step, answer.status_code, answer["Location"]) == (step, 302, path)
    shown = text(lead, path)
    for word in ("A new form", "Test the form", "Mended", "Cause named", "Put off", "Acknowledged"):
        assert word in shown
    assert "Close the incident" not in shown
    assert "Test the form" in text(lead)


# what is sent, and the answer
@pytest.mark.parametrize(
    ("step", "data", "status", "told"),
    [
        ("snooze", {"hours": "9"}, 422, "for how long"),
        ("snooze", {}, 422, "for how long"),
        ("diagnose", {"cause": " "}, 422, "must not be empty"),
        ("close", {"end": "mended", "lesson": "x"}, 409, "Name the cause first"),
        ("close", {"end": "gone", "lesson": "x"}, 422, "how it ended"),
    ],
)
def test_what_does_not_fit_is_refused(lead: User, step: str, data: dict[str, str], status: int, told: str) -> None:
    answer = send(lead, make_alert(Queue.objects.get()), step, **data)
    assert answer.status_code == status
    assert told in answer.content.decode()


def test_who_may_only_read_gets_no_buttons(queue: Queue) -> None:
    shown = text(make_user("auditor", queue), f"/floor/alerts/{make_alert(queue).pk}/")
    assert "Name the cause" not in shown
    assert 'data-key="a"' not in shown


def test_back_to_normal_is_said_and_the_incident_stays(queue: Queue, lead: User) -> None:
    alert = make_alert(queue)
    Rollup.objects.create(queue=queue, figure=look.CHECKED, at=NOON, value=0, made_at=NOON + HOUR)
    assert "is back to normal since" in text(lead, f"/floor/alerts/{alert.pk}/")
    assert "back to normal" in text(lead)


def test_the_list_behind_an_alert(queue: Queue, lead: User) -> None:
    at = NOON - HOUR
    hard = make_item(queue, external_id="in-it", route="hard", band="hard", arrived_at=at)
    make_item(queue, external_id="passed-by", route="pass", band="pass", arrived_at=at)
    make_item(queue, external_id="too-early", route="hard", band="hard", arrived_at=NOON - 48 * HOUR)
    blind = make_item(queue, external_id="blind", route="hard", band="hard", arrived_at=at, score=0.987)
    make_task(queue, blind, purpose="second")
    shown = text(lead, f"/floor/alerts/{make_alert(queue).pk}/items/")
    assert f"/audit/{queue.slug}/items/{hard.pk}/" in shown
    assert "passed-by" not in shown
    assert "too-early" not in shown
    assert "blind" in shown
    assert "0.987" not in shown


# kind, key, and the external ids behind it
@pytest.mark.parametrize(
    ("kind", "key", "behind"),
    [
        ("scores", "segment:big", {"one"}),
        ("scores", "source:web", {"two"}),
        ("scores", "", {"one", "two", "three"}),
        ("missing", "field:text", {"two"}),
        ("unseen", "field:kind", {"three"}),
    ],
)
def test_each_kind_lists_what_it_is_about(queue: Queue, lead: User, kind: str, key: str, behind: set[str]) -> None:
    make_item(queue, {"text": "a", "kind": "mail"}, external_id="one", segment="big")
    make_item(queue, {"kind": "chat"}, external_id="two", source="web")
    make_item(queue, {"text": "a", "kind": "letter"}, external_id="three")
    alert = make_alert(queue, kind=kind, key=key, figures={**FIGURES, "psi": 0.3})
    shown = text(lead, f"/floor/alerts/{alert.pk}/items/")
    assert {name for name in ("one", "two", "three") if f">{name}</a>" in shown} == behind


def test_rulings_are_the_list_where_people_answered(queue: Queue, lead: User) -> None:
    overridden = make_alert(queue, kind="overrides", key="policy:1")
    shown = text(lead, f"/floor/alerts/{overridden.pk}/")
    assert f"/audit/{queue.slug}/?which=overrides&amp;since=2026-03-02&amp;policy=1" in shown
    figures = {"target": 0.9, "precision": 0.8, "labels": 200}
    missed = make_alert(queue, kind="precision", key="policy:1", figures=figures)
    shown = text(lead, f"/floor/alerts/{missed.pk}/")
    assert "purpose=control" in shown
    assert "Of 200 controls that people decided, 80.0 % were right" in shown


def test_a_canary_that_was_stopped_is_told(queue: Queue, lead: User) -> None:
    figures = {"sign": "override_rate", "share": 0.5, "live_share": 0.2, "target": None}
    alert = make_alert(queue, kind="canary", key="policy:4", figures=figures)
    shown = text(lead, f"/floor/alerts/{alert.pk}/")
    assert "The canary policy 4" in shown
    assert "people overrode 50.0 % of it, and 20.0 % of the live policy" in shown


def test_a_poll_of_what_did_not_change_is_not_sent_again(queue: Queue, lead: User) -> None:
    make_alert(queue)
    first = page(lead, "/floor/alerts/live/")
    assert page(lead, "/floor/alerts/live/", **{"If-None-Match": first["ETag"]}).status_code == 304


def test_closed_incidents_come_in_pages(queue: Queue, lead: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewqueue.web.floor.alerts.SHOWN", 1)
    first, second = (make_closed(queue, key=key) for key in ("route:hard", "route:soft"))
    assert f"?before={second.pk}" in text(lead)
    older = text(lead, f"/floor/alerts/?before={second.pk}")
    assert f"/floor/alerts/{first.pk}/" in older
    assert f"/floor/alerts/{second.pk}/" not in older
