"""The page of a person of the team, and one's own."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.timezone import localtime

from decisions.models import Absence, Exclusion, Membership, Queue, Shift, User
from decisions.queues.spec import Need
from decisions.record import log
from tests.factories import NOON, make_queue, make_task, make_user

pytestmark = pytest.mark.django_db
ASKING: dict[str, Any] = {
    "needs": (Need(field="kind"),),
    "sensitive": (Need(field="text", values=("war",)),),
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def floor() -> tuple[Queue, Client, User]:
    queue = make_queue(**ASKING)
    return queue, signed_in(make_user("lead", queue)), make_user("reviewer", queue, name="Ann")


def test_a_lead_gives_skills_and_sees_them() -> None:
    queue, client, ann = floor()
    path = f"/floor/{queue.slug}/people/{ann.pk}/"
    assert client.post(f"{path}skills/", {"skill": ["kind=chat"]}).status_code == 302
    assert Membership.objects.get(user=ann).skills == ["kind=chat"]
    page = client.get(path).content.decode()
    assert 'value="kind=chat" checked' in page
    assert 'value="kind=mail">' in page
    assert client.post(f"{path}skills/", {"skill": ["magic"]}).status_code == 422


def test_a_lead_excludes_and_lifts_and_the_subjects_name_is_nowhere() -> None:
    queue, client, ann = floor()
    path = f"/floor/{queue.slug}/people/{ann.pk}/"
    sent = {"kind": "subject", "name": "Bob", "why": "complaint"}
    assert client.post(f"{path}exclusions/", sent).status_code == 302
    page = client.get(path).content.decode()
    assert "Somebody complained" in page
    assert "Bob" not in page
    made = Exclusion.objects.get()
    assert client.post(f"{path}exclusions/{made.pk}/lift/").status_code == 302
    assert not Exclusion.objects.exists()
    assert client.post(f"{path}exclusions/", {**sent, "name": ""}).status_code == 422


def test_the_page_tells_what_they_have_and_not_what_they_opted_out_of() -> None:
    queue, client, ann = floor()
    ann.opt_outs = [f"{queue.pk}:text=war"]
    ann.save()
    task = make_task(queue, only_for=ann, only_until=NOON)
    gold = make_task(queue, purpose="gold", only_for=ann)
    page = client.get(f"/floor/{queue.slug}/people/{ann.pk}/").content.decode()
    assert task.item.external_id in page
    assert gold.item.external_id not in page
    assert "text=war" not in page
    assert "Text: war" not in page


def test_who_is_not_of_the_queue_is_not_found() -> None:
    queue, client, _ann = floor()
    stranger = make_user("reviewer", make_queue())
    assert client.get(f"/floor/{queue.slug}/people/{stranger.pk}/").status_code == 404


def test_one_opts_out_and_names_what_is_ones_own() -> None:
    queue, _client, ann = floor()
    mine = signed_in(ann)
    assert "nobody else is told" in mine.get("/me/work/").content.decode()
    assert mine.post(f"/me/work/{queue.slug}/opt-outs/", {"category": ["text=war"]}).status_code == 302
    ann.refresh_from_db()
    assert ann.opt_outs == [f"{queue.pk}:text=war"]
    sent = {"kind": "item", "name": "m-7", "why": "own"}
    assert mine.post(f"/me/work/{queue.slug}/exclusions/", sent).status_code == 302
    page = mine.get("/me/work/").content.decode()
    assert 'value="text=war" checked' in page
    assert "m-7" in page
    assert mine.post(f"/me/work/{queue.slug}/opt-outs/", {"category": ["kind=chat"]}).status_code == 422


def test_who_has_no_queue_is_told_so_and_a_strangers_queue_is_not_there() -> None:
    queue, _client, _ann = floor()
    other = signed_in(make_user())
    assert "No queue is open to you" in other.get("/me/work/").content.decode()
    assert other.post(f"/me/work/{queue.slug}/opt-outs/").status_code == 404
    assert Client().get("/me/work/").status_code == 302


def test_the_page_tells_when_they_work_and_where_else() -> None:
    queue, client, ann = floor()
    here, hidden = make_queue(slug="here"), make_queue(slug="hidden")
    lead = User.objects.get(memberships__role="lead")
    for other, of_lead in ((here, True), (hidden, False)):
        Membership.objects.create(user=ann, queue=other, role="expert")
        if of_lead:
            Membership.objects.create(user=lead, queue=other, role="lead")
        start = log.now() + timedelta(days=1)
        span = {"starts_at": start, "ends_at": start + timedelta(hours=4)}
        Shift.objects.create(queue=other, person=ann, people=1, made_by=lead, **span)
    Absence.objects.create(person=ann, starts_at=start, ends_at=start + timedelta(hours=2), made_by=lead)
    page = client.get(f"/floor/{queue.slug}/people/{ann.pk}/").content.decode()
    assert f"/floor/here/people/{ann.pk}/" in page
    assert "/floor/here/schedule/" in page
    assert "/floor/hidden/" not in page
    assert "Away, from all queues:" in page


def test_ones_own_absence_is_entered_on_ones_own_clock_and_taken_out() -> None:
    queue, _client, ann = floor()
    ann.timezone = "Asia/Tokyo"
    ann.save()
    own = signed_in(ann)
    path = f"/me/work/{queue.slug}/absences/"
    day = localtime(log.now() + timedelta(days=2), ZoneInfo("Asia/Tokyo"))
    assert own.post(path, {"starts_at": f"{day:%Y-%m-%d}T09:00", "ends_at": f"{day:%Y-%m-%d}T12:00"}).status_code == 302
    made = Absence.objects.get()
    assert (made.person, made.made_by, localtime(made.starts_at, ZoneInfo("Asia/Tokyo")).hour) == (ann, ann, 9)
    assert f"{path}{made.pk}/remove/" in own.get("/me/work/").content.decode()
    wrong = own.post(path, {"starts_at": f"{day:%Y-%m-%d}T12:00", "ends_at": f"{day:%Y-%m-%d}T09:00"})
    assert wrong.status_code == 422
    assert "An absence ends after it starts." in wrong.content.decode()
    assert signed_in(make_user("reviewer", queue)).post(f"{path}{made.pk}/remove/").status_code == 403
    assert own.post(f"{path}{made.pk}/remove/").status_code == 302
    assert not Absence.objects.exists()
