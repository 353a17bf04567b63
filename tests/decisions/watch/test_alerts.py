"""The life of an alert: opened once, told, taken on, put off, diagnosed, closed, and back after a quiet time."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import IntegrityError, transaction

from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Alert, Event, Notice, Queue, User
from decisions.watch import alerts
from tests.decisions.watch.alerting import FIGURES, make_alert, make_closed, off
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PRECISION = {"target": 0.9, "precision": 0.8, "labels": 200}


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def lead(queue: Queue) -> User:
    return make_user("lead", queue)


def told(queue: Queue) -> list[tuple[str, str]]:
    """Return the record's entries about alerts: kind and reason."""
    rows = Event.objects.filter(chain=queue.pk, kind__startswith="alert.").order_by("seq")
    return [(str(event.kind), event.reason) for event in rows]


def entry(queue: Queue) -> dict[str, Any]:
    """Return what the newest entry says."""
    newest = Event.objects.filter(chain=queue.pk).order_by("-seq").first()
    assert newest is not None
    said: dict[str, Any] = orjson.loads(newest.entry)
    return said


def test_a_signal_that_stays_off_is_one_alert_and_one_message(queue: Queue) -> None:
    first = make_alert(queue)
    again = make_alert(queue, NOON + HOUR, figures={**FIGURES, "share": 0.4})
    assert first.pk == again.pk
    assert (again.seen_at, again.opened_at, again.figures["share"]) == (NOON + HOUR, NOON, 0.4)
    assert Alert.objects.count() == 1
    assert Notice.objects.count() == 1
    assert told(queue) == [("alert.opened", "volume")]


def test_other_keys_and_queues_are_other_alerts(queue: Queue) -> None:
    made = {make_alert(queue).pk, make_alert(queue, key="route:soft").pk, make_alert(make_queue()).pk}
    assert len(made) == 3


def test_the_database_allows_one_open_alert_of_a_kind_and_key(queue: Queue) -> None:
    alert = make_alert(queue)
    alert.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save(force_insert=True)


def test_the_watcher_owns_it_else_the_owner_else_nobody_here() -> None:
    watcher = make_user(email="watcher@example.org")
    assert make_alert(make_queue(watcher="Watcher@example.org")).owner == watcher
    assert make_alert(make_queue(owner="watcher@example.org")).owner == watcher
    assert make_alert(make_queue()).owner is None


def test_a_level_rises_and_does_not_fall(queue: Queue) -> None:
    make_alert(queue)
    worse = make_alert(queue, NOON + HOUR, level="act")
    assert worse.level == "act"
    assert make_alert(queue, NOON + 2 * HOUR).level == "act"
    assert told(queue) == [("alert.opened", "volume"), ("alert.changed", "worse")]
    assert Notice.objects.count() == 2


def test_who_acknowledges_owns_it_and_nobody_else_can_then(queue: Queue, lead: User) -> None:
    alert = alerts.acknowledge(alert_id=make_alert(queue).pk, by=lead, at=NOON + HOUR)
    assert (alert.state, alert.owner, alert.acknowledged_at) == ("acknowledged", lead, NOON + HOUR)
    with pytest.raises(Conflict, match="already"):
        alerts.acknowledge(alert_id=alert.pk, by=make_user("manager", queue), at=NOON + HOUR)
    assert told(queue)[1:] == [("alert.changed", "acknowledged")]


def test_what_is_put_off_is_silent_until_then_and_tells_again(queue: Queue, lead: User) -> None:
    alert = alerts.snooze(alert_id=make_alert(queue).pk, by=lead, until=NOON + 4 * HOUR, at=NOON + HOUR)
    assert not Alert.objects.loud(NOON + 2 * HOUR).exists()
    make_alert(queue, NOON + 2 * HOUR)
    assert Notice.objects.count() == 1
    assert Alert.objects.loud(NOON + 5 * HOUR).get() == alert
    assert make_alert(queue, NOON + 5 * HOUR).snoozed_until is None
    make_alert(queue, NOON + 6 * HOUR)
    assert Notice.objects.count() == 2
    assert told(queue)[1:] == [("alert.changed", "snoozed"), ("alert.changed", "still_off")]


def test_what_gets_worse_wakes_up_at_once(queue: Queue, lead: User) -> None:
    alerts.snooze(alert_id=make_alert(queue).pk, by=lead, until=NOON + DAY, at=NOON)
    assert make_alert(queue, NOON + HOUR, level="act").snoozed_until is None
    assert Notice.objects.count() == 2


@pytest.mark.parametrize(
    "until",
    [
        NOON,  # now
        NOON - HOUR,  # before now
        NOON + timedelta(days=7, seconds=1),  # too long
    ],
)
def test_an_alert_is_put_off_for_seven_days_at_most(queue: Queue, lead: User, until: Any) -> None:
    alert = make_alert(queue)
    with pytest.raises(Invalid):
        alerts.snooze(alert_id=alert.pk, by=lead, until=until, at=NOON)
    assert alerts.snooze(alert_id=alert.pk, by=lead, until=NOON + timedelta(days=7), at=NOON)


def test_a_later_cause_replaces_the_first_one_and_its_time_stays(queue: Queue, lead: User) -> None:
    alert = make_alert(queue)
    alerts.diagnose(alert_id=alert.pk, by=lead, cause=" A new form ", at=NOON + HOUR)
    alert = alerts.diagnose(alert_id=alert.pk, by=lead, cause="A new browser", at=NOON + 2 * HOUR)
    assert (alert.cause, alert.to_diagnose, alert.state) == ("A new browser", HOUR, "acknowledged")
    assert (alert.owner, alert.acknowledged_at) == (lead, NOON + HOUR)


def test_closing_asks_for_cause_end_and_lesson(queue: Queue, lead: User) -> None:
    alert = make_alert(queue)
    with pytest.raises(Conflict, match="cause"):
        alerts.close(alert_id=alert.pk, by=lead, end="mended", lesson="x", at=NOON)
    alerts.diagnose(alert_id=alert.pk, by=lead, cause="A new form", at=NOON)
    for end, lesson in (("mended", " "), ("mended", "x" * 2001), ("gone", "x")):
        with pytest.raises(Invalid):
            alerts.close(alert_id=alert.pk, by=lead, end=end, lesson=lesson, at=NOON)
    closed = alerts.close(alert_id=alert.pk, by=lead, end="mended", lesson="Test the form", at=NOON + HOUR)
    assert (closed.state, closed.to_mend, closed.to_detect) == ("closed", HOUR, HOUR)
    assert told(queue)[-1] == ("alert.closed", "mended")
    assert (entry(queue)["to_mend"], entry(queue)["to_detect"]) == (3600, 3600)


def test_a_false_alarm_needs_no_cause(queue: Queue, lead: User) -> None:
    alert = alerts.close(alert_id=make_alert(queue).pk, by=lead, end="false_alarm", lesson="A test", at=NOON)
    assert alert.to_diagnose is None


def test_what_is_closed_stays_closed_and_comes_back_as_a_new_alert_after_a_day(queue: Queue) -> None:
    old = make_closed(queue)
    assert old.closed_at is not None
    with pytest.raises(Conflict, match="closed"):
        alerts.acknowledge(alert_id=old.pk, by=make_user("lead", queue), at=NOON + 4 * HOUR)
    assert alerts.see(queue=queue, at=old.closed_at + DAY - HOUR, **off()) is None
    assert alerts.see(queue=queue, at=old.closed_at + HOUR, **off(key="route:soft")) is not None
    assert make_alert(queue, old.closed_at + DAY).pk != old.pk


def test_a_canary_that_is_stopped_again_is_told_at_once(queue: Queue) -> None:
    canary: dict[str, Any] = {"kind": "canary", "key": "policy:2", "figures": {}}
    old = make_closed(queue, **canary)
    assert make_alert(queue, NOON + 4 * HOUR, **canary).pk != old.pk


def test_no_text_of_a_person_or_a_sender_is_in_the_record(queue: Queue, lead: User) -> None:
    alert = make_alert(queue, kind="scores", key="segment:Anna Smith", figures={"psi": 0.3, "p": 1e-9})
    alerts.diagnose(alert_id=alert.pk, by=lead, cause="Bob Brown did it", at=NOON)
    alerts.close(alert_id=alert.pk, by=lead, end="mended", lesson="Tell Bob Brown", at=NOON)
    entries = "".join(Event.objects.filter(chain=queue.pk).values_list("entry", flat=True))
    assert "Anna" not in entries
    assert "Bob" not in entries
    assert '"key":"route:hard"' in "".join(
        Event.objects.filter(chain=make_alert(make_queue()).queue_id).values_list("entry", flat=True)
    )


@pytest.mark.parametrize(
    ("role", "error"),
    [
        ("reviewer", Forbidden),
        ("auditor", Forbidden),  # reads them
        ("", NotFound),  # belongs elsewhere
    ],
)
def test_who_may_not_handle_alerts_changes_none(queue: Queue, role: str, error: type[Exception]) -> None:
    person, alert = make_user(role, queue if role else None), make_alert(queue)
    steps: list[Any] = [
        lambda: alerts.acknowledge(alert_id=alert.pk, by=person, at=NOON),
        lambda: alerts.snooze(alert_id=alert.pk, by=person, until=NOON + HOUR, at=NOON),
        lambda: alerts.diagnose(alert_id=alert.pk, by=person, cause="x", at=NOON),
        lambda: alerts.close(alert_id=alert.pk, by=person, end="false_alarm", lesson="x", at=NOON),
    ]
    for step in steps:
        with pytest.raises(error):
            step()
    assert told(queue) == [("alert.opened", "volume")]


def test_its_steps_are_read_from_the_record(queue: Queue, lead: User) -> None:
    other = make_alert(queue, key="route:soft")
    alert = make_closed(queue, by=lead)
    steps = alerts.steps(alert)
    assert [(event.reason, event.actor) for event in steps] == [("volume", None), ("diagnosed", lead), ("mended", lead)]
    assert len(alerts.steps(other)) == 1


def test_medians_leave_false_alarms_and_old_incidents_out(queue: Queue) -> None:
    make_closed(queue)
    make_closed(queue, key="route:soft", began_at=NOON - 3 * HOUR)
    make_closed(queue, key="route:pass", end="false_alarm", began_at=NOON - DAY)
    make_closed(queue, NOON - 100 * DAY, key="field:x", began_at=NOON - 110 * DAY)
    make_closed(make_queue())
    found = alerts.times([queue.pk], NOON + DAY)
    assert (found.incidents, found.false_alarms) == (2, 1)
    assert (found.to_detect, found.to_diagnose, found.to_mend) == (2 * HOUR, HOUR, 3 * HOUR)
    assert alerts.times([], NOON) == alerts.Times(0, 0, None, None, None)


def test_a_signal_is_back_to_normal_once_a_later_look_did_not_see_it(queue: Queue) -> None:
    alert = make_alert(queue)
    assert alerts.normal_since(alert, None) is None
    assert alerts.normal_since(alert, NOON) is None
    assert alerts.normal_since(alert, NOON + HOUR) == NOON
    assert alerts.normal_since(make_closed(queue, key="route:soft"), NOON + DAY) is None
    precision = make_alert(queue, kind="precision", key="policy:1", figures=PRECISION)
    assert alerts.normal_since(precision, NOON + HOUR) is None
