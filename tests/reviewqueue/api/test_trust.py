"""Trust by call: the figures of the core, one's own line, and answers to proposals."""

import pytest

from tests.decisions.measure.measured import NEGATIVE, POSITIVE
from tests.decisions.measure.test_trust import decided, overrides_above_the_threshold
from tests.factories import NOON, make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON)


def test_it_says_what_the_core_found() -> None:
    queue = make_queue()
    decided(queue, POSITIVE, make_user(name="Ann")), decided(queue, NEGATIVE, make_user(), reason="content")
    told = caller("lead", queue, "read").get(f"queues/{queue.slug}/trust/").json()
    assert (told["decisions"], told["whole"]["shown"]["hits"], told["whole"]["shown"]["n"]) == (2, 1, 2)
    assert told["whole"]["shown"]["value"] is None
    assert told["whole"]["warnings"] == []
    assert "Ann" in [one["name"] for one in told["people"]]
    assert told["reasons"][0]["code"] == "content"
    assert caller("auditor", queue, "read").get(f"queues/{queue.slug}/trust/").json()["people"] is None


def test_ones_own_line_is_ones_own() -> None:
    queue = make_queue()
    person = caller("reviewer", queue)
    decided(queue, POSITIVE, person.user), decided(queue, POSITIVE, make_user())
    assert person.get(f"queues/{queue.slug}/trust/mine/").json()["shown"]["n"] == 1


def test_a_proposal_is_answered_once() -> None:
    queue = make_queue()
    key = overrides_above_the_threshold(queue)
    person, path = caller("manager", queue), f"queues/{queue.slug}/trust/proposals/"
    asked = {"kind": "threshold", "key": key, "is_taken": False}
    assert person.post(path, asked).status_code == 400
    told = person.post(path, {**asked, "why": "By law."})
    assert (told.status_code, told.json()["why"]) == (200, "By law.")
    assert person.post(path, {**asked, "key": "x", "is_taken": True}).status_code == 409
    (one,) = person.get(f"queues/{queue.slug}/trust/").json()["proposals"]
    assert one["answer"]["is_taken"] is False
    assert (one["kind"], one["cut"]) == ("threshold", 0.55)


@pytest.mark.parametrize("query", ["from=x", "to=2027-13-01"])
def test_days_that_make_no_sense_are_refused(query: str) -> None:
    queue = make_queue()
    assert caller("lead", queue, "read").get(f"queues/{queue.slug}/trust/?{query}").status_code == 400
