"""The schedule page: a week, shifts by name and absences on the person's own clock."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from decisions.models import Absence, Queue, Shift, User
from tests.factories import make_queue, make_user

pytestmark = pytest.mark.django_db


def floor() -> tuple[Queue, Client, User]:
    queue = make_queue(timezone="Asia/Shanghai")
    client = Client()
    client.force_login(make_user("lead", queue))
    return queue, client, make_user("reviewer", queue, name="Ann", timezone="Europe/Madrid")


def sent(prefix: str, person: User, start: str, end: str) -> dict[str, str]:
    return {f"{prefix}-person": str(person.pk), f"{prefix}-starts_at": start, f"{prefix}-ends_at": end}


def test_a_shift_is_read_on_the_persons_clock_and_shown_on_the_queues() -> None:
    queue, client, ann = floor()
    path = f"/floor/{queue.slug}/schedule/"
    data = sent("shift", ann, "2026-12-01T09:00", "2026-12-01T13:00")
    assert client.post(f"{path}shifts/", data).status_code == 302
    made = Shift.objects.get()
    assert (made.person, made.starts_at) == (ann, datetime(2026, 12, 1, 8, tzinfo=UTC))
    page = client.get(path, {"week": "2026-12-03"}).content.decode()
    assert "week of 30 Nov 2026" in page
    assert "Tue 16:00" in page
    assert client.post(f"{path}shifts/{made.pk}/remove/").status_code == 302
    assert not Shift.objects.exists()


def test_a_time_that_the_clock_skips_is_an_error_of_its_field() -> None:
    queue, client, ann = floor()
    data = sent("shift", ann, "2027-03-28T02:30", "2027-03-28T09:00")
    answer = client.post(f"/floor/{queue.slug}/schedule/shifts/", data)
    assert answer.status_code == 422
    assert "There is no 2027-03-28 02:30 in Europe/Madrid" in answer.content.decode()
    assert not Shift.objects.exists()


def test_an_absence_is_entered_shown_and_taken_out() -> None:
    queue, client, ann = floor()
    path = f"/floor/{queue.slug}/schedule/"
    data = sent("absence", ann, "2026-12-01T09:00", "2026-12-02T09:00")
    assert client.post(f"{path}absences/", data).status_code == 302
    made = Absence.objects.get()
    assert f"absences/{made.pk}/remove/" in client.get(path, {"week": "2026-12-01"}).content.decode()
    wrong = sent("absence", ann, "2026-12-02T09:00", "2026-12-01T09:00")
    assert client.post(f"{path}absences/", wrong).status_code == 422
    assert client.post(f"{path}absences/{made.pk}/remove/").status_code == 302
    assert not Absence.objects.exists()


@pytest.mark.parametrize("week", ["", "soon", "1066-01-01", "2026-02-30"])
def test_what_is_no_week_is_this_one(week: str) -> None:
    queue, client, _ann = floor()
    assert client.get(f"/floor/{queue.slug}/schedule/", {"week": week}).status_code == 200


def test_ones_own_time_zone_is_kept_and_a_wrong_one_refused() -> None:
    _queue, _client, ann = floor()
    own = Client()
    own.force_login(ann)
    assert own.post("/me/work/zone/", {"timezone": "Asia/Tokyo"}).status_code == 302
    ann.refresh_from_db()
    assert ann.timezone == "Asia/Tokyo"
    assert own.post("/me/work/zone/", {"timezone": "Mars"}).status_code == 422
