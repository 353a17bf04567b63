"""The page of trust: what it says to whom, and how a proposal is answered there."""

import pytest
from django.test import Client

from decisions.models import ProposalAnswer, Queue
from tests.decisions.measure.measured import HOUR, NEGATIVE, POSITIVE
from tests.decisions.measure.test_trust import decided, overrides_above_the_threshold
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON)


def client(role: str, queue: Queue) -> Client:
    made = Client()
    made.force_login(make_user(role, queue))
    return made


def page(queue: Queue, role: str = "lead", **query: str) -> str:
    answer = client(role, queue).get(f"/policy/{queue.slug}/trust/", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_leads_see_people_and_others_do_not() -> None:
    queue = make_queue()
    for k in range(40):
        decided(
            queue, POSITIVE if k % 4 else NEGATIVE, make_user(name="Ann") if not k else make_user(), reason="content"
        )
    text = page(queue)
    assert "Ann" in text
    assert "only leads see this" in text
    assert "Not measured: fewer than 30 decisions" in text
    assert "30/40" in text
    assert "No warning" in text
    assert "Ann" not in page(queue, "auditor")


def test_a_proposal_links_to_its_overrides_and_to_a_what_if() -> None:
    queue = make_queue()
    overrides_above_the_threshold(queue)
    text = page(queue, "manager")
    assert "A threshold to move" in text
    assert f"/policy/{queue.slug}/what-if/?suggest=0.55" in text
    assert "which=overrides&amp;since=" in text.replace("&since", "&amp;since")
    assert 'value="no"' in text
    assert 'value="no"' not in page(queue, "auditor")


def test_a_proposal_is_answered_on_the_page() -> None:
    queue = make_queue()
    key = overrides_above_the_threshold(queue)
    manager, path = client("manager", queue), f"/policy/{queue.slug}/trust/proposals/"
    asked = {"kind": "threshold", "key": key}
    assert "Say why it is dismissed." in manager.post(path, {**asked, "taken": "no"}, follow=True).content.decode()
    text = manager.post(path, {**asked, "taken": "no", "why": "By law."}, follow=True).content.decode()
    assert "Dismissed." in text
    assert "By law." in text
    assert (
        "does not stand any more"
        in manager.post(path, {**asked, "key": "x", "taken": "yes"}, follow=True).content.decode()
    )
    assert ProposalAnswer.objects.count() == 1


def test_where_nobody_decided_it_says_so() -> None:
    assert "Nobody decided yet" in page(make_queue())


def test_days_that_make_no_sense_are_said_beside_their_field() -> None:
    assert "Write a day as" in page(make_queue(), **{"from": "soon"})


def test_each_person_sees_their_own_line() -> None:
    queue = make_queue()
    own = client("reviewer", queue)
    person = make_user("reviewer", queue)
    own.force_login(person)
    for _ in range(31):
        decided(queue, POSITIVE, person, at=NOON - HOUR)
    text = " ".join(own.get(f"/review/{queue.slug}/mine/").content.decode().split())
    assert "You and the suggestion" in text
    assert "31/31" in text
