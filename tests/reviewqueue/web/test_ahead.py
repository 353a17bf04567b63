"""Pages of what is to come, of hours, and of what was imported."""

import re
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from django.test import Client

from decisions.intake import imported
from decisions.measure import accounts, rollups
from decisions.measure.counts import floor_hour
from decisions.models import Item, Queue, Rollup, Shift, User
from decisions.record import log
from tests.factories import make_item, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def text(client: Client, path: str) -> str:
    return re.sub(r"\s+", " ", client.get(path).content.decode())


def foretold(queue: Queue) -> None:
    """Give a queue three weeks of twenty tasks an hour, and one person for two days who can do ten."""
    now = floor_hour(log.now())
    rows = [(figure, key, now - HOUR * n, 20.0) for n in range(1, 530) for figure, key in ARRIVALS]
    rows += [(figure, key, now - HOUR, value) for figure, key, value in WORK]
    Rollup.objects.bulk_create(
        Rollup(queue=queue, figure=figure, key=key, at=at, value=value, made_at=now) for figure, key, at, value in rows
    )
    Shift.objects.create(queue=queue, starts_at=now - HOUR, ends_at=now + HOUR * 48, people=1, made_by=make_user())


ARRIVALS = (("arrivals", "soft"), ("flow", "soft:opened"))
WORK = (("decisions", "soft", 10.0), ("worked", "", 1.0), ("handling", "soft", 600.0), ("timed", "soft", 10.0))


@pytest.mark.parametrize("path", ["/floor/{}/", "/floor/{}/ahead/"])
def test_the_floor_says_when_a_deadline_breaks_and_what_would_keep_it(path: str) -> None:
    queue = make_queue(sla=timedelta(hours=6))
    foretold(queue)
    page = text(signed_in(make_user("reviewer", queue)), path.format(queue.slug))
    assert re.search(r"Breaches its deadline on \w+ \d\d:\d\d unless \d+ more (person|people)\.", page)
    assert "Rests on the same weekday and hour of 3 weeks." in page
    assert "Shifts are planned until" in page
    for chart in ("forecast", "fan", "presence"):
        assert f'id="{chart}"' in page
    assert page.count("The same as a table") >= 3  # each chart with its twin
    assert "Erlang C, for the busiest hour of the next 24: 20 tasks" in page


def test_a_new_queue_has_nothing_to_tell() -> None:
    queue = make_queue()
    page = text(signed_in(make_user("manager", queue)), f"/floor/{queue.slug}/ahead/")
    assert "Nothing can be told ahead yet" in page
    assert "It takes a forecast and decisions whose active time is known." in page


def test_the_sentence_in_chinese() -> None:
    queue = make_queue(sla=timedelta(hours=6))
    foretold(queue)
    client = signed_in(make_user("reviewer", queue))
    page = client.get(f"/floor/{queue.slug}/ahead/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert re.search(r"将于星期\w \d\d:\d\d突破时限，除非再加 \d+ 人。", page)


def test_hours_of_one_purpose_and_what_cannot_be() -> None:
    queue = make_queue()
    task = make_task(queue, make_item(queue, arrived_at=log.now() - timedelta(minutes=3)), purpose="control")
    rollups.roll_up(log.now())
    client = signed_in(make_user("manager", queue))
    for purpose, waiting in (("", 1), ("control", 1), ("soft", 0)):
        page = client.get(f"/floor/{queue.slug}/hours/?purpose={purpose}").context["lines"]
        assert page[0].waiting == waiting
        assert page[0].at == floor_hour(task.opened_at) or page[0].waiting is not None
    assert client.get(f"/floor/{queue.slug}/hours/?purpose=fun").status_code == 422
    assert client.get(f"/floor/{queue.slug}/hours/?count=999").status_code == 422


def test_the_accounts_stand_on_the_floor_and_what_is_missing_is_loud() -> None:
    queue, now = make_queue(), log.now()
    Queue.objects.filter(pk=queue.pk).update(created_at=now - HOUR * 3)
    queue.refresh_from_db()
    make_task(queue, make_item(queue, arrived_at=now - HOUR * 2))
    rollups.roll_up(now)
    accounts.check(queue, now)
    client = signed_in(make_user("manager", queue))
    assert "1 accepted = 1 waiting ·" in text(client, f"/floor/{queue.slug}/live/")
    make_item(queue, arrived_at=now - HOUR * 2)  # for people, and no task
    Rollup.objects.filter(queue=queue, figure="balanced").delete()
    accounts.check(queue, now)
    page = text(client, f"/floor/{queue.slug}/live/")
    assert "1 accepted item is in no state." in page
    assert "2 accepted = 1 waiting + 1 missing ·" in page


def test_what_was_imported_has_its_badge(tmp_path: Path) -> None:
    queue = make_queue()
    manager, at = make_user("manager", queue), "2026-01-05T10:00:00Z"
    file = tmp_path / "old.ndjson"
    file.write_bytes(orjson.dumps({"external_id": "old-1", "arrived_at": at, "outcome": "spam", "decided_at": at}))
    imported.run(queue=queue, file=file, by=manager, at=log.now())
    client = signed_in(manager)
    item = Item.objects.get(queue=queue)
    page = text(client, f"/audit/{queue.slug}/items/{item.pk}/")
    assert "Arrived at an earlier tool" in page
    assert re.search(r'class="badge is-outline tone-plain">.{0,200}Imported</span>', page)
    listed = text(client, f"/audit/{queue.slug}/?which=all")
    assert "an earlier tool" in listed
    assert "Imported</span>" in listed
