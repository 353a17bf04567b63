"""`labels/`: what comes in from outside, by whom, and how it is answered."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from decisions.learning import labels
from decisions.models import Evidence, Item, Queue, Ruling
from tests.decisions.work.makers import passed_item
from tests.factories import make_queue, make_user
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Queue:
    return make_queue()


def word(item: Item, **changes: Any) -> dict[str, Any]:
    about = {"queue": item.queue.slug, "external_id": item.external_id}
    return {**about, "outcome": "spam", "source": "crm", "occurred_at": "2026-03-09T12:00:00Z", **changes}


def test_one_truth_is_told_and_again_is_a_duplicate(queue: Queue) -> None:
    item, person = passed_item(queue), caller("manager", queue, "intake")
    first = person.post("labels/", word(item))
    assert first.status_code == 201
    ruling = Ruling.objects.get()
    assert first.json() | {"id": 0} == {
        "line": 1,
        "id": 0,
        "external_id": item.external_id,
        "item": item.pk,
        "kind": "truth",
        "ruling": ruling.pk,
        "duplicate": False,
    }
    again = person.post("labels/", word(item))
    assert (again.status_code, again.json()["duplicate"], again.json()["ruling"]) == (200, True, ruling.pk)


def test_a_call_with_its_key_happens_once(queue: Queue) -> None:
    item, person = passed_item(queue), caller("manager", queue)
    for _ in range(2):
        answer = person.post("labels/", word(item), **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["duplicate"]) == (201, False)
    assert Ruling.objects.count() == 1


def test_a_batch_names_the_lines_that_are_wrong(queue: Queue) -> None:
    item, person = passed_item(queue), caller("manager", queue)
    elsewhere = passed_item(make_queue())
    answer = person.lines(
        "labels/",
        word(item),
        word(item),
        word(item, outcome="eggs"),
        word(elsewhere),
        {"queue": queue.slug},
        word(item, kind="feedback", outcome=None, right=True),
    )
    told = answer.json()
    assert (answer.status_code, told["accepted"], told["duplicates"], told["rejected"]) == (200, 2, 1, 3)
    assert [(bad["line"], bad["code"]) for bad in told["errors"]] == [(3, "choice"), (4, "unknown"), (5, "missing")]
    assert [one["line"] for one in told["results"]] == [1, 2, 6]
    assert Evidence.objects.filter(queue=elsewhere.queue).count() == 0


def test_what_is_wrong_with_one_is_told(queue: Queue) -> None:
    item, person = passed_item(queue), caller("manager", queue)
    for changes, field in (({"outcome": "eggs"}, "outcome"), ({"external_id": "x"}, "external_id")):
        answer = person.post("labels/", word(item, **changes))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert person.post("labels/", word(item, queue="no-such")).status_code == 404
    assert not Evidence.objects.exists()


def test_who_may_not_is_refused_and_the_right_is_named(queue: Queue) -> None:
    item = passed_item(queue)
    answer = caller("auditor", queue).post("labels/", word(item))
    assert (answer.status_code, answer.json()["right"]) == (403, "tell_truth")
    assert caller("manager", make_queue()).post("labels/", word(item)).status_code == 404
    assert caller("manager", queue, "read").post("labels/", word(item)).json()["code"] == "wrong_scope"


def test_a_reading_token_still_reads_and_a_sending_one_does_not(queue: Queue) -> None:
    user = make_user("manager", queue)
    assert caller("", queue, "read", user=user).get(f"labels/?queue={queue.slug}").status_code == 200
    assert caller("", queue, "intake", user=user).get(f"labels/?queue={queue.slug}").status_code == 403


def test_the_life_of_the_item_tells_of_it_and_hides_the_note(queue: Queue) -> None:
    item = passed_item(queue)
    caller("manager", queue).post("labels/", word(item, note="Mr Smith"))
    life = caller("auditor", queue).get(f"items/{item.pk}/").json()["life"]
    (heard,) = [step["details"] for step in life if step["what"] == "heard"]
    assert (heard["kind"], heard["said"], heard["source"], heard["note"]) == ("truth", "spam", "crm", "[hidden]")


def test_the_feed_is_narrowed_down_and_comes_as_three_kinds_of_file(queue: Queue) -> None:
    person = caller("manager", queue)
    for outcome in ("spam", "ham"):
        person.post("labels/", word(passed_item(queue), outcome=outcome))
    labels.feed_due(timezone.now() + timedelta(days=1))
    answer = person.get(f"labels/?queue={queue.slug}&outcome=ham&provenance=outside&final=true")
    (line,) = b"".join(answer.streaming_content).splitlines()
    assert (json.loads(line)["outcome"], json.loads(line)["weight"]) == ("ham", 1.0)
    for form, kind, start in (("csv", "text/csv", b"no,queue"), ("parquet", "application/vnd.apache.parquet", b"PAR1")):
        answer = person.get(f"labels/?queue={queue.slug}&format={form}")
        assert answer["Content-Type"].startswith(kind)
        assert b"".join(answer.streaming_content).startswith(start)


@pytest.mark.parametrize(
    "asked",
    ["format=xml", "value=2", "since=2026-03-02", "provenance=rumour", "after=x", "final=perhaps", "colour=red"],
)
def test_what_cannot_be_asked_for_is_refused(queue: Queue, asked: str) -> None:
    answer = caller("manager", queue).get(f"labels/?queue={queue.slug}&{asked}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, asked.partition("=")[0])
