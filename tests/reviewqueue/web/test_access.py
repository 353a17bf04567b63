"""Rights and members on pages: looked at, changed after a preview, agreed to, taken back."""

import re
from typing import Any

import pytest
from django.test import Client

from decisions import rights
from decisions.models import Event, Membership, Queue, User
from decisions.rights import Act, changes, edit
from reviewqueue.web.access import words
from tests.factories import make_queue, make_user

pytestmark = pytest.mark.django_db
WHY = {"why": "month end"}


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def chosen(table: rights.Table, act: Act, **may: str) -> dict[str, Any]:
    """Return what the form sends for a right as it is, but for some roles."""
    row = {role: "no" if table.limit(act, role) is None else "yes" for role in Membership.Role.values}
    return {f"{role}-may": value for role, value in {**row, **may}.items()}


def page(client: Client, path: str, data: dict[str, Any] | None = None) -> str:
    answer = client.get(path, data)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_right_is_changed_after_a_look_at_who_gains(queue: Queue) -> None:
    one, other = make_user("admin", name="Ada"), make_user("admin", name="Ben")
    make_user("lead", queue, name="Lea")
    place = f"/access/{queue.slug}/"
    said = {f"{role}-may": "below" for role in Membership.Role.values} | {"lead-may": "yes"}
    seen = page(client_of(one), f"{place}change/export/", said)
    assert "gains" in seen
    assert "Lea" in seen
    assert "a second person has to agree: Ben" in " ".join(seen.split())
    assert not edit.versions(queue)
    answer = client_of(one).post(f"{place}change/export/propose/", {**said, **WHY, "base": "0"})
    assert answer.status_code == 302
    shown = page(client_of(one), place)
    assert "waits for a second person" in shown
    assert "Agree" not in shown  # not oneself
    assert "Agree" in page(client_of(other), place)
    client_of(other).post(f"{place}versions/1/agree/", WHY)
    table = rights.table(queue.pk)
    assert table.limit(Act.EXPORT, "lead") is not None
    assert edit.in_force(queue) == edit.versions(queue)[0]
    assert "otherwise here" in page(client_of(other), place)
    assert "gains" in page(client_of(other), f"{place}versions/1/")
    assert "Nothing differs" not in page(client_of(other), f"{place}versions/1/", {"with": "0"})
    client_of(other).post(f"{place}roll-back/", WHY)
    assert rights.table(queue.pk).limit(Act.EXPORT, "lead") is None


def test_a_change_of_the_site_keeps_all_other_cells() -> None:
    admin = make_user("admin")
    before = rights.table(None)
    said = chosen(before, Act.EXPORT, manager="no")
    answer = client_of(admin).post("/access/-/change/export/propose/", {**said, **WHY, "base": "0"})
    assert answer.status_code == 302
    after = rights.table(None)
    assert [(c.act, c.role) for c in changes.between(before, after)] == [("export", "manager")]


def test_how_far_a_right_goes_is_chosen_by_its_own_limits() -> None:
    admin = make_user("admin")
    table = rights.table(None)
    said = chosen(table, Act.REVERSE_RULING, lead="yes", reviewer="no") | {
        "lead-is_valued": "on",
        "lead-up_to": "500",
        "lead-own": "any",
        "lead-routes": ["hard"],
    }
    for role in ("expert", "manager"):
        said |= {f"{role}-own": "only" if role == "expert" else "any", f"{role}-routes": ["hard", "soft", "pass"]}
    client_of(admin).post("/access/-/change/reverse_ruling/propose/", {**said, **WHY, "base": "0"})
    limit = rights.table(None).limit(Act.REVERSE_RULING, "lead")
    assert limit is not None
    assert (limit.is_valued, limit.up_to, limit.routes) == (True, 500.0, frozenset({"hard"}))
    assert "lead-up_to" not in page(client_of(admin), "/access/-/change/export/")


@pytest.mark.parametrize(
    ("act", "said", "told"),
    [
        ("export", {"lead-may": "perhaps"}, "Select a valid choice"),
        ("manage_rights", {"admin-may": "no"}, "Administrators keep this right"),
        (
            "claim",
            {"lead-may": "yes", "lead-up_to": "-1", "lead-rank": "3", "lead-own": "any"},
            "greater than or equal",
        ),
        ("claim", {"lead-may": "yes", "lead-rank": "3", "lead-own": "any"}, "Choose from"),  # no purpose at all
    ],
)
def test_what_cannot_stand_is_said_beside_the_field(queue: Queue, act: str, said: dict[str, str], told: str) -> None:
    full = {f"{role}-may": "below" for role in Membership.Role.values} | said
    answer = client_of(make_user("admin", queue)).get(f"/access/{queue.slug}/change/{act}/", full)
    assert answer.status_code == 422
    assert told in answer.content.decode()


def test_what_moved_or_has_no_reason_is_refused(queue: Queue) -> None:
    client = client_of(make_user("admin", queue))
    said = {f"{role}-may": "below" for role in Membership.Role.values} | {"manager-may": "no"}
    path = f"/access/{queue.slug}/change/export/propose/"
    assert client.post(path, {**said, **WHY, "base": "4"}).status_code == 409
    assert client.post(path, {**said, "why": " ", "base": "0"}).status_code == 422
    assert client.post(path, {**said, **WHY}).status_code == 422
    assert client.post(f"/access/{queue.slug}/change/fly/propose/", said).status_code == 404
    assert client.get(f"/access/{queue.slug}/versions/7/").status_code == 404
    assert client.get(f"/access/{queue.slug}/roll-back/").status_code == 405
    assert not edit.versions(queue)


def test_members_are_added_changed_and_removed(queue: Queue) -> None:
    admin, new = make_user("admin", name="Ada"), make_user(name="Ned", email="ned@example.org")
    client, path = client_of(admin), f"/access/{queue.slug}/members/"
    client.post(f"{path}change/", {"email": "Ned@example.org", "role": "reviewer", "value_limit": "50"})
    seen = page(client, path)
    assert "Ned" in seen
    assert rights.standing(new, queue.pk) == rights.Standing("reviewer", 50.0)
    client.post(f"{path}change/", {"email": new.email, "role": "lead", "value_limit": ""})
    assert rights.standing(new, queue.pk) == rights.Standing("lead")
    client.post(f"{path}change/", {"email": new.email, "remove": "1", "role": "lead"})
    assert rights.standing(new, queue.pk) is None
    assert Event.objects.filter(chain=queue.pk, kind="person.changed").count() == 3
    for said in ({"email": "nobody@example.org", "role": "lead"}, {"email": "x", "role": "lead"}, {"role": "boss"}):
        assert client.post(f"{path}change/", said).status_code == 422
    assert client.post("/access/-/members/change/", {"email": admin.email, "remove": "1"}).status_code == 409


def test_a_new_person_is_made_with_a_password_that_is_shown_once(queue: Queue) -> None:
    client, path = client_of(make_user("admin", name="Ada")), f"/access/{queue.slug}/members/"
    said = {"new-name": "Zoe", "new-email": "Zoe@example.org", "new-role": "reviewer", "new-value_limit": "9"}
    answer = client.post(f"{path}add/", said)
    (password,) = re.findall(r"<code>(\S+)</code>", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    zoe = User.objects.get(email="zoe@example.org")
    assert zoe.check_password(password)
    assert rights.standing(zoe, queue.pk) == rights.Standing("reviewer", 9.0)
    assert password not in page(client, path)
    assert Event.objects.get(chain=queue.pk, kind="person.made").actor is not None
    for wrong in (said, {**said, "new-email": "x"}, {**said, "new-email": "a@example.org", "new-role": "boss"}):
        assert client.post(f"{path}add/", wrong).status_code == 422
    assert User.objects.filter(email__startswith="a@").count() == 0


def test_an_auditor_sees_and_changes_nothing(queue: Queue) -> None:
    client = client_of(make_user("auditor", queue))
    for seen in (page(client, f"/access/{queue.slug}/"), page(client, f"/access/{queue.slug}/members/")):
        assert '<form method="post" action="/access/' not in seen
    assert client.get("/access/-/").status_code == 404
    assert "The whole site" not in page(client, "/access/")


def test_every_right_has_a_name() -> None:
    assert set(words.NAMES) == set(Act)
