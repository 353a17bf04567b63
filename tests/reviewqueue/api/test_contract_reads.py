"""Known data, segments, fairness and the inventory over the API."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from decisions.measure import rollups
from decisions.models import Policy, Queue
from decisions.queues.spec import Group, Promise
from decisions.routing import known
from tests.decisions.measure.measured import DAY, NEGATIVE, POSITIVE, control, hard, soft
from tests.decisions.routing.known_rows import TRUTH, lines, write
from tests.factories import NOON, make_queue
from tests.reviewqueue.api.caller import caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def yesterday(queue: Queue) -> dict[str, Any]:
    """Return when items arrived, and let the queue be older than that."""
    Queue.objects.filter(pk=queue.pk).update(created_at=timezone.now() - DAY * 3)
    return {"arrived_at": timezone.now() - DAY}


def test_known_data_says_what_is_promised_and_what_was_found(folder: Path) -> None:
    queue = make_queue(promise=Promise(0.95, 0.8))
    auditor = caller("auditor", queue, "audit")
    empty = auditor.get(f"queues/{queue.slug}/known/").json()
    assert empty == {"promise": {"precision": 0.95, "recall": 0.8}, "known_set": None, "checks": []}
    made = known.freeze(queue=queue, file=write(folder / "k.csv", lines()), truth=TRUTH, note="archive", at=NOON)
    known.check(Policy.objects.get(queue=queue), NOON)
    told = auditor.get(f"queues/{queue.slug}/known/").json()
    assert told["known_set"]["sha256"] == made.name
    (check,) = told["checks"]
    assert (check["policy"], check["model"], check["is_kept"]) == (1, "external", False)
    assert check["figures"]["precision"]["hits"] == 20
    assert "promised is at least 95.0 %" in check["missed"]


def test_segments_are_empty_before_anything_was_counted() -> None:
    queue = make_queue()
    told = caller("lead", queue, "read").get(f"queues/{queue.slug}/segments/").json()
    assert (told["fresh_at"], told["segments"]) == (None, [])


def test_segments_have_their_figures() -> None:
    queue = make_queue()
    at = yesterday(queue)
    for n in range(32):
        control(queue, POSITIVE if n < 24 else NEGATIVE, segment="a", **at)
    soft(queue, NEGATIVE, **at)
    rollups.roll_up(timezone.now())
    told = caller("lead", queue, "read").get(f"queues/{queue.slug}/segments/").json()
    by_name = {one["segment"]: one for one in told["segments"]}
    assert by_name["a"]["precision"]["value"] == 0.75
    assert (by_name[""]["precision"], by_name[""]["overrides"]["why"]) == (None, "few")


def test_fairness_has_its_comparisons() -> None:
    queue = make_queue(groups=(Group("kind"),))
    path = f"queues/{queue.slug}/fairness/"
    reader = caller("auditor", queue, "audit")
    assert reader.get(path).json() == {"days": 28, "is_counted": False, "fields_compared": []}
    at = yesterday(queue)
    for _ in range(6):
        hard(queue, payload={"kind": "mail"}, **at)
    hard(queue, payload={"kind": "chat"}, **at)
    rollups.roll_up(timezone.now())
    (field,) = reader.get(path).json()["fields_compared"]
    automatic = field["comparisons"][-1]
    assert (field["field"], automatic["figure"]) == ("kind", "automatic")
    assert [(one["group"], one["is_hidden"]) for one in automatic["groups"]] == [("chat", True), ("mail", False)]
    assert automatic["groups"][0]["rate"] is None


def test_the_inventory_keeps_to_the_tokens_queues() -> None:
    mine, other = make_queue(), make_queue()
    person = caller("auditor", None, "audit")
    assert {one["slug"] for one in person.get("inventory/").json()["queues"]} == {mine.slug, other.slug}
    person.token.queues.add(mine)
    (entry,) = person.get("inventory/").json()["queues"]
    assert (entry["slug"], entry["accountable"]["is_here"]) == (mine.slug, False)
    assert "misses" in [note["code"] for note in entry["not_measured"]]
    assert entry["policies"][0]["keeps_promise"] is None
