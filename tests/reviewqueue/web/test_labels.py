"""The labels' and data sets' pages: what training gets, what was frozen, and who may take it along."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from decisions.learning import datasets, labels
from decisions.models import DataSet, Item, Queue, User
from decisions.queues import live
from decisions.record import erase
from decisions.work import outside, said
from tests.decisions.effects.world import make_ruling
from tests.factories import NOON, make_data_set, make_item, make_queue, make_task, make_user

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def queue() -> Queue:
    return make_queue()


@pytest.fixture
def manager(queue: Queue) -> User:
    return make_user("manager", queue)


def labelled(queue: Queue, item: Item | None = None, hours: int = 0, **ruling: Any) -> Item:
    item = item or make_item(queue)
    labels.plan(make_ruling(item, NOON + hours * HOUR, **ruling))
    labels.feed_due(NOON + (hours + 1) * HOUR)
    return item


def client(person: User) -> Client:
    made = Client()
    made.force_login(person)
    return made


def page(person: User, queue: Queue, rest: str) -> str:
    answer = client(person).get(f"/policy/{queue.slug}/{rest}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_queue_without_labels_says_when_the_first_comes(queue: Queue, manager: User) -> None:
    shown = page(manager, queue, "labels/")
    assert "No labels yet" in shown
    assert "No data set is frozen yet" in shown
    assert "No data set yet" in page(manager, queue, "data-sets/")


def test_labels_are_listed_and_a_correction_says_so(queue: Queue, manager: User) -> None:
    item = labelled(queue)
    labelled(queue, item, 1, outcome="ham", truth="negative", source="outside")
    shown = page(manager, queue, "labels/")
    assert shown.index("<td>Outside truth</td>") < shown.index("corrects it") < shown.index("<td>Override</td>")
    assert f'href="/audit/{queue.slug}/items/{item.pk}/"' in shown
    only = page(manager, queue, "labels/?final=yes")
    assert "Not spam" in only
    assert only.count("data-row") == 1
    assert "No label fits this filter" in page(manager, queue, "labels/?provenance=gold")


def test_pages_go_on_after_a_number(queue: Queue, manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewqueue.web.science.labels.PAGE", 2)
    for _ in range(3):
        labelled(queue)
    assert 'href="?after=2"' in page(manager, queue, "labels/")
    assert page(manager, queue, "labels/?after=2").count("data-row") == 1


def test_what_one_is_blind_to_is_hidden(queue: Queue, manager: User) -> None:
    item = labelled(queue)
    make_task(queue, item, purpose="second")
    shown = page(manager, queue, "labels/")
    assert "Hidden while you may still be asked" in shown
    assert item.external_id not in shown


def test_labels_are_taken_along_as_a_file(queue: Queue, manager: User) -> None:
    labelled(queue)
    labelled(queue, None, 1, outcome="ham", truth="negative")
    for form, start in (("csv", b"no,queue"), ("ndjson", b'{"no":2'), ("parquet", b"PAR1")):
        answer = client(manager).get(f"/policy/{queue.slug}/labels/file/?format={form}&outcome=ham")
        assert b"".join(answer.streaming_content).startswith(start)  # type: ignore[attr-defined]  # a stream
        assert f"{queue.slug}-labels.{form}" in answer["Content-Disposition"]


@pytest.mark.parametrize("asked", ["format=xml", "format=csv&since=never", "format=csv&outcome=eggs"])
def test_a_file_of_what_cannot_be_asked_for_is_refused(queue: Queue, manager: User, asked: str) -> None:
    assert client(manager).get(f"/policy/{queue.slug}/labels/file/?{asked}").status_code == 422


def test_a_data_set_is_frozen_once_and_shown(queue: Queue, manager: User) -> None:
    gone = labelled(queue, make_item(queue, segment="retail"))
    labelled(queue, None, 1, outcome="ham", truth="negative")
    first = client(manager).post(f"/policy/{queue.slug}/data-sets/freeze/", follow=True)
    made = DataSet.objects.get()
    assert "A data set of 2 rows is frozen." in first.content.decode()
    again = client(manager).post(f"/policy/{queue.slug}/data-sets/freeze/", follow=True)
    assert "Nothing has changed since" in again.content.decode()
    shown = page(manager, queue, f"data-sets/{made.name}/")
    for words in ("One of the answers has 1 rows only", "retail", "Rows as Parquet", "Sum of weights", "1.62"):
        assert words in shown
    assert made.name[:12] in page(manager, queue, "data-sets/")
    assert "the newest data set" in page(manager, queue, "labels/")
    answer = client(manager).get(f"/policy/{queue.slug}/data-sets/{made.name}/rows/")
    assert b"".join(answer.streaming_content).startswith(b"PAR1")  # type: ignore[attr-defined]  # a stream
    erase.erase(item_id=gone.pk, by=make_user("admin", queue), why="asked", legal_basis="Art. 17", at=timezone.now())
    datasets.forget_erased()
    assert "1 row was erased since" in page(manager, queue, f"data-sets/{made.name}/")


def test_two_data_sets_stand_beside_each_other(queue: Queue, manager: User) -> None:
    one, other = make_data_set(queue), make_data_set(queue, rows=4)
    shown = page(manager, queue, f"data-sets/{one.name}/?other={other.name}")
    assert "Beside another one" in shown
    assert f"/policy/{queue.slug}/data-sets/{other.name}/" in shown
    assert "“words” alone nearly gives the answer away (AUC 1.000)" in shown
    assert "Its file is not on disk here" in shown


def test_a_data_set_of_an_earlier_version_says_so(queue: Queue, manager: User) -> None:
    manifest = {"query": {"last_no": 3}, "classes": {}, "segments": {}, "provenance": {}, "file": {"rows": 3}}
    made = make_data_set(queue, manifest=manifest)
    assert "frozen by an earlier version" in page(manager, queue, f"data-sets/{made.name}/")


def test_one_of_another_queue_is_not_there(queue: Queue, manager: User) -> None:
    other = make_data_set(make_queue())
    assert client(manager).get(f"/policy/{queue.slug}/data-sets/{other.name}/").status_code == 404


def test_who_only_reads_finds_no_button_and_no_rows(queue: Queue) -> None:
    auditor, made = make_user("auditor", queue), make_data_set(queue)
    assert "Freeze now" not in page(auditor, queue, "data-sets/")
    assert "Rows as Parquet" not in page(auditor, queue, f"data-sets/{made.name}/")
    assert client(auditor).get(f"/policy/{queue.slug}/data-sets/{made.name}/rows/").status_code == 403
    assert f"/policy/{queue.slug}/labels/" in client(auditor).get(f"/audit/{queue.slug}/").content.decode()


def test_the_life_of_an_item_tells_of_truths_feedback_and_corrections(queue: Queue, manager: User) -> None:
    item = make_item(queue, route="pass", band="pass", score=0.1, propensity=None)
    about = {"queue": queue.slug, "external_id": item.external_id, "source": "ledger"}
    words = [
        {**about, "outcome": "ham", "occurred_at": "2026-03-09T12:00:00Z"},
        {**about, "outcome": "spam", "occurred_at": "2026-03-10T12:00:00Z", "note": "It was fraud"},
        {**about, "outcome": "ham", "occurred_at": "2026-03-08T12:00:00Z"},
        {**about, "kind": "feedback", "right": False, "occurred_at": "2026-03-11T12:00:00Z"},
    ]
    lines = [said.line(no, orjson.dumps(word)) for no, word in enumerate(words, 1)]
    outside.tell(queues={queue.slug: live.of(queue.slug)}, lines=lines, by=manager)
    labels.feed_due(timezone.now() + timedelta(days=1))
    answer = client(manager).get(f"/audit/{queue.slug}/items/{item.pk}/")
    shown = " ".join(answer.content.decode().split())
    for words_ in (
        "Outside truth: Spam",
        "It was fraud",
        "ledger",
        "A truth of a later time was here already: it holds.",
        "An end user says: that was wrong",
        "it changes nothing that holds",
        "Label corrected: Not spam → Spam",
        "Weight",
    ):
        assert words_ in shown
    auditor = client(make_user("auditor", queue)).get(f"/audit/{queue.slug}/items/{item.pk}/").content.decode()
    assert "It was fraud" not in auditor
