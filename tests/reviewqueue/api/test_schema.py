"""The schema is current, and says all that happens and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from decisions import requests
from decisions.models import Request, Ruling
from reviewqueue.api import auth, examples
from tests.reviewqueue.api import contract, worlds, worlds_team
from tests.reviewqueue.api.worlds import CLOSE, FAR, ITEM, SNOOZE, World

pytestmark = pytest.mark.django_db
FILE = settings.BASE_DIR / "docs" / "openapi.yaml"
WORKS = worlds.WORKS | worlds_team.WORKS


def test_the_file_is_current(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    assert made.read_text() == FILE.read_text(), "run: manage.py spectacular --file docs/openapi.yaml --validate"


def test_every_call_has_a_summary_and_the_token_scheme() -> None:
    for method, path, operation in contract.operations().values():
        assert operation.get("summary"), (method, path)
        assert operation.get("security", [{}]) in ([{"token": []}], [{}])


ADMINS = ("preview_rights", "propose_rights", "roll_back_rights", "agree_rights", "turn_down_rights", "change_member")
ROLES = dict.fromkeys(ADMINS, "admin") | dict.fromkeys(worlds_team.LEADS, "lead")  # the others: manager


def unauthorized(world: World, operation: str) -> None:
    world.person.secret = "rq_none"
    world.send(operation)


def forbidden(world: World, operation: str) -> None:
    world.person.token.scopes = []
    world.person.token.save()
    world.send(operation)


def absent(world: World, operation: str) -> None:
    body = {"lease": 0, "outcome": "spam", "reason": "unclear", "why": "x", "result": "done", "share": 0.1}
    wanted = {
        "skip_task": ("lease", "reason"),
        "escalate_task": ("lease",),
        "decide_task": ("lease", "outcome"),
        "override_item": ("outcome",),
        "record_result": ("result",),
        "publish_policy": ("why",),
        "turn_down_override": ("why",),
        "file_appeal": ("statement",),
        "tell_truth": ("queue", "external_id", "outcome", "source", "occurred_at"),
        "draft_policy": ("why",),
        "approve_policy": ("why",),
        "withdraw_policy": ("why",),
        "start_canary": ("why", "share"),
        "stop_canary": ("why",),
        "roll_back_policy": ("why",),
        "start_shadow": ("why",),
        "stop_shadow": ("why",),
    }
    wanted |= dict.fromkeys(("roll_back_rights", "agree_rights", "turn_down_rights"), ("why",))
    wanted |= {"preview_rights": ("content",), "propose_rights": ("content", "why"), "change_member": ("role",)}
    body |= {"queue": "no-such", "external_id": "x", "source": "crm", "occurred_at": "2026-03-02T12:00:00Z"}
    body |= {"content": {}, "role": "lead", "statement": "x"}
    body |= {**SNOOZE, **CLOSE, "cause": "x"}
    wanted |= {"snooze_alert": ("until",), "diagnose_alert": ("cause",), "close_alert": ("end", "lesson")}
    usual = ("lease",) if operation.endswith("_task") else ()
    said = worlds_team.SAID.get(operation) or {name: body[name] for name in wanted.get(operation, usual)}
    if operation == "escalate_task":
        said["reason"] = "expert"
    far = dict.fromkeys(("item", "action", "no", "alert", "pending", "shadow", "run"), FAR)
    world.send(operation, said, queue="no-such", **far)


def malformed(world: World, operation: str) -> None:
    method, path = world.call(operation)
    if method == "GET":
        world.person.get(f"{path}{'&' if '?' in path else '?'}after=x&window=x&count=x&days=x&from=x&other_from=x")
    elif operation == "submit_batch":
        world.person.lines(f"{path}?results=some", ITEM)
    else:
        world.person.send("POST", path, b"{")


def in_flight(world: World, operation: str) -> None:
    """Let another connection hold the call's Idempotency-Key."""
    with held(requests._lock(world.person.user, "k")):
        _method, path = world.call(operation)
        world.person.post(path, {}, **{"Idempotency-Key": "k"})


@contextmanager
def held(lock: int) -> Iterator[None]:
    other = psycopg2.connect(**connection.get_connection_params())
    try:
        other.cursor().execute("SELECT pg_advisory_lock(%s)", [lock])
        yield
    finally:
        other.close()


def in_chunks(world: World, operation: str) -> None:
    world.person.post(world.call(operation)[1], {}, **{"Transfer-Encoding": "chunked"})


def too_big(world: World, operation: str) -> None:
    most = 20 * 1024 * 1024 if operation.startswith("submit") else 1024 * 1024
    kind = "application/x-ndjson" if operation == "submit_batch" else "application/json"
    world.person.send("POST", world.call(operation)[1], b" " * (most + 1), content_type=kind)


def other_type(world: World, operation: str) -> None:
    world.person.send("POST", world.call(operation)[1], b"<x/>", content_type="application/xml")


def reused_key(world: World, operation: str) -> None:
    Request.objects.create(
        user=world.person.user, key="k", digest=b"\0" * 32, status=200, answer=b"", at=timezone.now()
    )
    world.person.post(world.call(operation)[1], {}, **{"Idempotency-Key": "k"})


def throttled(world: World, operation: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "limit", lambda: (0, 3600))
        world.send(operation)


REFUSED: dict[str, Callable[[World, str], None]] = {
    "400": malformed,
    "401": unauthorized,
    "403": forbidden,
    "404": absent,
    "409": in_flight,
    "411": in_chunks,
    "413": too_big,
    "415": other_type,
    "422": reused_key,
    "429": throttled,
}


@pytest.mark.parametrize("operation", sorted(contract.operations()))
def test_each_documented_status_occurs(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    method, path, described = contract.operations()[operation]
    judge = contract.check

    def check(called: str, answer: Any) -> None:
        judge(called, answer)
        if called == method and contract.template(answer) == path:
            seen.add(str(answer.status_code))

    monkeypatch.setattr(contract, "check", check)
    role = ROLES.get(operation, "manager")
    WORKS[operation](World(role))
    for status, refuse in REFUSED.items():
        if status in described["responses"]:
            refuse(World(role), operation)
    assert seen == set(described["responses"])


def test_the_examples_are_true() -> None:
    world = World()
    answer = world.send("submit_item", examples.ITEM).json()
    assert answer.keys() == examples.ROUTED.keys()
    assert Ruling.objects.count() == 0
