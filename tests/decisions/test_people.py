"""People and tokens come, change and go; each step leaves one event in the right chain."""

import hashlib
from datetime import timedelta

import orjson
import pytest
from allauth.account.models import EmailAddress

from decisions import people
from decisions.exceptions import Conflict, Forbidden, Invalid, NotFound
from decisions.models import Event, Membership, Move, Task, Token, User
from tests.factories import NOON, PASSWORD, make_queue, make_task, make_token, make_user

pytestmark = pytest.mark.django_db


def only_event(chain: int) -> Event:
    return Event.objects.get(chain=chain)


def test_a_person_is_made_with_a_role_and_one_event() -> None:
    queue, by = make_queue(), make_user("admin")
    user = people.make_user(
        email="New@Example.org", name="New", role="lead", queue=queue, value_limit=50, password=PASSWORD, by=by, at=NOON
    )
    assert (user.email, user.check_password(PASSWORD)) == ("new@example.org", True)
    event = only_event(queue.pk)
    assert (event.kind, event.actor) == ("person.made", by)
    assert orjson.loads(event.entry)["after"] == {"queue": queue.pk, "role": "lead", "value_limit": 50}
    assert "new@" not in event.entry


def test_a_person_for_all_queues_stands_in_the_sites_chain() -> None:
    people.make_user(email="a@example.org", role="admin", by=None, at=NOON)
    assert only_event(Event.SITE).kind == "person.made"


# what is wrong, and the field that is named
BAD_PEOPLE = [
    ({"email": "nobody"}, "email"),  # no address
    ({"role": "owner"}, "role"),  # no such role
    ({"value_limit": -1}, "value_limit"),  # less than nothing
    ({"value_limit": float("nan")}, "value_limit"),  # no number at all
]


@pytest.mark.parametrize(("wrong", "field"), BAD_PEOPLE)
def test_an_unfit_person_is_refused(wrong: dict[str, object], field: str) -> None:
    given: dict[str, object] = {"email": "a@example.org", "role": "lead", **wrong}
    with pytest.raises(Invalid) as caught:
        people.make_user(**given, by=None, at=NOON)  # type: ignore[arg-type]  # wrong on purpose
    assert [fault.field for fault in caught.value.faults] == [field]


def test_an_address_is_taken_once_whatever_its_case() -> None:
    user = make_user()
    with pytest.raises(Conflict):
        people.make_user(email=user.email.upper(), role="lead", by=None, at=NOON)


def test_a_role_is_given_changed_and_taken_away() -> None:
    queue, user = make_queue(), make_user("reviewer")
    assert people.change_role(user=user, queue=queue, role="lead", value_limit=9, by=None, at=NOON)
    assert not people.change_role(user=user, queue=queue, role="lead", value_limit=9, by=None, at=NOON)
    assert people.change_role(user=user, queue=queue, role="manager", by=None, at=NOON)
    assert people.change_role(user=user, queue=queue, role="", by=None, at=NOON)
    assert [(m.queue_id, m.role) for m in user.memberships.all()] == [(None, "reviewer")]
    entries = [orjson.loads(e.entry) for e in Event.objects.filter(chain=queue.pk).order_by("seq")]
    assert [(e["before"] and e["before"]["role"], e["after"] and e["after"]["role"]) for e in entries] == [
        (None, "lead"),
        ("lead", "manager"),
        ("manager", None),
    ]


@pytest.mark.parametrize("role", ["reviewer", "lead", "manager", "auditor"])
def test_only_administrators_change_people(role: str) -> None:
    by, user = make_user(role), make_user("reviewer")
    with pytest.raises(Forbidden):
        people.make_user(email="a@example.org", role="admin", by=by, at=NOON)
    with pytest.raises(Forbidden):
        people.change_role(user=by, queue=None, role="admin", by=by, at=NOON)
    with pytest.raises(Forbidden):
        people.deactivate(user=user, by=by, at=NOON)
    with pytest.raises(Forbidden):
        people.make_token(user=user, name="t", scopes=["read"], queues=[], by=by, at=NOON)


def test_an_administrator_of_one_queue_stays_there() -> None:
    queue, other = make_queue(), make_queue()
    by, user = make_user("admin", queue), make_user()
    assert people.change_role(user=user, queue=queue, role="lead", by=by, at=NOON)
    for place in (other, None):
        with pytest.raises(NotFound):
            people.change_role(user=user, queue=place, role="lead", by=by, at=NOON)


def test_who_leaves_gives_everything_back_and_becomes_a_pseudonym() -> None:
    queue = make_queue()
    user = make_user("reviewer", queue, name="Ada", email="ada@example.org", password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email)
    task = make_task(queue, state="claimed", holder=user, lease=3, lease_until=NOON + timedelta(minutes=5))
    token, _text = make_token(user, "read")
    people.deactivate(user=user, by=None, at=NOON)
    task.refresh_from_db()
    assert (task.state, task.holder, task.lease_until) == (Task.State.WAITING, None, None)
    assert Move.objects.filter(task=task, kind=Move.Kind.RELEASED, person=user, reason="left").count() == 1
    token.refresh_from_db()
    assert token.revoked_at == NOON
    user = User.objects.get(pk=user.pk)
    assert not user.is_active
    assert "ada" not in f"{user.name} {user.email}".lower()
    assert not user.check_password(PASSWORD)
    assert not EmailAddress.objects.filter(user=user).exists()
    assert not Membership.objects.filter(user=user).exists()
    entry = orjson.loads(only_event(Event.SITE).entry)
    assert entry == {"person": user.pk, "released": [task.pk], "returned": [], "tokens": 1}


def test_who_left_is_known_by_the_address_until_somebody_has_it_again() -> None:
    user = make_user("reviewer", email="ada@example.org")
    assert not people.has_left("ada@example.org")
    people.deactivate(user=user, by=None, at=NOON)
    assert people.has_left("Ada@example.org")
    again = people.make_user(email="ada@example.org", role="reviewer", by=None, at=NOON)
    assert not people.has_left("ada@example.org")
    people.deactivate(user=again, by=None, at=NOON)
    assert people.has_left("ada@example.org")


def test_who_has_left_cannot_leave_or_get_anything() -> None:
    user = make_user("reviewer")
    people.deactivate(user=user, by=None, at=NOON)
    with pytest.raises(Conflict):
        people.deactivate(user=user, by=None, at=NOON)
    with pytest.raises(Conflict):
        people.change_role(user=user, queue=None, role="lead", by=None, at=NOON)
    with pytest.raises(Conflict):
        people.make_token(user=user, name="t", scopes=["read"], queues=[], by=None, at=NOON)


def test_a_token_is_stored_as_its_digest() -> None:
    queue, user = make_queue(), make_user("manager")
    token, text = people.make_token(
        user=user, name="t", scopes=["intake", "read", "read"], queues=[queue], by=user, at=NOON
    )
    kind, prefix, secret = text.split("_", 2)
    assert (kind, f"rq_{prefix}", len(secret)) == ("rq", token.prefix, 43)
    stored = Token.objects.get(pk=token.pk)
    assert bytes(stored.digest) == hashlib.sha256(text.encode()).digest()
    assert (stored.scopes, list(stored.queues.all())) == (["intake", "read"], [queue])
    event = only_event(queue.pk)
    assert event.kind == "token.made"
    assert secret not in event.entry


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_a_token_needs_scopes_that_exist(scopes: list[str]) -> None:
    with pytest.raises(Invalid):
        people.make_token(user=make_user("manager"), name="t", scopes=scopes, queues=[], by=None, at=NOON)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_token_needs_a_name(name: str) -> None:
    with pytest.raises(Invalid):
        people.make_token(user=make_user("manager"), name=name, scopes=["read"], queues=[], by=None, at=NOON)


def test_a_token_is_revoked_once_with_one_event() -> None:
    user = make_user("reviewer")
    token, _text = people.make_token(user=user, name="t", scopes=["read"], queues=[], by=user, at=NOON)
    assert people.revoke_token(token=token, by=user, at=NOON)
    assert not people.revoke_token(token=token, by=user, at=NOON)
    assert not Token.objects.valid(NOON).filter(pk=token.pk).exists()
    assert [e.kind for e in Event.objects.filter(chain=Event.SITE).order_by("seq")] == ["token.made", "token.revoked"]


def test_a_service_is_made_once_and_joins_further_queues() -> None:
    queue, other = make_queue(), make_queue()
    service = people.make_service(name="gateway", role="auditor", queues=[other, queue], by=None, at=NOON)
    assert people.make_service(name="gateway", role="auditor", queues=[queue], by=None, at=NOON) == service
    assert (service.kind, service.has_usable_password()) == (User.Kind.SERVICE, False)
    assert {m.queue_id for m in service.memberships.all()} == {queue.pk, other.pk}
    assert (only_event(queue.pk).kind, only_event(other.pk).kind) == ("person.made", "person.changed")


# the scopes of a token, and the least role in which a service can use them
ROLES = [
    (["intake"], "auditor"),  # it may send as a service in any role, and decides nothing
    (["read", "audit"], "auditor"),  # it reads the whole record
    (["intake", "review"], "reviewer"),  # it decides
    (["review", "manage"], "manager"),  # it does both
]


@pytest.mark.parametrize(("scopes", "role"), ROLES)
def test_a_service_gets_the_least_role_for_its_scopes(scopes: list[str], role: str) -> None:
    assert people.role_for(scopes) == role


def test_the_last_administrator_stays() -> None:
    user, gone = make_user("admin"), make_user("admin", is_active=False)
    make_user("admin", make_queue())  # of one queue only
    make_user("admin", kind=User.Kind.SERVICE)
    with pytest.raises(Conflict, match="last administrator"):
        people.deactivate(user=user, by=None, at=NOON)
    for role in ("", "lead"):
        with pytest.raises(Conflict, match="last administrator"):
            people.change_role(user=user, queue=None, role=role, by=user, at=NOON)
    assert people.change_role(user=user, queue=None, role="admin", value_limit=5, by=None, at=NOON)
    people.make_user(email="b@example.org", role="admin", by=None, at=NOON)
    assert people.change_role(user=user, queue=None, role="lead", by=None, at=NOON)
    assert not gone.is_active


@pytest.mark.parametrize("name", ["", " ", "a\nb", " a", "x" * 81])
def test_services_and_tokens_have_names_that_can_be_read(name: str) -> None:
    with pytest.raises(Invalid) as service:
        people.make_service(name=name, role="auditor", queues=[], by=None, at=NOON)
    with pytest.raises(Invalid) as token:
        people.make_token(user=make_user("lead"), name=name, scopes=["read"], queues=[], by=None, at=NOON)
    assert [caught.value.faults[0].field for caught in (service, token)] == ["name", "name"]
    assert not User.objects.filter(kind=User.Kind.SERVICE).exists()
