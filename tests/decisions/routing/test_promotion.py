"""A policy with another model takes over: while items arrive, when its file does not hold, and when it is killed."""

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from threading import Event as Flag

import pytest
from django.db import connection
from pytest_django import Settings

from decisions.intake import parse, submit
from decisions.learning import registry
from decisions.learning.seal import ModelFileRefused
from decisions.models import Event, Item, ModelVersion, Policy, PolicyChange, Queue
from decisions.queues import live
from decisions.record import deep, proof
from decisions.routing import guard, publish
from tests.databases import Clone
from tests.decisions.learning.stored import make_model, scorer
from tests.factories import NOON, make_policy, make_queue, make_user

ROOT = Path(__file__).resolve().parents[3]
THREADS, CALLS, ITEMS = 4, 12, 5


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def two_models(queue: Queue) -> tuple[ModelVersion, ModelVersion]:
    """Store a live model and one that says the opposite."""
    champion, challenger = make_model(queue, "champion"), make_model(queue, "challenger", made=scorer(is_turned=True))
    make_policy(queue, "live", model=champion, hard=0.9, soft=0.3)
    return champion, challenger


def body(name: str) -> bytes:
    words = (1, 30, 60, 90, 99)
    lines = (f'{{"external_id": "{name}-{n}", "payload": {{"text": "x", "words": {words[n]}}}}}' for n in range(ITEMS))
    return "\n".join(lines).encode()


def test_no_call_is_dropped_and_no_item_is_routed_half_by_each(committed_db: Clone) -> None:
    queue, sender = make_queue(), make_user()
    champion, challenger = two_models(queue)
    policy = make_policy(queue, "approved", model=challenger, hard=0.9, soft=0.3)
    first = Policy.objects.live().get(queue=queue)
    together, half_way = Barrier(THREADS + 1), Flag()

    def post(thread: int) -> int:
        together.wait(30)
        taken = 0
        for call in range(CALLS):
            if call == CALLS // 2:
                half_way.set()
            lines = parse.many(body(f"t{thread}-c{call}"))
            taken += submit.many(queue=live.of(queue.slug), lines=lines, sender=sender, at=NOON).accepted
        connection.close()
        return taken

    with ThreadPoolExecutor(THREADS) as pool:
        posting = [pool.submit(post, thread) for thread in range(THREADS)]
        together.wait(30)
        assert half_way.wait(60)
        publish.publish(policy=policy, by=None, why="better", at=NOON)
        assert sum(one.result(timeout=120) for one in posting) == THREADS * CALLS * ITEMS
    lines = parse.many(body("after"))
    submit.many(queue=live.of(queue.slug), lines=lines, sender=sender, at=NOON)
    models = {first.pk: champion, policy.pk: challenger}
    routed = Counter(Item.objects.filter(queue=queue).values_list("policy", "model"))
    assert routed.keys() == {(pk, model.pk) for pk, model in models.items()}
    assert set(Item.objects.filter(queue=queue).values_list("rung", flat=True)) == {"model"}
    said = {model.pk: registry.load(model) for model in models.values()}
    for item in Item.objects.filter(queue=queue, external_id__endswith="-4"):
        expected = float(said[item.model_id or 0].score([{"words": 99}])[0])
        assert item.score == pytest.approx(expected)
    first_by_new = Item.objects.filter(queue=queue, policy=policy).order_by("pk").first()
    assert first_by_new is not None
    assert Item.objects.filter(queue=queue, external_id__startswith="after", policy=policy).count() == ITEMS


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["approve", "canary", "publish"])
def test_a_policy_whose_models_file_does_not_hold_goes_no_further(step: str) -> None:
    queue = make_queue()
    _champion, challenger = two_models(queue)
    policy = make_policy(queue, "draft" if step == "approve" else "approved", model=challenger, hard=0.9, soft=0.3)
    (registry.folder() / challenger.file).write_bytes(b"changed")
    more = {"share": 0.1} if step == "canary" else {}
    with pytest.raises(ModelFileRefused, match="not the sealed one"):
        getattr(publish, step)(policy=policy, by=None, why="x", at=NOON, **more)
    (registry.folder() / challenger.file).unlink()
    with pytest.raises(ModelFileRefused, match="is gone"):
        getattr(publish, step)(policy=policy, by=None, why="x", at=NOON, **more)
    assert Policy.objects.live().get(queue=queue).model == _champion


@pytest.mark.django_db
def test_going_back_needs_no_file_for_it_must_always_work() -> None:
    queue = make_queue()
    champion, challenger = two_models(queue)
    make_policy(queue, "live", model=challenger, hard=0.9, soft=0.3)
    (registry.folder() / champion.file).unlink()
    publish.roll_back(queue=queue, by=None, why="worse", at=NOON)
    assert Policy.objects.live().get(queue=queue).model == champion


@pytest.mark.django_db
def test_the_guard_stops_a_canary_that_has_another_model() -> None:
    queue = make_queue()
    champion, challenger = two_models(queue)
    policy = make_policy(queue, "canary", share=0.5, model=challenger, hard=0.9, soft=0.3)
    words = (90, *[1] * 9)  # one in ten is long: hard for the champion, and all others for the challenger
    rows = [f'{{"external_id": "g-{n}", "payload": {{"text": "x", "words": {words[n % 10]}}}}}' for n in range(1000)]
    submit.many(queue=live.of(queue.slug), lines=parse.many("\n".join(rows).encode()), sender=make_user(), at=NOON)
    by_model = set(Item.objects.filter(queue=queue).values_list("policy__model", "model"))
    assert by_model == {(champion.pk, champion.pk), (challenger.pk, challenger.pk)}
    guard.watch(NOON + timedelta(minutes=1))
    policy.refresh_from_db()
    assert policy.state == "approved"
    assert Event.objects.filter(kind="policy.stopped", actor=None).count() == 1


# Where the process that promotes is when it is killed: what the core calls, after which it stops for good.
PLACES = [("publish", "_move"), ("publish", "_note"), ("roll_back", "_move")]
KILLED = """
import os, signal, sys, django
django.setup()
from decisions.models import Policy
from decisions.record import log
from decisions.routing import publish
policy = Policy.objects.select_related("model", "queue__version").get(pk={pk})
place = getattr(publish, "{place}")
def last(*args, **named):
    place(*args, **named)
    print("here", flush=True)
    signal.pause()
publish.{place} = last
publish.{step}(**{{{named}}}, by=None, why="better", at=log.now())
"""


@pytest.mark.parametrize(("step", "place"), PLACES)
def test_killed_in_mid_promotion_there_is_one_live_model_and_no_half_state(
    step: str, place: str, committed_db: Clone, settings: Settings
) -> None:
    queue = make_queue()
    champion, challenger = two_models(queue)
    policy = make_policy(queue, "approved" if step == "publish" else "live", model=challenger, hard=0.9, soft=0.3)
    before = state(queue)
    named = '"policy": policy' if step == "publish" else '"queue": policy.queue'
    script = KILLED.format(pk=policy.pk, place=place, step=step, named=named)
    environment = {**os.environ, **committed_db.environment, "DATA_DIR": str(settings.DATA_DIR)}
    environment["DJANGO_SETTINGS_MODULE"] = "reviewqueue.settings"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        assert state(queue) == before  # nobody sees half of it
        process.send_signal(signal.SIGKILL)
    assert state(queue) == before
    assert Policy.objects.live().filter(queue=queue).count() == 1
    assert proof.verify(queue.pk).bad == ()
    assert list(deep.verify(queue.pk)) == []
    if step == "publish":  # nothing is left in the way of doing it again
        publish.publish(policy=Policy.objects.get(pk=policy.pk), by=None, why="again", at=NOON)
        assert Policy.objects.live().get(queue=queue).model == challenger
    else:
        publish.roll_back(queue=queue, by=None, why="again", at=NOON)
        assert Policy.objects.live().get(queue=queue).model == champion


def state(queue: Queue) -> tuple[object, ...]:
    """Return what a promotion changes."""
    policies = tuple(
        Policy.objects.filter(queue=queue).order_by("no").values_list("no", "state", "model", "retired_at")
    )
    return policies, PolicyChange.objects.filter(queue=queue).count(), Event.objects.filter(chain=queue.pk).count()
