"""Who calls: one look-up says all, and counts at once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions import callers, people
from decisions.exceptions import Forbidden, NotFound
from decisions.queues import live
from decisions.rights import Act
from tests.factories import NOON, make_queue, make_token, make_user

pytestmark = pytest.mark.django_db


def test_one_query_tells_who_calls_what_they_may_and_what_moves_the_queue() -> None:
    queue, other = make_queue(), make_queue()
    person = make_user("manager", queue)
    token, secret = make_token(person, "intake", "read")
    token.queues.set([queue])
    callers.find(secret, NOON, queue.slug)  # the use of the token is noted
    live.of(queue.slug)
    with CaptureQueriesContext(connection) as queries:
        found = callers.find(secret, NOON, queue.slug)
        assert found
        assert found.queue(queue.slug) is live._known[queue.slug][1]
        found.demand(Act.INTAKE, queue.pk)
    assert len(queries) == 1
    assert (found.token_id, found.user, found.scopes) == (token.pk, person, frozenset({"intake", "read"}))
    assert found.queues == {queue.pk}
    with pytest.raises(NotFound):
        found.demand(Act.INTAKE, other.pk)


def test_a_queue_beyond_the_token_and_one_that_is_not_there_are_refused_alike() -> None:
    queue, other = make_queue(), make_queue()
    token, secret = make_token(make_user("manager", queue), "read")
    token.queues.set([queue])
    texts = []
    for slug in (other.slug, "nowhere"):
        found = callers.find(secret, NOON, slug)
        assert found
        with pytest.raises(NotFound) as refused:
            found.queue(slug)
        texts.append(str(refused.value))
    assert texts[0] == texts[1]


def test_a_call_that_names_no_queue_has_none() -> None:
    queue = make_queue()
    _token, secret = make_token(make_user("auditor", queue), "read")
    found = callers.find(secret, NOON)
    assert found
    assert found.moves is None
    with pytest.raises(Forbidden):
        found.demand(Act.INTAKE, queue.pk)


@pytest.mark.parametrize("how", ["revoked", "expired", "left", "wrong", "long"])
def test_what_opens_no_door(how: str) -> None:
    queue = make_queue()
    person = make_user("manager", queue)
    token, secret = make_token(person, "read")
    if how == "revoked":
        people.revoke_token(token=token, by=None, at=NOON)
    if how == "expired":
        type(token).objects.filter(pk=token.pk).update(expires_at=NOON - timedelta(seconds=1))
    if how == "left":
        people.deactivate(user=person, by=None, at=NOON)
    given = {"wrong": secret[:-1], "long": secret * 10}.get(how, secret)
    assert callers.find(given, NOON, queue.slug) is None
