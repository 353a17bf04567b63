"""Rights and members through the API."""

from typing import Any

import pytest

from decisions import rights
from decisions.models import Event, Queue
from decisions.rights import Act
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
MORE: dict[str, Any] = {"export": {"lead": {}}}


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def test_a_change_is_looked_at_proposed_and_agreed_to(queue: Queue) -> None:
    one, other = caller("admin", queue, name="Ada"), caller("admin", queue, name="Ben")
    lead = caller("lead", queue)
    place = f"rights/{queue.slug}"
    seen = one.post(f"{place}/preview/", {"content": MORE}).json()
    assert (seen["waits"], seen["seconds"]) == (True, ["Ben"])
    (change,) = seen["changes"]
    assert (change["act"], change["role"], change["before"], change["is_raised"]) == ("export", "lead", None, True)
    made = one.post(f"{place}/propose/", {"content": MORE, "why": "month end", "base": 0})
    assert (made.status_code, made.json()["no"], made.json()["state"]) == (201, 1, "waiting")
    assert one.post(f"{place}/versions/1/agree/", {"why": "mine"}).json()["right"] == "manage_rights"
    assert one.get(f"{place}/").json()["waiting"]["why"] == "month end"
    agreed = other.post(f"{place}/versions/1/agree/", {"why": "read"}).json()
    assert (agreed["state"], agreed["answered_by"], agreed["answer"]) == ("enacted", "Ben", "read")
    now = other.get(f"{place}/").json()
    assert (now["version"], now["waiting"]) == (1, None)
    assert now["content"]["export"]["lead"]["rank"] == 1
    assert now["table"]["export"]["lead"] is not None
    assert rights.standing(lead.user, queue.pk) == rights.of(lead.user).on(queue.pk)
    back = other.post(f"{place}/roll-back/", {"why": "month is over"}).json()
    assert (back["no"], back["state"], back["restores"]) == (2, "enacted", None)
    told = other.get(f"{place}/versions/").json()["versions"]
    assert [(one["no"], one["state"]) for one in told] == [(2, "enacted"), (1, "enacted")]


def test_the_site_as_a_whole_has_its_own_address(queue: Queue) -> None:
    admin, local = caller("admin"), caller("admin", queue)
    less = {"export": {"manager": None}}
    assert admin.post("rights/-/propose/", {"content": less, "why": "x"}).json()["state"] == "enacted"
    assert admin.get(f"rights/{queue.slug}/").json()["table"]["export"]["manager"] is None
    for path in ("rights/-/", "rights/-/versions/", "members/-/"):
        assert local.get(path).status_code == 404
    admin.token.queues.add(queue)
    assert admin.get("rights/-/").status_code == 404


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"fly": {"lead": {}}}, "fly"),  # no such right
        ({"export": {"owner": {}}}, "export.owner"),  # no such role
        ({"undo": {"lead": {"own": "any"}}}, "undo.lead.own"),
        ({"claim": {"lead": {"up_to": -1}}}, "claim.lead.up_to"),
        ({"claim": {"lead": {"purposes": ["fun"]}}}, "content.claim.lead.purposes.0"),
        ({"manage_rights": {"admin": None}}, "manage_rights.admin"),
    ],
)
def test_bad_cells_are_named(queue: Queue, content: object, field: str) -> None:
    admin = caller("admin", queue)
    for step in ("preview", "propose"):
        said = {"content": content, **({"why": "x"} if step == "propose" else {})}
        answer = admin.post(f"rights/{queue.slug}/{step}/", said)
        assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (400, [field])


def test_states_that_do_not_fit_are_conflicts(queue: Queue) -> None:
    admin = caller("admin", queue)
    place = f"rights/{queue.slug}"
    assert admin.post(f"{place}/roll-back/", {"why": "x"}).status_code == 409
    assert admin.post(f"{place}/propose/", {"content": {}, "why": "x"}).status_code == 409
    assert admin.post(f"{place}/propose/", {"content": MORE, "why": "x", "base": 7}).status_code == 409
    assert admin.post(f"{place}/propose/", {"content": MORE, "why": "x"}).status_code == 201  # alone
    assert admin.post(f"{place}/versions/1/agree/", {"why": "x"}).status_code == 409
    assert admin.post(f"{place}/versions/9/agree/", {"why": "x"}).status_code == 404


def test_members_are_shown_added_changed_and_removed(queue: Queue) -> None:
    admin = caller("admin", name="Ada")
    new = make_user(name="Ned", email="ned@example.org")
    path = f"members/{queue.slug}/"
    given = {"email": "NED@example.org", "role": "reviewer", "value_limit": 50}
    assert admin.post(f"{path}change/", given).json() == {"changed": True}
    assert admin.post(f"{path}change/", given).json() == {"changed": False}
    told = {member["name"]: member for member in admin.get(path).json()["members"]}
    assert (told["Ned"]["role"], told["Ned"]["value_limit"], told["Ned"]["everywhere"]) == ("reviewer", 50, False)
    assert told["Ada"]["everywhere"] is True
    admin.post(f"{path}change/", {"person": new.pk, "role": "lead"})
    stands = rights.standing(new, queue.pk)
    assert stands == rights.Standing("lead")
    admin.post(f"{path}change/", {"person": new.pk, "role": ""})
    assert rights.standing(new, queue.pk) is None
    assert Event.objects.filter(chain=queue.pk, kind="person.changed").count() == 3


@pytest.mark.parametrize(
    "said", [{"email": "nobody@example.org"}, {"person": 10**9}, {}, {"email": "x"}, {"value_limit": -1}]
)
def test_bad_members_are_refused(queue: Queue, said: dict[str, object]) -> None:
    answer = caller("admin", queue).post(f"members/{queue.slug}/change/", {"role": "lead", **said})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_the_last_administrator_stays() -> None:
    admin = caller("admin")
    answer = admin.post("members/-/change/", {"person": admin.user.pk, "role": ""})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert rights.may(rights.require(admin.user, Act.MANAGE_PEOPLE, queue_id=None), Act.MANAGE_RIGHTS)
