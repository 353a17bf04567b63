"""The floor's panel of overload rules, and the calls beside it."""

from typing import Any

import pytest
from django.test import Client

from decisions.models import Event, Queue
from decisions.queues.spec import PolicySpec
from decisions.queues.spec_time import Overload, OverloadRule
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db
BOUNDED = PolicySpec(
    hard=0.9, soft=0.3, suggest=0.5, control_share=0.1, objective="Keep it clean", overload_soft=0.7
)  # fmt: skip
SWITCH = {"rule": "threshold", "mode": "on", "why": "peak"}


def ruled() -> Queue:
    return make_queue(policy=BOUNDED, overload=Overload(order=(OverloadRule.THRESHOLD, OverloadRule.STRETCH)))


def signed_in(role: str, queue: Queue) -> Client:
    client = Client()
    client.force_login(make_user(role, queue))
    return client


def test_the_floor_shows_what_is_in_force_who_did_it_and_why() -> None:
    queue = ruled()
    client = signed_in("manager", queue)
    page = client.get(f"/floor/{queue.slug}/").content.decode()
    assert "raise the soft cut: more passes" in page
    assert client.post(f"/floor/{queue.slug}/overload/", SWITCH).status_code == 302
    page = client.get(f"/floor/{queue.slug}/").content.decode()
    assert "level 4 of 4" in page
    assert "A peak is coming" in page
    assert Event.objects.filter(chain=queue.pk, kind="overload.switched").count() == 1


def test_a_queue_without_rules_says_so_to_its_manager_only() -> None:
    queue = make_queue()
    said = "names no overload rules"
    assert said in signed_in("manager", queue).get(f"/floor/{queue.slug}/").content.decode()
    assert said not in signed_in("reviewer", queue).get(f"/floor/{queue.slug}/").content.decode()


@pytest.mark.parametrize(("changes", "status"), [({"why": "mood"}, 422), ({"rule": "control"}, 409)])
def test_what_cannot_be_is_refused(changes: dict[str, str], status: int) -> None:
    queue = ruled()
    answer = signed_in("manager", queue).post(f"/floor/{queue.slug}/overload/", {**SWITCH, **changes})
    assert answer.status_code == status


def test_the_calls_say_and_do_the_same() -> None:
    queue = ruled()
    person = caller("manager", queue)
    told: dict[str, Any] = person.get(f"queues/{queue.slug}/overload/").json()
    assert told["order"] == ["threshold", "stretch"]
    assert [one["rule"] for one in told["rules"]] == ["threshold", "stretch", "crowd", "seconds", "control", "audit"]
    assert (told["rules"][0]["level"], told["rules"][0]["most"], told["rules"][4]["most"]) == (0, 4, 0)
    answer = person.post(f"queues/{queue.slug}/overload/switch/", SWITCH)
    rule = answer.json()["rules"][0]
    assert (rule["level"], rule["mode"], rule["person"], rule["why"]) == (4, "on", person.user.pk, "peak")
    assert rule["figures"]["backlog"] == 0


@pytest.mark.parametrize(
    ("said", "status"), [({"rule": "x"}, 400), ({"mode": ""}, 400), ({"rule": "audit"}, 409), ({"note": "x"}, 400)]
)
def test_a_call_that_cannot_be_is_refused(said: dict[str, str], status: int) -> None:
    queue = ruled()
    answer = caller("manager", queue).post(f"queues/{queue.slug}/overload/switch/", {**SWITCH, **said})
    assert answer.status_code == status


def test_a_policy_form_takes_the_bounds() -> None:
    queue = ruled()
    draft = {"hard": "0.9", "soft": "0.3", "suggest": "0.5", "control_share": "0.1", "audit_budget": "5"}
    draft |= {"objective": "o", "why": "w", "overload_soft": "0.5", "control_floor": "0.05", "audit_floor": "2"}
    assert signed_in("manager", queue).post(f"/policy/{queue.slug}/draft/", draft).status_code == 302
    policy = queue.policies.get(state="draft")
    assert (policy.overload_soft, policy.control_floor, policy.audit_floor) == (0.5, 0.05, 2)
