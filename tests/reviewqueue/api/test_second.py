"""Overrides for a second person through the API and on pages."""

import pytest
from django.test import Client

from decisions.models import PendingOverride
from decisions.queues.spec import Confirm
from tests.factories import make_item, make_pending, make_queue, make_token, make_user
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db
HAM = {"outcome": "ham", "reason": "other", "note": "my words"}


def test_an_override_waits_is_listed_and_confirmed_by_somebody_else() -> None:
    queue = make_queue(confirm=Confirm(reverse_hard=0.0))
    one, other, auditor = caller("lead", queue), caller("lead", queue, name="Ben"), caller("auditor", queue)
    item = make_item(queue, route="hard", band="hard", score=0.95, value=5.0)
    asked = one.post(f"items/{item.pk}/override/", HAM)
    assert (asked.status_code, asked.json()["pending"]["state"]) == (202, "waiting")
    again = one.post(f"items/{item.pk}/override/", HAM)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    (listed,) = auditor.get(f"overrides/?queue={queue.slug}&state=waiting").json()["results"]
    assert (listed["act"], listed["was"], listed["outcome"], listed["note"]) == (
        "reverse_hard",
        "spam",
        "ham",
        "my words",
    )
    path = f"overrides/{listed['id']}/"
    token, secret = make_token(one.user, "review")  # another token of the same person
    assert Caller(one.user, secret, token).post(f"{path}confirm/").json()["right"] == "reverse_hard"
    made = other.post(f"{path}confirm/", {"why": "read it"})
    assert (made.status_code, made.json()["ruling"]["outcome"]) == (201, "ham")
    assert other.post(f"{path}confirm/").status_code == 409
    (listed,) = auditor.get(f"overrides/?queue={queue.slug}").json()["results"]
    assert (listed["state"], listed["closer_name"], listed["reply"]) == ("confirmed", "Ben", "read it")
    assert auditor.get(f"overrides/?queue={queue.slug}&state=waiting").json()["results"] == []


def test_refusing_needs_a_reason() -> None:
    queue = make_queue()
    pending = make_pending(make_item(queue, route="hard", band="hard", score=0.95))
    lead = caller("lead", queue)
    assert lead.post(f"overrides/{pending.pk}/turn-down/", {"why": ""}).status_code == 400
    ended = lead.post(f"overrides/{pending.pk}/turn-down/", {"why": "no"}).json()["pending"]
    assert (ended["state"], ended["closer"], ended["reply"]) == ("refused", lead.user.pk, "no")


def test_the_same_on_pages() -> None:
    queue = make_queue(confirm=Confirm(reverse_hard=0.0))
    one, other = Client(), Client()
    one.force_login(make_user("lead", queue, name="Ada"))
    other.force_login(make_user("lead", queue, name="Ben"))
    item = make_item(queue, route="hard", band="hard", score=0.95, external_id="mail-7")
    path = f"/audit/{queue.slug}/items/{item.pk}/"
    one.post(f"{path}override/", HAM)
    pending = PendingOverride.objects.get()
    mine, theirs = one.get(path).content.decode(), other.get(path).content.decode()
    assert "You asked for it" in mine
    assert "Confirm" not in mine
    assert "Confirm" in theirs
    assert "mail-7" in other.get(f"/audit/{queue.slug}/overrides/").content.decode()
    step = f"/audit/{queue.slug}/overrides/{pending.pk}/"
    assert one.post(f"{step}confirm/").status_code == 403
    assert other.post(f"{step}turn-down/", {"why": ""}).status_code == 422
    assert other.post(f"/audit/{make_queue().slug}/overrides/{pending.pk}/confirm/").status_code == 404
    assert other.post(f"{step}confirm/", {"why": ""}).status_code == 302
    assert "Confirmed" in other.get(f"/audit/{queue.slug}/overrides/").content.decode()
    assert other.post(f"{step}confirm/").status_code == 409
