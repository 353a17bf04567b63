"""Every queue with its people, what is measured and what is not, at the same cost for many as for one."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from decisions.measure import inventory
from decisions.measure.inventory import Entry
from decisions.models import Alert, KnownCheck, ModelVersion, Policy, Queue, Rollup
from decisions.queues.spec import Group, Promise
from decisions.routing import known, publish
from tests.decisions.measure.measured import (
    NEGATIVE,
    POSITIVE,
    audited,
    counted,
    next_policy,
    queue_of_last_week,
)
from tests.decisions.routing.known_rows import TRUTH, lines, write
from tests.factories import NOON, make_queue, make_user

pytestmark = pytest.mark.django_db


def entry(queue: Queue) -> Entry:
    (found,) = inventory.entries(make_user("auditor", queue), NOON)
    return found


def codes(found: Entry) -> tuple[list[str], list[str]]:
    return [note.code for note in found.measured], [note.code for note in found.not_measured]


def test_a_new_queue_has_much_that_is_not_measured() -> None:
    found = entry(make_queue())
    assert codes(found) == ([], ["precision", "misses", "answers", "promise", "fairness"])
    assert (found.owner.email, found.owner.is_here, found.watcher.email) == (
        "owner@example.org",
        False,
        "owner@example.org",
    )
    assert not found.is_sound


def test_what_is_measured_is_told(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    queue = queue_of_last_week(promise=Promise(0.9, 0.9), groups=(Group("kind"),), watcher="watch@example.org")
    make_user(email="owner@example.org"), make_user(email="watch@example.org")
    policy = next_policy(queue, audit_budget=10)
    audited(queue, NEGATIVE, POSITIVE)
    known.freeze(queue=queue, file=write(tmp_path / "known.csv", lines()), truth=TRUTH, at=NOON)
    known.check(policy, NOON)
    counted()
    assert "nobody answered an audit" in texts(entry(queue))
    answered(queue, audit=2, control=5)
    found = entry(queue)
    assert codes(found) == (["precision", "misses", "answers", "promise", "fairness"], [])
    assert found.is_sound
    assert (found.owner.is_here, found.watcher.is_here) == (True, True)
    assert found.facts.arrived == {"pass": 2}
    assert found.facts.checks[policy.pk].is_kept


def answered(queue: Queue, **purposes: int) -> None:
    """Count answers as the hourly figures do."""
    for purpose, count in purposes.items():
        Rollup.objects.create(queue=queue, figure="decisions", key=purpose, at=NOON, value=count, made_at=NOON)


def texts(found: Entry) -> str:
    return " ".join(note.text for note in (*found.measured, *found.not_measured))


def test_words_follow_the_live_policy() -> None:
    queue = make_queue()
    told: dict[str, dict[str, Any]] = {
        "nothing that passes is audited": {},
        "there is no control group": {"control_share": 0.0},
        "Nothing is automatic": {"hard": None},
        "People see every item that is not automatic": {"hard": None, "soft": None},
        "no frame has closed yet": {"hard": 0.9, "soft": 0.3, "audit_budget": 5},
    }
    for text, changes in told.items():
        next_policy(queue, **changes)
        assert text in texts(entry(queue))
    Policy.objects.filter(queue=queue).update(state="retired")
    assert "No policy is live" in texts(entry(queue))


def test_an_old_frame_says_little_about_today() -> None:
    queue = queue_of_last_week()
    next_policy(queue, audit_budget=5)
    audited(queue, NEGATIVE)
    (found,) = inventory.entries(make_user("auditor", queue), NOON + timedelta(days=9))
    assert "the last frame ended more than three days ago" in texts(found)


def test_a_promise_has_its_state(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    queue = make_queue(promise=Promise(0.99, 0.9))
    assert "there is no known data" in texts(entry(queue))
    known.freeze(queue=queue, file=write(tmp_path / "known.csv", lines()), truth=TRUTH, at=NOON)
    assert "was not checked" in texts(entry(queue))
    known.check(Policy.objects.get(queue=queue), NOON)
    assert "breaks the promise" in texts(entry(queue))
    KnownCheck.objects.get()  # one check is enough to say so


def test_the_last_change_is_of_the_file_or_of_what_routes() -> None:
    queue = make_queue()
    first = entry(queue).last_change
    assert first
    assert (first.what, first.person) == ("Queue file, version 1", None)
    by, second = make_user("manager", queue), make_user("manager", queue)
    draft = publish.draft(queue=queue, changes={"hard": 0.95}, by=by, why="stricter", at=NOON)
    publish.approve(policy=draft, by=second, why="looks right", at=NOON)
    last = entry(queue).last_change
    assert last
    assert (last.what, last.person, last.why) == ("Policy 2: Approved", second, "looks right")


def test_drafts_models_and_alerts_are_there_and_retired_policies_are_not() -> None:
    queue = make_queue()
    for number in range(12):
        ModelVersion.objects.create(queue=queue, name=f"m{number}", kind="external", app_version="t", created_at=NOON)
    next_policy(queue)
    publish.draft(queue=queue, changes={"hard": 0.95}, by=None, why="stricter", at=NOON)
    times = dict.fromkeys(("began_at", "opened_at", "seen_at"), NOON)
    Alert.objects.create(queue=queue, kind=Alert.Kind.VOLUME, level=Alert.Level.WARN, **times)
    facts = entry(queue).facts
    assert [policy.state for policy in facts.policies] == ["draft", "live"]
    assert (len(facts.models), facts.models_known, facts.alerts) == (11, 13, 1)  # the newest, and the pinned one


def test_one_sees_the_queues_whose_record_one_may_read() -> None:
    mine, _other = make_queue(), make_queue()
    for role, count in {"reviewer": 0, "lead": 1, "manager": 1, "auditor": 1, "admin": 1}.items():
        assert len(inventory.entries(make_user(role, mine), NOON)) == count
    assert len(inventory.entries(make_user("auditor"), NOON)) == 2
    assert inventory.entries(make_user(), NOON) == []
    assert [one.queue for one in inventory.entries(make_user("auditor"), NOON, only=[mine.pk])] == [mine]


def test_the_number_of_statements_does_not_grow_with_queues() -> None:
    person = make_user("auditor")
    make_queue()
    with CaptureQueriesContext(
        connection,
    ) as one:
        inventory.entries(person, NOON)
    for _ in range(9):
        make_queue()
    with CaptureQueriesContext(connection) as ten:
        assert len(inventory.entries(person, NOON)) == 10
    assert len(ten) == len(one) <= 14


def test_entries_stand_by_title() -> None:
    for title in ("Beta", "Alpha"):
        make_queue(title=title)
    found = inventory.entries(make_user("auditor"), NOON)
    assert [one.spec.title for one in found] == ["Alpha", "Beta"]
    assert replace(found[0], not_measured=(), owner=inventory.Person("x", is_here=True)).is_sound
