"""Status, probes, metrics, the schema's page."""

import pytest
from django.db import OperationalError
from django.test import Client
from redis import Redis

from decisions.models import Policy, Queue
from reviewqueue.api import auth, ops
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def test_status_has_the_figures(queue: Queue) -> None:
    answer = caller("reviewer", queue, "read").get(f"queues/{queue.slug}/status/")
    assert answer.status_code == 200
    assert {"backlog", "queue_rate", "capacity", "utilisation", "time_to_empty", "fresh_at"} <= answer.json().keys()


def test_a_queue_without_a_live_policy_takes_no_items(queue: Queue) -> None:
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    answer = caller("manager", queue).post(f"queues/{queue.slug}/items/", {"external_id": "1", "payload": {}})
    assert answer.status_code == 409


def test_probes_need_no_token() -> None:
    assert Client().get("/livez").json()["status"] == "alive"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "database": "ready", "redis": "ready"})


def test_not_ready_without_all_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "_leaves", lambda: (("decisions", "9999_future"),))
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "not_migrated")


def test_not_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: object) -> None:
        raise OperationalError

    monkeypatch.setattr("django.db.migrations.recorder.MigrationRecorder.applied_migrations", gone)
    assert Client().get("/readyz").status_code == 503


def test_ready_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(auth, "redis", lambda: gone)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["redis"]) == (200, "unreachable")


def test_metrics_are_for_managers_and_auditors(queue: Queue) -> None:
    assert Client().get("/metrics").status_code == 401
    assert caller("manager", queue, "read").get("/metrics").status_code == 403
    answer = caller("manager", queue, "manage").get("/metrics")
    assert answer["Content-Type"].startswith("text/plain")
    assert f'rq_actions_dead{{queue="{queue.slug}"}} 0.0' in answer.content.decode()


def test_metrics_show_the_callers_queues(queue: Queue) -> None:
    other = make_queue()
    assert other.slug not in caller("manager", queue, "manage").get("/metrics").content.decode()


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
def test_the_schema_is_not_public(queue: Queue, path: str) -> None:
    assert Client().get(path).status_code == 401
    assert caller("reviewer", queue, "read").get(path).status_code == 200
    signed_in = Client()
    signed_in.force_login(make_user(), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert signed_in.get(path).status_code == 200


def test_the_docs_hold_no_inline_script(queue: Queue) -> None:
    person = caller("reviewer", queue, "read")
    page = person.get("/api/docs/").content.decode()
    assert "<style" not in page
    assert page.count("<script src=") == page.count("<script")
    script = person.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in script.content.decode()


def test_an_address_that_leads_nowhere() -> None:
    answer = Client().post("/api/v1/nothing")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_wrong_method_is_told(queue: Queue) -> None:
    answer = caller("manager", queue).get(f"queues/{queue.slug}/claim/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
