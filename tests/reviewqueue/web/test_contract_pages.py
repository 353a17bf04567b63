"""The pages of known data, segments, fairness and the inventory: what they say, and in which state."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from decisions.models import KnownCheck, Policy, Queue
from decisions.queues.spec import FieldType, Group, PayloadField, Promise
from decisions.routing import known
from reviewqueue.web.science import fairness
from tests.decisions.measure.measured import (
    HOUR,
    NEGATIVE,
    POSITIVE,
    control,
    counted,
    frame,
    hard,
    next_policy,
    passed,
    queue_of_last_week,
    ruled,
    soft,
)
from tests.decisions.routing.known_rows import TRUTH, lines, write
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db

FIELDS = (
    PayloadField("text", FieldType.TEXT, "Text"),
    PayloadField("words", FieldType.INTEGER, "Words", low=0, high=100_000),
    PayloadField("amount", FieldType.MONEY, "Amount", unit="EUR", low=0),
    PayloadField("kind", FieldType.CATEGORY, "Kind", categories=("mail", "chat"), personal=True),
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.record.log.now", lambda: NOON + HOUR / 2)


def page(queue: Queue, path: str, role: str = "manager", **query: str) -> str:
    client = Client()
    client.force_login(make_user(role, queue))
    answer = client.get(f"/{path.format(slug=queue.slug)}", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def freeze(queue: Queue, folder: Path) -> None:
    known.freeze(queue=queue, file=write(folder / "known.csv", lines()), truth=TRUTH, note="archive 2025", at=NOON)


def test_without_a_promise_the_page_says_how_to_make_one() -> None:
    assert "promises nothing on known data" in page(make_queue(), "policy/{slug}/known/")


def test_a_promise_without_data_says_which_command_freezes_it() -> None:
    queue = make_queue(promise=Promise(0.9, 0.8))
    assert f"freeze_known_set {queue.slug} FILE.csv" in page(queue, "policy/{slug}/known/")


def test_promised_and_measured_stand_side_by_side(tmp_path: Path) -> None:
    queue = queue_of_last_week(promise=Promise(0.9, 0.8))
    freeze(queue, tmp_path)
    known.check(Policy.objects.get(queue=queue), NOON)
    for number in range(40):
        control(queue, POSITIVE if number < 36 else NEGATIVE)
    counted()
    text = page(queue, "policy/{slug}/known/", role="auditor")
    assert "The machine would act on 22 rows, and 20 of them are Spam: 90.9 %." in text
    assert "On other rows of the same kind it could as well be 70.8 % to 98.9 %." in text
    assert "About 90.0 % of hard items were Spam" in text
    assert "archive 2025" in text
    assert "Whether the model learnt from some of these rows is not known here" in text
    assert f"/policy/{queue.slug}/1/check/" not in text  # an auditor reads


def test_a_check_is_one_click_and_its_answer_is_told(tmp_path: Path) -> None:
    queue = make_queue(promise=Promise(0.95, 0.8))
    freeze(queue, tmp_path)
    client = Client()
    client.force_login(make_user("manager", queue))
    answer = client.post(f"/policy/{queue.slug}/1/check/", follow=True)
    text = answer.content.decode()
    assert "Policy 1 breaks a promise: the machine would act on 22 rows" in text
    assert "broken" in text
    assert KnownCheck.objects.get().is_kept is False
    assert client.post(f"/policy/{queue.slug}/7/check/").status_code == 404


def test_segments_before_anything_was_counted() -> None:
    assert "Nothing to tell apart yet" in page(make_queue(), "policy/{slug}/segments/")


def test_segments_say_what_is_measured_and_what_is_not() -> None:
    queue = queue_of_last_week()
    next_policy(queue, audit_budget=100)
    drawn = [ruled(passed(queue, segment="known"), POSITIVE if n < 4 else NEGATIVE) for n in range(40)]
    drawn += [ruled(passed(queue, segment="dark"), NEGATIVE) for _ in range(12)]
    frame(queue, *drawn, pi=1.0)
    counted()
    text = page(queue, "policy/{slug}/segments/")
    assert text.index('<th scope="row">known') < text.index('<th scope="row">dark', text.index("Segment by segment"))
    assert "10 %" in text
    assert "dark: 12 labels" in text
    assert "not measured" in text


@pytest.mark.parametrize("sort", ["missed", "precision", "overrides", "items", "nonsense"])
def test_segments_can_be_ranked_by_any_figure(sort: str) -> None:
    queue = queue_of_last_week()
    soft(queue, NEGATIVE, segment="a"), soft(queue, NEGATIVE)
    counted()
    text = page(queue, "policy/{slug}/segments/", sort=sort)
    assert "No segment" in text
    shown = "missed" if sort == "nonsense" else sort
    assert f'href="?sort={shown}" aria-current="true"' in text


def test_segments_are_shown_in_the_queues_own_time() -> None:
    queue = queue_of_last_week(timezone="Asia/Tokyo")
    soft(queue, NEGATIVE)
    counted()
    assert "21:00:00 JST" in page(queue, "policy/{slug}/segments/")  # 12:00 UTC


def grouped(*groups: Group) -> Queue:
    return queue_of_last_week(fields=FIELDS, groups=groups)


def test_fairness_without_groups_says_what_names_them() -> None:
    assert "[[groups]]" in page(make_queue(), "policy/{slug}/fairness/")


def test_fairness_before_anything_was_counted() -> None:
    assert "Nothing to compare yet" in page(grouped(Group("kind")), "policy/{slug}/fairness/")


def test_fairness_tells_differences_small_groups_and_how_many_comparisons() -> None:
    queue = grouped(Group("kind"), Group("words", (30.0, 60.0)))
    for n in range(40):
        control(queue, POSITIVE, payload={"kind": "mail", "words": 10})
        control(queue, POSITIVE if n < 10 else NEGATIVE, payload={"kind": "chat", "words": 40})
    for _ in range(3):
        hard(queue, payload={"words": 70})
    counted()
    text = page(queue, "policy/{slug}/fairness/", role="auditor")
    assert "A personal field: only counts of groups leave it." in text
    assert "chat, mail: the rate differs from that of all others" in text
    assert "−75.0 points" in text
    assert "60 and over" in text
    assert "fewer than 5: not told" in text
    assert "There are 10 tables" in text


# a group's key, the type of its field, and how it is read
NAMES = [
    ("..30", FieldType.INTEGER, "under 30"),
    ("30..45", FieldType.NUMBER, "30 to under 45"),
    ("-5..-2", FieldType.NUMBER, "-5 to under -2"),
    ("45..", FieldType.MONEY, "45 and over"),
    ("", FieldType.INTEGER, "Not known"),
    ("mail", FieldType.CATEGORY, "mail"),
]


@pytest.mark.parametrize(("group", "kind", "told"), NAMES)
def test_groups_are_named_for_people(group: str, kind: FieldType, told: str) -> None:
    assert fairness.name(group, PayloadField("x", kind, "X")) == told


def test_the_inventory_names_owner_watcher_and_gaps() -> None:
    queue = make_queue(owner="here@example.org", watcher="gone@example.org")
    make_user(email="here@example.org")
    text = page(queue, "audit/inventory/", role="auditor")
    assert text.index("gone@example.org") < text.index("nobody here has this address")
    assert text.count("nobody here has this address") == 1
    assert "nothing that passes is audited" in text
    assert "the queue names no groups to compare" in text


def test_the_inventory_shows_only_what_one_may_read() -> None:
    mine, other = make_queue(title="Mine"), make_queue(title="Other")
    text = page(mine, "audit/inventory/")
    assert "Mine" in text
    assert other.spec.title not in text
    assert "No queue is open to you" in page(mine, "audit/inventory/", role="reviewer")


def test_the_inventory_can_be_narrowed_to_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = make_queue()
    assert "1 with something missing" in page(queue, "audit/inventory/")
    monkeypatch.setattr("decisions.measure.inventory.Entry.is_sound", True)
    assert "Nothing is missing" in page(queue, "audit/inventory/", only="gaps")


def table(queue: Queue) -> list[dict[str, Any]]:
    client = Client()
    client.force_login(make_user("manager", queue))
    answer = client.get("/audit/inventory/csv/")
    assert answer["Content-Disposition"] == 'attachment; filename="inventory.csv"'
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_the_inventory_is_a_table_too_and_runs_no_formula() -> None:
    queue = make_queue(title="=cmd()", bears_cost="nobody")
    (row,) = table(queue)
    assert (row["queue"], row["title"], row["policy"], row["state"]) == (queue.slug, "'=cmd()", "1", "live")
    assert row["accountable_is_here"] == "false"
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    (bare,) = table(queue)
    assert (bare["queue"], bare["policy"]) == (queue.slug, "")
