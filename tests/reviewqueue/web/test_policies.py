"""The policy page: two persons, each step for who may take it, the canary, going back, and two side by side."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from decisions.models import Policy, PolicyChange, Queue, User
from decisions.routing import guard, publish
from tests.decisions.watch.busy import busy_queue
from tests.factories import NOON, make_item, make_policy, make_queue, make_user

pytestmark = pytest.mark.django_db

DRAFT = {"hard": "0.8", "soft": "0.3", "suggest": "0.5", "control_share": "0.1", "audit_budget": "20"}
DRAFT |= {"precision_target": "0.97", "objective": "Fewer mistakes", "why": "People complain"}


def client_of(person: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def recalibrated(queue: Queue) -> dict[str, str]:
    """What is typed for a draft of the live model with a new calibrator."""
    return {**DRAFT, "recalibrate": "on", "model": str(Policy.objects.live().get(queue=queue).model_id)}


def page(person: User, queue: Queue, tail: str = "") -> str:
    answer = client_of(person).get(f"/policy/{queue.slug}/{tail}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def step(person: User, queue: Queue, no: int, name: str, **said: str) -> Any:
    return client_of(person).post(f"/policy/{queue.slug}/{no}/{name}/", {"why": "because", **said})


def state(queue: Queue, no: int) -> str:
    return Policy.objects.get(queue=queue, no=no).state


def test_the_whole_life_on_the_page() -> None:
    queue = make_queue()
    ada, ben = make_user("manager", queue, name="Ada"), make_user("manager", queue, name="Ben")
    made = client_of(ada).post(f"/policy/{queue.slug}/draft/", DRAFT)
    assert made.status_code == 302
    policy = Policy.objects.get(queue=queue, no=2)
    assert (policy.audit_budget, policy.precision_target, policy.objective) == (20, 0.97, "Fewer mistakes")
    assert "You drafted it, so a second person approves it." in page(ada, queue)
    assert "May approve it: Ben" in " ".join(page(ada, queue).split())
    assert 'data-dialog="approve-2"' not in page(ada, queue)
    assert 'data-dialog="approve-2"' in page(ben, queue)
    assert step(ada, queue, 2, "approve").status_code == 403
    assert step(ben, queue, 2, "approve", state="draft").status_code == 302
    assert 'data-dialog="canary-2"' in page(ada, queue)
    assert "Publish without a canary" in page(ada, queue)
    assert step(ada, queue, 2, "canary", share="0.1", factor="2", state="approved").status_code == 302
    assert "Canary: policy 2" in page(ben, queue)
    assert step(ben, queue, 2, "publish", state="canary").status_code == 302
    told = page(ada, queue)
    assert "In force: policy 2" in told
    assert "Roll back to policy 1" in told
    assert 'value="Policy 2 does worse than policy 1 did"' in told
    assert step(ada, queue, 1, "roll-back", state="retired", why="Policy 2 does worse").status_code == 302
    told = page(ada, queue)
    assert "In force: policy 1" in told
    trail = told[told.index("What happened, when") :]
    for line in ("Policy 2: Drafted", "Policy 2: Approved", "Policy 2: Canary started", "Policy 2: Published"):
        assert line in trail
    assert trail.index("Policy 1: Rolled back") < trail.index("Policy 2: Published") < trail.index("Policy 2: Drafted")
    assert "Ada" in trail
    assert "Ben" in trail


def test_a_draft_with_a_new_calibrator_says_before_and_after() -> None:
    queue = busy_queue(at=timezone.now(), items=600, audits=60)
    person = make_user("manager", queue)
    shown = page(person, queue)
    assert f'hx-get="/policy/{queue.slug}/recalibration/"' in shown
    assert "none: scores as they came" in shown
    offered = page(person, queue, "recalibration/")
    made = client_of(person).post(f"/policy/{queue.slug}/draft/", recalibrated(queue))
    assert made.status_code == 302
    draft = Policy.objects.get(queue=queue, no=2)
    told = draft.calibration
    assert f"On {told['labels']} labels of the last 28 days, {told['audits']} of them of passed items" in offered
    assert f"mean probability {told['before']['mean']:.4f} → {told['after']['mean']:.4f}" in offered
    assert told["id"] in offered
    assert told["id"] in page(person, queue, "compare/?one=2")
    publish.approve(policy=draft, by=None, why="read", at=NOON)
    publish.publish(policy=draft, by=None, why="ready", at=NOON)
    assert told["id"] in page(person, queue)


def test_what_recalibration_would_change_as_a_script_asks_for_it() -> None:
    queue = make_queue()
    person, at = make_user("manager", queue), f"/policy/{queue.slug}/recalibration/"
    model = Policy.objects.get(queue=queue).model
    assert model is not None
    for query, said in (("", "0 labels"), (f"?model={model.pk}", "0 labels"), ("?model=", "Nothing scores")):
        answer = client_of(person).get(at + query, headers={"HX-Request": "true"})
        assert said in answer.content.decode()
        assert "<html" not in answer.content.decode()
    for query in ("?model=x", "?model=99999999", f"?model={make_queue().policies.get().model_id}"):
        assert client_of(person).get(at + query).status_code == 404


def test_a_calibrator_from_too_few_labels_is_refused_beside_its_box() -> None:
    queue = make_queue()
    answer = client_of(make_user("manager", queue)).post(f"/policy/{queue.slug}/draft/", recalibrated(queue))
    assert answer.status_code == 422
    assert "In the last 28 days this model&#x27;s items got 0 labels" in answer.content.decode()


def test_where_nobody_else_may_approve_the_page_says_what_to_do() -> None:
    queue = make_queue()
    person = make_user("manager", queue)
    client_of(person).post(f"/policy/{queue.slug}/draft/", DRAFT)
    assert "Nobody else here has the right" in page(person, queue)


def test_where_one_person_is_enough_the_author_approves() -> None:
    queue = make_queue(four_eyes=False)
    person = make_user("manager", queue)
    client_of(person).post(f"/policy/{queue.slug}/draft/", DRAFT)
    assert 'data-dialog="approve-2"' in page(person, queue)
    assert step(person, queue, 2, "approve").status_code == 302


# the policy's state, the step, what is sent, the answer, what it says
@pytest.mark.parametrize(
    ("before", "name", "said", "status", "told"),
    [
        ("approved", "publish", {"state": "canary"}, 409, "Reload"),  # it was stopped since the page was shown
        ("draft", "publish", {}, 409, "Reload"),  # nobody approved it
        ("approved", "publish", {"why": " "}, 422, "Say why"),
        ("approved", "canary", {"share": "1", "factor": "2"}, 422, "Share of the traffic"),
        ("approved", "canary", {"share": "some", "factor": "2"}, 422, "Share of the traffic"),
        ("approved", "canary", {"share": "0.1", "factor": "0.5"}, 422, "Stop at a factor of"),
        ("withdrawn", "roll-back", {}, 409, "no earlier policy"),
        ("approved", "stop", {}, 409, "Reload"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    before: str, name: str, said: dict[str, str], status: int, told: str
) -> None:
    queue = make_queue()
    policy = make_policy(queue, before)
    now = policy.state
    answer = step(make_user("manager", queue), queue, policy.no, name, **said)
    assert answer.status_code == status
    assert told in answer.content.decode()
    assert state(queue, policy.no) == now


def test_faults_of_a_draft_stand_at_their_fields() -> None:
    queue = make_queue()
    person = client_of(make_user("manager", queue))
    wrong = {**DRAFT, "precision_target": "1.5", "control_share": "2", "audit_budget": "-1", "hard": "7"}
    answer = person.post(f"/policy/{queue.slug}/draft/", wrong)
    assert answer.status_code == 422
    found = answer.context["form"].errors
    assert {"control_share", "audit_budget"} <= set(found)
    answer = person.post(f"/policy/{queue.slug}/draft/", {**DRAFT, "precision_target": "1.5", "hard": "7"})
    assert set(answer.context["form"].errors) == {"precision_target", "hard"}
    assert Policy.objects.filter(queue=queue).count() == 1


def test_advice_fills_the_draft_in() -> None:
    queue = make_queue()
    asked = {"hard": "0.81", "soft": "", "why": "<b>advised", "audit_budget": "7", "model": "9", "state": "live"}
    answer = client_of(make_user("manager", queue)).get(f"/policy/{queue.slug}/", asked)
    form = answer.context["form"]
    live = Policy.objects.get(queue=queue)
    assert (form["hard"].value(), form["soft"].value(), form["audit_budget"].value()) == ("0.81", "", "7")
    assert (form["suggest"].value(), form["objective"].value()) == (0.5, "Keep the mail box clean")
    assert form["model"].value() == live.model_id
    assert "&lt;b&gt;advised" in answer.content.decode()


def test_the_canary_stands_beside_the_live_policy() -> None:
    queue = make_queue()
    policy = make_policy(queue, "canary", share=0.2, precision_target=0.95)
    start = policy.changes.get(kind="canary").at
    make_item(queue, arrived_at=start + timedelta(minutes=1), band="hard", route="hard")
    guard.watch(timezone.now())
    told = page(make_user("manager", queue), queue)
    assert "Canary: policy 2" in told
    assert told.count("Too little yet") == 3
    assert 'data-dialog="stop-2"' in told
    make_policy(queue, hard=0.97)
    told = page(make_user("manager", queue), queue)
    assert "stop or publish that one first" in told
    assert 'data-dialog="canary-3"' not in told


def test_a_canary_that_its_guard_stopped_says_so() -> None:
    queue = make_queue()
    policy = make_policy(queue, "canary")
    publish.stop(policy=policy, by=None, why="HARD: 50.0% of 120 items", at=NOON)
    told = page(make_user("manager", queue), queue)
    assert "HARD: 50.0% of 120 items" in told
    assert "the machine" in told[told.index("What happened, when") :]


def test_two_policies_side_by_side() -> None:
    queue = make_queue()
    make_policy(queue, hard=0.97, control_share=0.2)
    person = make_user("manager", queue)
    told = page(person, queue, "compare/?one=2")
    assert "Policy 2 beside policy 1" in told
    for text in ("Hard from", "0.97", "0.9", "Control share", "0.2"):
        assert text in told
    assert "Soft from" not in told
    assert f"/policy/{queue.slug}/what-if/?policy=2" in told
    assert "They do the same to every score." in page(person, queue, "compare/?one=1&other=1")
    for wrong in ("9", "x", "²", "9" * 30):
        assert client_of(person).get(f"/policy/{queue.slug}/compare/", {"one": wrong}).status_code == 404


def test_going_back_twice_with_the_button_does_not_return_to_the_bad_one() -> None:
    queue = make_queue()
    for hard in (0.95, 0.97):
        make_policy(queue, "live", hard=hard)
    person = make_user("manager", queue)
    assert "Roll back to policy 2" in page(person, queue)
    step(person, queue, 2, "roll-back")
    assert "Roll back to policy 1" in page(person, queue)
    assert PolicyChange.objects.latest("pk").person == person


def test_the_list_of_queues_says_what_is_on_the_way() -> None:
    queue = make_queue()
    make_policy(queue, "canary")
    make_policy(queue, "withdrawn", hard=0.97)
    told = client_of(make_user("manager", queue)).get("/policy/").content.decode()
    assert "Canary" in told
    assert "Draft" not in told
