"""Tokens: who comes in, for what, where and how often."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from redis import Redis

from decisions.models import Event, Membership, Token, User
from reviewqueue.api import auth
from tests.factories import make_queue, make_token, make_user
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db


def status_of(person: Caller) -> int:
    return int(person.get("queues/").status_code)


def test_a_valid_token_opens_the_door_as_its_person() -> None:
    queue = make_queue()
    person = caller("reviewer", queue)
    answer = person.get("queues/")
    assert answer.status_code == 200
    assert [(q["slug"], q["role"]) for q in answer.json()["queues"]] == [(queue.slug, "reviewer")]
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "header",
    [
        None,  # nobody
        "Bearer rq_unknown",  # not one of ours
        "Bearer ",  # empty
        "Basic cnE6eA==",  # another scheme
        "Bearer " + "x" * 5000,  # too long to be one
        "Bearer r\xe9q",  # not ASCII
    ],
)
def test_other_tokens_are_refused(header: str | None) -> None:
    answer = Client().get("/api/v1/queues/", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].startswith("urn:reviewqueue:problem:")


def test_a_token_ends() -> None:
    person = caller("reviewer", make_queue())
    now = timezone.now()
    Token.objects.update(expires_at=now + timedelta(hours=1))
    assert status_of(person) == 200
    Token.objects.update(expires_at=now - timedelta(seconds=1))
    assert status_of(person) == 401


def test_a_revoked_token_ends_at_once() -> None:
    person = caller("reviewer", make_queue())
    assert status_of(person) == 200
    Token.objects.update(revoked_at=timezone.now())
    assert status_of(person) == 401


def test_a_person_who_left_is_out() -> None:
    person = caller("reviewer", make_queue())
    User.objects.filter(pk=person.user.pk).update(is_active=False)
    assert status_of(person) == 401


def test_the_last_use_is_written_once_a_minute() -> None:
    person = caller("reviewer", make_queue())
    status_of(person)
    first = Token.objects.get().last_used_at
    assert first is not None
    status_of(person)
    assert Token.objects.get().last_used_at == first
    Token.objects.update(last_used_at=first - timedelta(seconds=61))
    status_of(person)
    assert (Token.objects.get().last_used_at or first) > first


def test_a_scope_that_is_missing_is_named() -> None:
    queue = make_queue()
    answer = caller("manager", queue, "read").post(f"queues/{queue.slug}/claim/")
    assert answer.status_code == 403
    assert answer.json()["code"] == "wrong_scope"
    assert "review" in answer.json()["detail"]


def test_a_missing_right_is_named_and_noted() -> None:
    queue = make_queue()
    person = caller("auditor", queue)
    answer = person.post(f"queues/{queue.slug}/claim/")
    assert answer.status_code == 403
    assert answer.json()["right"] == "claim"
    assert "Lead" in answer.json()["detail"]
    event = Event.objects.get(kind=Event.Kind.RIGHT_REFUSED)
    assert (event.chain, event.actor, event.reason) == (queue.pk, person.user, "claim")


def test_a_token_limited_to_a_queue_finds_no_other() -> None:
    mine, other = make_queue(), make_queue()
    person = caller("manager")
    person.token.queues.add(mine)
    assert person.get(f"queues/{mine.slug}/status/").status_code == 200
    assert person.get(f"queues/{other.slug}/status/").status_code == 404
    assert [q["slug"] for q in person.get("queues/").json()["queues"]] == [mine.slug]


def test_a_foreign_queue_reads_like_none() -> None:
    queue, other = make_queue(), make_queue()
    person = caller("manager", queue)
    for path in ("queues/{}/status/", "decisions/?queue={}", "queues/{}/policies/"):
        foreign, nowhere = person.get(path.format(other.slug)), person.get(path.format("no-such"))
        assert foreign.status_code == nowhere.status_code == 404
        assert foreign.json() == nowhere.json()


def test_too_many_calls_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "limit", lambda: (2, 3600))
    person = caller("reviewer", make_queue())
    assert [status_of(person) for _ in range(3)] == [200, 200, 429]
    answer = person.get("queues/")
    assert 1 <= int(answer["Retry-After"]) <= 3600
    assert answer.json()["code"] == "throttled"


def test_processes_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "limit", lambda: (400, 3600))
    person = caller("reviewer", make_queue())
    counted = []
    for _ in range(3):
        monkeypatch.setattr(auth, "tallies", {})  # as another process would begin
        counted.append([auth.count(person.token.pk, 400, 3600) for _ in range(9)][-1])
    # Each reports its first call and then every fourth: nobody knows of more calls than there were.
    assert counted == [9, 18, 27]
    assert auth.count(person.token.pk, 400, 3600) == 28


def test_a_small_limit_is_kept_exactly_by_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "limit", lambda: (3, 3600))
    person = caller("reviewer", make_queue())
    statuses = []
    for _ in range(5):
        monkeypatch.setattr(auth, "tallies", {})
        statuses.append(status_of(person))
    assert statuses == [200, 200, 200, 429, 429]


def test_tokens_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "limit", lambda: (1, 3600))
    queue = make_queue()
    assert [status_of(caller("reviewer", queue)) for _ in range(2)] == [200, 200]


def test_without_redis_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "limit", lambda: (1, 3600))
    monkeypatch.setattr(auth.TokenThrottle, "shy_until", 0.0)
    gone = Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(auth, "redis", lambda: gone)
    person = caller("reviewer", make_queue())
    assert [status_of(person) for _ in range(3)] == [200, 200, 200]
    assert auth.TokenThrottle.shy_until > 0


def test_the_limit_is_a_setting() -> None:
    assert auth.limit() == (6000, 60)


def test_a_membership_on_all_queues_counts_on_each() -> None:
    queue = make_queue()
    user = make_user()
    Membership.objects.create(user=user, role="auditor")
    _token, secret = make_token(user, "read")
    answer = Client().get("/api/v1/queues/", headers={"Authorization": f"bearer {secret}"})
    assert [(q["slug"], q["role"]) for q in answer.json()["queues"]] == [(queue.slug, "auditor")]
