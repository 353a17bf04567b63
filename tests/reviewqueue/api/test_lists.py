"""The record in pages: who sees what, filters, keys."""

import json
from datetime import timedelta
from typing import Any

import pytest

from decisions.models import Action, Decision, Event, Label, Membership, Queue, Ruling, Task
from decisions.work import claim, decide
from decisions.work.answer import Answer
from tests.factories import NOON, make_item, make_queue, make_task
from tests.reviewqueue.api.caller import Caller, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue(undo=timedelta(0))


def answered(queue: Queue, person: Caller, outcome: str = "spam", **fields: Any) -> Decision:
    """Let a person claim and decide a task."""
    make_task(queue, **fields)
    (task,) = claim.next_tasks(queue_id=queue.pk, person=person.user)
    answer = Answer(outcome, "content" if outcome == "ham" else "")
    return decide.decide(task_id=task.pk, lease=task.lease, person=person.user, answer=answer)


def labelled(decision: Decision, no: int) -> None:
    """Let a decision's ruling be a label with this number."""
    ruling = decision.rulings.get()
    Label.objects.create(
        no=no,
        queue=ruling.queue,
        item=ruling.item,
        ruling=ruling,
        value=1,
        outcome="spam",
        propensity=1.0,
        provenance=Label.Provenance.SOFT,
        ruled_at=ruling.at,
        at=NOON,
    )


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_decisions_newest_first(queue: Queue) -> None:
    reviewer, auditor = caller("reviewer", queue), caller("auditor", queue)
    made = [answered(queue, reviewer).pk for _ in range(3)]
    answer = auditor.get(f"decisions/?queue={queue.slug}")
    assert ids(answer) == made[::-1]
    assert answer.json()["next"] is None
    row = answer.json()["results"][0]
    assert (row["person"], row["outcome"], row["suggested"]) == (reviewer.user.pk, "spam", "spam")


def test_reviewers_see_their_own_only(queue: Queue) -> None:
    one, two = caller("reviewer", queue), caller("reviewer", queue)
    answered(queue, one)
    other = answered(queue, two)
    for path in ("decisions", "rulings"):
        assert len(ids(one.get(f"{path}/?queue={queue.slug}"))) == 1
    assert ids(one.get(f"decisions/?queue={queue.slug}&person={two.user.pk}")) == []
    assert one.get(f"decisions/?queue={queue.slug}&after={other.pk}").status_code == 400
    assert {row["actor"] for row in one.get(f"events/?queue={queue.slug}").json()["results"]} == {one.user.pk}


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_hold_each_row_once(queue: Queue, order: str) -> None:
    reviewer, auditor = caller("reviewer", queue), caller("auditor", queue)
    made = [answered(queue, reviewer).pk for _ in range(7)]
    seen: list[int] = []
    url = f"/api/v1/decisions/?queue={queue.slug}&limit=3&order={order}"
    pages = 0
    while url:
        answer = auditor.get(url)
        seen += ids(answer)
        url = (answer.json()["next"] or "").removeprefix("http://testserver")
        pages += 1
    assert seen == (made if order == "oldest" else made[::-1])
    assert pages == 3


def test_pages_hold_rows_of_one_moment(queue: Queue) -> None:
    auditor = caller("auditor", queue)
    items = [make_item(queue) for _ in range(5)]
    made = [
        Ruling.objects.create(
            queue=queue, item=item, no=1, outcome="spam", truth="positive", source="expiry", at=NOON, final_at=NOON
        ).pk
        for item in items
    ]
    first = auditor.get(f"rulings/?queue={queue.slug}&limit=2")
    second = auditor.get(first.json()["next"].removeprefix("http://testserver"))
    third = auditor.get(second.json()["next"].removeprefix("http://testserver"))
    assert ids(first) + ids(second) + ids(third) == made[::-1]


def test_filters_narrow(queue: Queue) -> None:
    reviewer, auditor = caller("reviewer", queue), caller("auditor", queue)
    spam, ham = answered(queue, reviewer), answered(queue, reviewer, "ham")
    base = f"decisions/?queue={queue.slug}"
    assert ids(auditor.get(f"{base}&outcome=ham&reason=content")) == [ham.pk]
    assert ids(auditor.get(f"{base}&item={spam.item_id}")) == [spam.pk]
    assert ids(auditor.get(f"{base}&purpose=control")) == []
    since = ham.at.isoformat().replace("+", "%2B")
    assert ids(auditor.get(f"{base}&since={since}")) == [ham.pk]
    assert ids(auditor.get(f"{base}&until={since}")) == [spam.pk]
    assert len(ids(auditor.get(f"rulings/?queue={queue.slug}&is_override=true"))) == 1
    assert len(ids(auditor.get(f"events/?queue={queue.slug}&kind=decision.made&actor={reviewer.user.pk}"))) == 2


WRONG = ["limit=0", "limit=1001", "limit=x", "order=best", "after=x", "after=-1", "after=99", "item=x", "purpose=fun"]
WRONG += ["since=yesterday", "item=1.5", "person=99999999999999999999", "after=" + "9" * 40, "after=%C2%B2"]


@pytest.mark.parametrize("query", WRONG)
def test_wrong_queries_are_refused(queue: Queue, query: str) -> None:
    answer = caller("auditor", queue).get(f"decisions/?queue={queue.slug}&{query}")
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ["decisions", "rulings", "actions"])
def test_the_queue_must_be_named(queue: Queue, path: str) -> None:
    auditor = caller("auditor", queue)
    assert auditor.get(f"{path}/").json()["errors"][0]["field"] == "queue"
    assert auditor.get(f"{path}/?queue={make_queue().slug}").status_code == 404


def test_events_of_the_site_are_for_who_belongs_to_all_of_it(queue: Queue) -> None:
    Event.objects.create(chain=0, seq=1, kind=Event.Kind.PERSON_MADE, entry="{}", hash=b"\1" * 32, at=NOON)
    assert caller("auditor", queue).get("events/").status_code == 404
    answer = caller("auditor").get("events/")
    assert answer.json()["results"][0]["hash"] == "01" * 32
    limited = caller("auditor")
    limited.token.queues.add(queue)
    assert limited.get("events/").status_code == 404


def test_what_others_answered_stays_hidden_from_who_is_blind(queue: Queue) -> None:
    reviewer, lead = caller("reviewer", queue), caller("lead", queue)
    made = answered(queue, reviewer)
    make_task(queue, item=made.item, purpose=Task.Purpose.SECOND)
    assert ids(lead.get(f"decisions/?queue={queue.slug}")) == []
    assert ids(lead.get(f"rulings/?queue={queue.slug}")) == []
    rows = lead.get(f"events/?queue={queue.slug}").json()["results"]
    assert [row["entry"] for row in rows if row["item"] == made.item_id] == [None]


def test_labels_stream_from_a_number_on(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.learning.feed.PIECE", 2)
    reviewer, manager = caller("reviewer", queue), caller("manager", queue, "read")
    for no in range(1, 6):
        labelled(answered(queue, reviewer), no)
    answer = manager.get(f"labels/?queue={queue.slug}&after=2")
    assert answer["Content-Type"] == "application/x-ndjson"
    lines = b"".join(answer.streaming_content).splitlines()
    assert [line[:7] for line in lines] == [b'{"no":3', b'{"no":4', b'{"no":5']
    everything = manager.get(f"labels/?queue={queue.slug}")
    assert len(b"".join(everything.streaming_content).splitlines()) == 5
    assert reviewer.get(f"labels/?queue={queue.slug}").status_code == 403


def test_labels_of_every_queue_one_may_have_come_as_one_stream_when_none_is_named(queue: Queue) -> None:
    other, foreign = make_queue(undo=timedelta(0)), make_queue(undo=timedelta(0))
    for no, place in enumerate((queue, other, foreign, queue), 1):
        labelled(answered(place, caller("reviewer", place)), no)
    auditor = caller("auditor", queue, "read")
    Membership.objects.create(user=auditor.user, queue=other, role="manager")
    Membership.objects.create(user=auditor.user, queue=foreign, role="lead")

    def slugs(after: int = 0) -> list[str]:
        answer = auditor.get(f"labels/?after={after}")
        return [json.loads(line)["queue"] for line in b"".join(answer.streaming_content).splitlines()]

    assert slugs() == [queue.slug, other.slug, queue.slug]
    assert slugs(after=1) == [other.slug, queue.slug]
    auditor.token.queues.add(other)
    assert slugs() == [other.slug]
    assert caller("reviewer", queue).get("labels/").status_code == 403
    assert auditor.get("labels/?queue=").status_code == 400


def made_action(queue: Queue, **fields: Any) -> Action:
    item = make_item(queue)
    times = {"due_at": NOON, "next_at": NOON, "created_at": NOON}
    return Action.objects.create(queue=queue, item=item, name="quarantine", body=b"{}", **times, **fields)


def test_actions_told_but_not_done(queue: Queue) -> None:
    told = made_action(queue, state="delivered", delivered_at=NOON, attempts=1)
    made_action(queue, state="delivered", delivered_at=NOON, attempts=1, result="done")
    dead = made_action(queue, state="dead", attempts=10)
    made_action(queue)
    auditor = caller("auditor", queue)
    assert ids(auditor.get(f"actions/?queue={queue.slug}")) == [told.pk]
    assert ids(auditor.get(f"actions/?queue={queue.slug}&state=dead")) == [dead.pk]
    assert auditor.get(f"actions/?queue={queue.slug}&state=lost").status_code == 400
    assert caller("reviewer", queue).get(f"actions/?queue={queue.slug}").status_code == 403
    service = caller("reviewer", queue, kind="service")
    assert ids(service.get(f"actions/?queue={queue.slug}")) == [told.pk]


def test_a_result_is_recorded(queue: Queue) -> None:
    told = made_action(queue, state="delivered", delivered_at=NOON, attempts=1)
    service = caller("reviewer", queue, "intake", kind="service")
    answer = service.post(f"actions/{told.pk}/result/", {"result": "done", "detail": "moved"})
    assert (answer.status_code, answer.json()["result"]) == (200, "done")
    assert service.post(f"actions/{told.pk}/result/", {"result": "maybe"}).status_code == 400
    untold = made_action(queue)
    assert service.post(f"actions/{untold.pk}/result/", {"result": "done"}).status_code == 409
    reviewer = caller("reviewer", queue)
    assert reviewer.post(f"actions/{told.pk}/result/", {"result": "done"}).status_code == 403
    assert service.post("actions/999999/result/", {"result": "done"}).status_code == 404


def test_the_life_of_an_item(queue: Queue) -> None:
    reviewer = caller("reviewer", queue)
    made = answered(queue, reviewer)
    life = caller("auditor", queue).get(f"items/{made.item_id}/").json()
    assert life["ruling"]["outcome"] == "spam"
    assert [step["what"] for step in life["life"]][:3] == ["arrived", "routed", "moved"]
    assert {"decided", "ruled", "told", "noted"} <= {step["what"] for step in life["life"]}
    assert life["item"]["redacted"] == ["personal"]


def test_reviewers_see_the_lives_of_their_items(queue: Queue) -> None:
    reviewer, other = caller("reviewer", queue), caller("reviewer", queue)
    made = answered(queue, reviewer)
    assert reviewer.get(f"items/{made.item_id}/").status_code == 200
    assert other.get(f"items/{made.item_id}/").status_code == 403
    assert caller("reviewer", make_queue()).get(f"items/{made.item_id}/").status_code == 404
    assert reviewer.get("items/999999/").status_code == 404


def test_who_is_blind_sees_no_life_but_their_own_part(queue: Queue) -> None:
    reviewer, lead = caller("reviewer", queue), caller("lead", queue)
    made = answered(queue, reviewer)
    make_task(queue, item=made.item, purpose=Task.Purpose.SECOND)
    life = lead.get(f"items/{made.item_id}/").json()
    assert life["life"] == []
    assert (life["ruling"], life["item"]["redacted"]) == (None, ["machine", "history"])
    assert life["item"].keys().isdisjoint(("score", "arrived_at", "occurred_at"))


def test_the_person_is_named_as_now(queue: Queue) -> None:
    made = answered(queue, caller("reviewer", queue, name="Ada"))
    row = caller("manager", queue).get(f"decisions/?queue={queue.slug}").json()["results"][0]
    assert (row["person_name"], row["external_id"]) == ("Ada", made.item.external_id)
