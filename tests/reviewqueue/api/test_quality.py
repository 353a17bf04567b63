"""Quality in the API: leads see all, everybody their own; pauses are lifted; what is to be settled has no answers."""

import pytest

from decisions.measure import answering
from decisions.models import Grade, Queue, User
from decisions.record import log
from tests.decisions.measure.test_answering import golden, twice
from tests.decisions.work.makers import HAM, answered, desk
from tests.decisions.work.test_disputes import disputed
from tests.factories import NOON, make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


def paused(person: User, queue: Queue) -> Grade:
    return Grade.objects.create(
        queue=queue, person=person, no=1, n=6, wrong=6, gold_share=0.2, second_share=0.0, is_paused=True, why="errors",
        since=NOON, at=NOON,
    )  # fmt: skip


def test_a_lead_reads_what_the_core_says() -> None:
    queue, anna = desk()
    bert = make_user("reviewer", queue)
    for _ in range(31):
        golden(queue, {anna: "spam", bert: "ham"})
    twice(queue, anna, "ham", bert, "ham")
    paused(bert, queue)
    lead = caller("lead", queue)
    told = lead.get(f"queues/{queue.slug}/quality/").json()
    report = answering.of_queue(queue, lead.user, log.now())
    assert [row["person"] for row in told["people"]] == [row.user.pk for row in report.people]
    by_id = {row["person"]: row for row in told["people"]}
    assert (by_id[anna.pk]["gold"]["value"], by_id[bert.pk]["gold"]["value"]) == (1.0, 0.0)
    assert (by_id[anna.pk]["is_paused"], by_id[bert.pk]["is_paused"]) == (False, True)
    assert by_id[anna.pk]["gold_share"] is None
    assert (told["alpha"]["items"], told["alpha"]["value"]) == (32, report.alpha.value)
    assert told["gold"] == {"spam": 31}
    assert told["pairs"][0]["items"] == 32


def test_everybody_reads_their_own_and_no_more() -> None:
    queue, anna = desk()
    golden(queue, {anna: "spam", make_user("reviewer", queue): "ham"})
    told = caller(user=anna).get(f"queues/{queue.slug}/quality/mine/").json()
    assert (told["gold"]["hits"], told["gold"]["answers"], told["gold"]["value"]) == (1, 1, None)
    assert told.keys() == {"gold", "second", "agreed", "right", "is_paused"}
    assert caller(user=anna).get(f"queues/{queue.slug}/quality/").status_code == 403


def test_a_lead_lifts_a_pause_once() -> None:
    queue, anna = desk()
    paused(anna, queue)
    lead, path = caller("lead", queue), f"queues/{queue.slug}/quality/{anna.pk}/lift/"
    answer = lead.post(path)
    assert (answer.status_code, answer.json()["is_paused"], answer.json()["person"]) == (200, False, anna.pk)
    again = lead.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert lead.post(path, {"why": "x"}).status_code == 400
    assert lead.post(f"queues/{queue.slug}/quality/{lead.user.pk}/lift/").status_code == 403  # one's own
    assert lead.post(f"queues/{queue.slug}/quality/999999/lift/").status_code == 404


def test_what_waits_to_be_settled_comes_without_answers() -> None:
    queue, anna = desk()
    task = disputed(queue, anna, make_user("reviewer", queue))
    lead = caller("lead", queue)
    told = lead.get(f"queues/{queue.slug}/adjudications/").json()
    assert [row["task"] for row in told["tasks"]] == [task.pk]
    assert told["tasks"][0].keys() == {"task", "item", "external_id", "opened_at", "due_at", "rank"}
    assert caller(user=anna).get(f"queues/{queue.slug}/adjudications/").json() == {"tasks": [], "has_more": False}
    assert lead.get(f"queues/{queue.slug}/quality/").json()["settled"] == []
    answered(lead.user, queue, HAM)
    settled = lead.get(f"queues/{queue.slug}/quality/").json()["settled"]
    assert [(row["first"]["outcome"], row["ruling"]["outcome"]) for row in settled] == [("spam", "ham")]


@pytest.mark.parametrize("path", ["quality/", "quality/mine/", "adjudications/"])
def test_another_queue_is_not_found(path: str) -> None:
    stranger = caller("lead", make_queue())
    assert stranger.get(f"queues/{make_queue().slug}/{path}").status_code == 404
