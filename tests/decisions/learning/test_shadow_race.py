"""A call that commits late, while a model in shadow reads what arrived."""

from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from decisions.learning import shadow_scores
from decisions.models import Event
from decisions.record import log
from tests.databases import Clone
from tests.decisions.learning.test_shadows import begin, bring, scores
from tests.factories import NOON, make_item, make_queue

LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(shadow_scores, "SECONDS", 60.0)


def test_a_call_that_commits_late_is_not_skipped(committed_db: Clone) -> None:
    """Its items have lower ids than some that were scored before it committed."""
    queue = make_queue()
    shadow = begin(queue)
    has_taken, may_end = Flag(), Flag()
    late: list[int] = []

    def slow() -> None:
        with transaction.atomic():
            taken = make_item(queue, {"words": 1}, external_id="slow")
            late.append(taken.pk)
            has_taken.set()
            may_end.wait(10)
            entry = {"accepted": 1, "duplicates": 0, "rejected": 0, "scores": 0}
            log.append(Event.Kind.ITEMS_ARRIVED, chain=queue.pk, actor=None, at=NOON, entry=entry, rows=(taken.intake,))
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    assert has_taken.wait(10)
    fast = bring(queue, [2], "fast")
    shadow_scores.sweep(LATER)
    assert sorted(scores(shadow)) == fast
    may_end.set()
    thread.join()
    shadow_scores.sweep(LATER)
    assert late[0] < fast[0]
    assert sorted(scores(shadow)) == [*late, *fast]
