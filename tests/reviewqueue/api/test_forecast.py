"""The forecast as JSON: all of it for whoever may read the queue, and nothing made up where nothing is known."""

from datetime import timedelta

import pytest

from decisions.measure.counts import floor_hour
from decisions.models import Queue, Rollup, Shift
from decisions.record import log
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def queue() -> Queue:
    """A queue with three weeks of twenty tasks an hour, and one person for the next two days who can do ten."""
    made, now = make_queue(timezone="Asia/Kolkata", sla=timedelta(hours=6)), floor_hour(log.now())
    rows = [(figure, key, now - HOUR * n) for n in range(1, 500) for figure, key in FIGURES]
    Rollup.objects.bulk_create(
        Rollup(queue=made, figure=figure, key=key, at=at, value=20.0, made_at=at) for figure, key, at in rows
    )
    one_each = [("decisions", "soft", 10.0), ("worked", "", 1.0), ("handling", "soft", 1800.0), ("timed", "soft", 10.0)]
    Rollup.objects.bulk_create(
        Rollup(queue=made, figure=figure, key=key, at=now - HOUR, value=value, made_at=now)
        for figure, key, value in [*one_each, ("counted", "", 1.0)]
    )
    person = make_user()
    Shift.objects.create(queue=made, starts_at=now - HOUR, ends_at=now + HOUR * 48, people=1, made_by=person)
    return made


FIGURES = (("arrivals", "soft"), ("flow", "soft:opened"))


def test_the_forecast_says_what_comes_when_it_breaks_and_what_would_help(queue: Queue) -> None:
    told = caller("reviewer", queue, "read").get(f"queues/{queue.slug}/forecast/").json()
    assert told["timezone"] == "Asia/Kolkata"
    assert told["sentence"].startswith("Breaches its deadline on ")
    assert told["breach_at"] is not None
    assert told["people_needed"] >= 1
    assert told["threshold_needed"] is None  # no traffic to try one on
    assert {hour["middle"] for hour in told["hours"]} == {20.0}
    assert {hour["basis"] for hour in told["hours"]} == {"weekday"}
    assert len(told["steps"]) == len([one for one in told["steps"] if one["low"] <= one["middle"] <= one["high"]])
    assert told["steps"][-1]["broken"] == told["risk"] > 0.5
    assert told["plan"]["source"] == "shifts"
    assert told["presence"][-1] == {"at": told["presence"][-1]["at"], "planned": 1.0, "came": 1.0}
    assert told["waits"][0]["busy"] <= 1.01  # 20 an hour at three minutes each: one person's whole hour
    assert told["held"]["weeks"] == 1


def test_the_status_has_it_in_short(queue: Queue) -> None:
    person = caller("manager", queue, "read")
    told, status = (person.get(f"queues/{queue.slug}/{name}/").json() for name in ("forecast", "status"))
    assert status["outlook"]["people_needed"] == told["people_needed"]
    assert status["outlook"]["breach_at"] == told["breach_at"]


def test_a_new_queue_is_told_nothing_of() -> None:
    new = make_queue()
    told = caller("manager", new, "read").get(f"queues/{new.slug}/forecast/").json()
    assert told["since"] is None
    assert {hour["middle"] for hour in told["hours"]} == {None}
    assert told["steps"] == told["waits"] == []
    assert told["sentence"].startswith("Nothing can be told ahead yet")


def test_it_takes_the_scope_and_the_queue(queue: Queue) -> None:
    assert caller("manager", queue, "review").get(f"queues/{queue.slug}/forecast/").status_code == 403
    assert caller("manager", make_queue(), "read").get(f"queues/{queue.slug}/forecast/").status_code == 404


def test_hours_one_by_one(queue: Queue) -> None:
    person = caller("reviewer", queue, "read")
    told = person.get(f"queues/{queue.slug}/hours/?count=3").json()
    assert told["timezone"] == "Asia/Kolkata"
    assert [hour["opened"] for hour in told["hours"]] == [20.0, 20.0, 0.0]
    assert told["hours"][1]["utilisation"] == pytest.approx(2.0)
    assert told["hours"][1]["is_endless"] is False  # how many wait was never counted
    assert person.get(f"queues/{queue.slug}/hours/?purpose=control&count=1").json()["hours"][0]["opened"] == 0
    for wrong in ("purpose=fun", "count=0", "count=169", "count=many"):
        assert person.get(f"queues/{queue.slug}/hours/?{wrong}").status_code == 400
