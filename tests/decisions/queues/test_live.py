"""The queue in force: right at once, and one query when nothing moved."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.exceptions import Conflict, NotFound
from decisions.models import ModelVersion, Policy, Queue
from decisions.queues import apply, live
from decisions.queues.parse import Document
from decisions.routing import publish
from tests.factories import NOON, make_queue

if TYPE_CHECKING:
    from decisions.queues.live import Live

pytestmark = pytest.mark.django_db


def test_it_holds_all_that_intake_needs() -> None:
    queue = make_queue()
    now: Live = live.of(queue.slug)
    assert (now.queue_id, now.version_id, now.spec) == (queue.pk, queue.version_id, queue.spec)
    assert now.model == now.external == now.models["external"]
    assert now.policy.no == 1
    assert not now.is_paused


def test_asking_again_costs_one_query() -> None:
    queue = make_queue()
    first = live.of(queue.slug)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert live.of(queue.slug) is first
    assert len(queries) == 1


def test_an_applied_file_counts_at_once() -> None:
    queue = make_queue()
    before = live.of(queue.slug)
    document = Document(replace(queue.spec, title="Posts"))
    apply.apply(apply.preview(document), by=None, why="better", at=NOON)
    assert live.of(queue.slug).spec.title == "Posts"
    assert before.spec.title == "Messages"


def test_a_published_policy_and_its_way_back_count_at_once() -> None:
    queue = make_queue()
    assert live.of(queue.slug).policy.hard == 0.9
    drafted = publish.draft(queue=queue, changes={"hard": 0.95}, by=None, why="fewer mistakes", at=NOON)
    assert live.of(queue.slug).policy.hard == 0.9
    publish.approve(policy=drafted, by=None, why="checked", at=NOON)
    publish.publish(policy=drafted, by=None, why="checked", at=NOON)
    assert live.of(queue.slug).policy.hard == 0.95
    publish.roll_back(queue=queue, by=None, why="worse", at=NOON)
    assert live.of(queue.slug).policy.hard == 0.9


def test_a_new_model_can_be_named_at_once() -> None:
    queue = make_queue()
    assert "m2" not in live.of(queue.slug).models
    ModelVersion.objects.create(queue=queue, name="m2", kind="external", app_version="test", created_at=NOON)
    assert "m2" in live.of(queue.slug).models


def test_a_pause_is_seen_at_once() -> None:
    queue = make_queue()
    live.of(queue.slug)
    Queue.objects.filter(pk=queue.pk).update(is_paused=True)
    assert live.of(queue.slug).is_paused


def test_a_queue_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound):
        live.of("nowhere")


def test_a_queue_without_a_live_policy_is_refused() -> None:
    queue = make_queue()
    Policy.objects.filter(queue=queue).update(state=Policy.State.RETIRED)
    with pytest.raises(Conflict, match="no live policy"):
        live.of(queue.slug)
