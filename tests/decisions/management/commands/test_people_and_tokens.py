"""`create_user` and `create_token` print the secret alone, on standard output, once."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from decisions.models import Event, Membership, Token, User
from tests.factories import make_queue, make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """Run a command; return its standard output and its messages."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_first_administrator_is_made_with_a_password_printed_alone() -> None:
    out, err = run("create_user", "Admin@example.org", "--role", "admin")
    user = User.objects.get(email="admin@example.org")
    assert out.count("\n") == 1
    assert user.check_password(out.strip())
    assert len(out.strip()) >= 20
    assert out.strip() not in err
    assert Membership.objects.get(user=user).queue is None
    assert Event.objects.get().kind == "person.made"


def test_a_person_gets_a_role_on_one_queue_with_a_limit() -> None:
    queue = make_queue()
    run("create_user", "r@example.org", "--role", "reviewer", "--queue", queue.slug, "--name", "Rob", "--limit", "50")
    held = Membership.objects.get(user__email="r@example.org")
    assert (held.queue, held.role, held.value_limit, held.user.name) == (queue, "reviewer", 50.0, "Rob")


def test_a_simulated_person_is_marked() -> None:
    run("create_user", "sim@example.org", "--role", "reviewer", "--simulated")
    assert User.objects.get(email="sim@example.org").is_simulated


def test_somebody_who_is_here_gets_the_role_and_no_new_password() -> None:
    queue, user = make_queue(), make_user("reviewer", email="r@example.org")
    before = user.password
    out, err = run("create_user", "R@example.org", "--role", "lead", "--queue", queue.slug)
    assert out == ""
    assert "here already" in err
    user.refresh_from_db()
    assert user.password == before
    assert set(user.memberships.values_list("queue", "role")) == {(None, "reviewer"), (queue.pk, "lead")}


# the arguments, and what the refusal says
BAD = [
    (("create_user", "a@example.org", "--role", "owner"), "invalid choice"),  # no such role
    (("create_user", "a@example.org", "--role", "lead", "--queue", "nowhere"), "nowhere"),  # no such queue
    (("create_user", "nobody", "--role", "lead"), "e-mail"),  # no address
    (("create_user", "a@example.org", "--role", "lead", "--limit", "-1"), "below zero"),  # no limit
    (("create_token", "t", "--scope", "everything"), "invalid choice"),  # no such scope
    (("create_token", "t", "--scope", "read", "--queue", "nowhere"), "nowhere"),  # no such queue
    (("create_token", "t", "--scope", "read", "--as", "nobody@example.org"), "nobody"),  # no such person
    (("create_token", "t", "--scope", "read", "--days", "0"), "from 1"),  # over before it begins
    (("create_token", "t", "--scope", "read", "--as", "a@b.org", "--role", "lead"), "for a service"),  # which one?
]


@pytest.mark.parametrize(("arguments", "said"), BAD)
def test_a_bad_argument_is_refused_and_nothing_is_made(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert not User.objects.exists()
    assert not Token.objects.exists()
    assert not Event.objects.exists()


def test_a_token_is_printed_alone_and_its_digest_is_stored() -> None:
    queue, user = make_queue(), make_user("manager", email="m@example.org")
    arguments = ("--as", "m@example.org", "--scope", "intake", "--scope", "read", "--queue", queue.slug, "--days", "30")
    out, err = run("create_token", "feed", *arguments)
    token = Token.objects.get(user=user)
    assert out.startswith(f"{token.prefix}_")
    assert out.count("\n") == 1
    assert out.strip() not in err
    assert bytes(token.digest) == hashlib.sha256(out.strip().encode()).digest()
    assert (token.name, token.scopes, list(token.queues.all())) == ("feed", ["intake", "read"], [queue])
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - token.created_at < timedelta(days=31)


def test_without_a_person_a_service_of_that_name_is_made_once() -> None:
    queue = make_queue()
    for _again in range(2):
        run("create_token", "mail gateway", "--scope", "intake", "--queue", queue.slug)
    service = User.objects.get(kind=User.Kind.SERVICE)
    assert (service.name, service.tokens.count()) == ("mail gateway", 2)
    assert list(service.memberships.values_list("queue", "role")) == [(queue.pk, "auditor")]


def test_who_leaves_can_do_nothing_any_more_and_keeps_no_name() -> None:
    user = make_user("reviewer", email="r@example.org", name="Rob")
    out, _ = run("deactivate_user", "R@example.org")
    user.refresh_from_db()
    assert (user.is_active, user.memberships.count()) == (False, 0)
    assert "Rob" not in user.name
    assert user.name in out
    with pytest.raises(CommandError, match="no active person"):
        run("deactivate_user", "r@example.org")


def test_a_revoked_token_opens_nothing() -> None:
    secret, _ = run("create_token", "feed", "--scope", "intake")
    token = Token.objects.get()
    assert secret.startswith(token.prefix)
    assert run("revoke_token", token.prefix)[0] == "Revoked.\n"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert run("revoke_token", token.prefix)[0] == "It was revoked before.\n"
    with pytest.raises(CommandError, match="no token"):
        run("revoke_token", "rq_nothing")
