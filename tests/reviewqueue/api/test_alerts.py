"""Alerts over the API: lists with filters and pages, one alert, and each step of dealing with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from decisions.models import Alert, Event, Queue, Rollup
from decisions.watch import look
from tests.decisions.watch.alerting import make_alert, make_closed
from tests.factories import NOON, make_queue
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
UNTIL = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def lead(queue: Queue) -> Caller:
    return caller("lead", queue)


def listed(person: Caller, queue: Queue, query: str = "") -> list[int]:
    answer = person.get(f"alerts/?queue={queue.slug}{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_an_alert_says_what_is_off_and_since_when(queue: Queue, lead: Caller) -> None:
    alert = make_alert(queue)
    told = lead.get(f"alerts/{alert.pk}/").json()
    assert (told["queue"], told["kind"], told["key"], told["state"]) == (queue.slug, "volume", "route:hard", "open")
    assert told["what"] == "the share of hard actions"
    assert told["figures"]["share"] == 0.31
    assert told["normal_since"] is None
    Rollup.objects.create(queue=queue, figure=look.CHECKED, at=NOON, value=0, made_at=NOON + HOUR)
    assert lead.get(f"alerts/{alert.pk}/").json()["normal_since"] is not None


# a query, and which of an open warning, an open "act now" and a closed one it leaves
@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("", {"warn", "act", "closed"}),
        ("&state=open", {"warn", "act"}),
        ("&state=closed", {"closed"}),
        ("&level=act", {"act"}),
        ("&kind=missing", {"act"}),
        ("&since=2026-03-02T13:00:00Z", {"act"}),
        ("&until=2026-03-02T12:00:00Z", {"closed"}),
    ],
)
def test_filters_leave_what_matches(queue: Queue, lead: Caller, query: str, left: set[str]) -> None:
    made = {
        "warn": make_alert(queue).pk,
        "act": make_alert(queue, NOON + HOUR, kind="missing", key="field:text", level="act").pk,
        "closed": make_closed(queue, NOON - 4 * HOUR, key="route:soft").pk,
    }
    make_alert(make_queue())
    assert set(listed(lead, queue, query)) == {made[name] for name in left}


def test_pages_follow_each_other(queue: Queue, lead: Caller) -> None:
    made = [make_alert(queue, NOON + HOUR * n, key=f"field:{n}").pk for n in range(3)]
    assert listed(lead, queue, "&limit=2") == made[:0:-1]
    assert listed(lead, queue, f"&limit=2&after={made[1]}") == made[:1]
    assert listed(lead, queue, "&order=oldest") == made


def test_from_acknowledging_to_closing(queue: Queue, lead: Caller) -> None:
    alert = make_alert(queue, timezone.now())
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("acknowledge", {}, "acknowledged"),
        ("snooze", {"until": UNTIL}, "acknowledged"),
        ("diagnose", {"cause": "A new form"}, "acknowledged"),
        ("close", {"end": "mended", "lesson": "Test the form"}, "closed"),
    ]
    for step, said, state in steps:
        answer = lead.post(f"alerts/{alert.pk}/{step}/", said)
        assert (step, answer.status_code, answer.json()["state"]) == (step, 200, state)
    told = lead.get(f"alerts/{alert.pk}/").json()
    assert (told["owner"], told["cause"], told["lesson"], told["end"]) == (
        lead.user.pk,
        "A new form",
        "Test the form",
        "mended",
    )
    assert Event.objects.filter(chain=queue.pk, kind__startswith="alert.", actor=lead.user).count() == 4


# a step, what is sent, and the answer
@pytest.mark.parametrize(
    ("step", "said", "status"),
    [
        ("snooze", {"until": "2020-01-01T00:00:00Z"}, 400),
        ("snooze", {"until": "soon"}, 400),
        ("diagnose", {"cause": ""}, 400),
        ("close", {"end": "gone", "lesson": "x"}, 400),
        ("close", {"end": "mended", "lesson": "x"}, 409),  # without a cause
        ("acknowledge", {"why": "x"}, 400),
    ],
)
def test_what_does_not_fit_is_refused(lead: Caller, step: str, said: dict[str, str], status: int) -> None:
    alert = make_alert(Queue.objects.get())
    assert lead.post(f"alerts/{alert.pk}/{step}/", said).status_code == status
    assert Alert.objects.get().state == "open"


def test_the_same_call_with_its_key_happens_once(queue: Queue, lead: Caller) -> None:
    path = f"alerts/{make_alert(queue).pk}/acknowledge/"
    first, again = (lead.post(path, {}, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code, first.content) == (200, 200, again.content)
    assert lead.post(path, {}).status_code == 409


def test_prometheus_sees_open_alerts(queue: Queue) -> None:
    make_alert(queue, level="act")
    make_closed(queue, key="route:soft")
    shown = caller("manager", queue).get("/metrics").content.decode()
    assert f'rq_alerts_open{{level="act",queue="{queue.slug}"}} 1.0' in shown
    assert 'level="warn"' not in shown
