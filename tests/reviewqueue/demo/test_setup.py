"""The demo's rows: learnt from, checked on or sent, never two of these; and a contract that its policies keep."""

from pathlib import Path

import pytest
from pytest_django import Settings

from decisions.learning import frozen
from decisions.models import KnownCheck, Policy
from decisions.routing import known
from reviewqueue.demo import rows, setup

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


@pytest.mark.parametrize("slug", sorted(rows.DEMOS))
def test_the_first_policy_with_a_model_keeps_the_promise_on_rows_it_never_saw(slug: str) -> None:
    said: list[str] = []
    queue = setup.queue(slug, said.append)
    setup.model(queue, said.append)
    policy = Policy.objects.live().get(queue=queue)
    check = KnownCheck.objects.get(policy=policy)
    assert check.is_kept
    assert check.figures["learnt"] <= 10  # some mails came twice, with the very same content
    assert policy.audit_budget
    setup.model(queue, said.append)  # a second time changes nothing
    assert KnownCheck.objects.count() == 1


@pytest.mark.parametrize("slug", sorted(rows.DEMOS))
def test_each_row_is_learnt_from_or_checked_on_or_sent(slug: str) -> None:
    queue = setup.queue(slug, lambda _line: None)
    setup.known_data(queue, lambda _line: None)
    made = known.newest(queue.pk)
    assert made
    learnt = {example.external_id for example in rows.examples(slug, queue.spec)}
    sent = {row.external_id for row in rows.live(slug)}
    every = set(rows.truths(slug, queue.spec))
    assert not learnt & sent
    assert len(learnt) + len(sent) + len(frozen.load(made)) == len(every)
    lines = {f"{slug}-{row.line - 1:06d}" for row in frozen.load(made)}
    assert lines == every - learnt - sent
