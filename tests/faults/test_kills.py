"""kill -9 of web, worker and beat at the worst moment: nothing is lost, nothing doubled, the record holds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from decisions import locks
from decisions.models import Action, Decision, Label, PendingLabel, Ruling, Task
from tests import processes
from tests.databases import Clone
from tests.decisions.effects.world import Letter, Receiver, receiver
from tests.faults import load as loads
from tests.faults.inside import Inside
from tests.processes import EVERYTHING, LOOPBACK, WORKER, Site, until

pytestmark = pytest.mark.slow


@pytest.fixture
def world(settings: Settings) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    with receiver() as it:
        yield it


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with processes.own_redis(tmp_path / "redis") as url:
        yield url


@pytest.fixture
def site(committed_db: Clone, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    with processes.running({**committed_db.environment, "REDIS_URL": redis_url}, tmp_path) as it:
        yield it


@contextmanager
def chain_held(queue_id: int) -> Iterator[None]:
    """Keep a chain: whoever wants to append waits, with all that it wrote before and did not commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.CHAIN, queue_id])
        yield


def waiting_for_chain(queue_id: int) -> int:
    """Return how many sessions wait for a chain."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [locks.CHAIN, queue_id],
        )
        count: int = cursor.fetchone()[0]
        return count


def others() -> int:
    """Return how many other sessions the database still serves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        count: int = cursor.fetchone()[0]
        return count


def test_web_killed_in_mid_decide_has_decided_nothing_and_the_same_call_decides_once(
    site: Site, world: Receiver
) -> None:
    load = loads.make_load(world, 1)
    site.start("web")
    load.send_batch(site, 4)
    (token,) = load.reviewers
    (task,) = site.call("POST", f"{load.path}/claim/", token, {}).data["tasks"]
    said = {"lease": task["lease"], "outcome": "spam", "reason": "content"}
    path, key = f"/api/v1/tasks/{task['id']}/decide/", "the-same-call"
    with ThreadPoolExecutor(1) as pool:
        with chain_held(load.queue.pk):
            lost = pool.submit(site.call, "POST", path, token, said, key)
            until(lambda: waiting_for_chain(load.queue.pk), 20)  # all is written but the event, and nothing committed
            site.kill("web")
            assert lost.exception(timeout=10) is not None
        until(lambda: others() == 0, 10)
    assert not Decision.objects.exists()
    assert not Ruling.objects.exists()
    assert not PendingLabel.objects.exists()
    assert not Action.objects.exclude(ruling=None).exists()
    assert Task.objects.get(pk=task["id"]).state == "claimed"

    site.start("web")
    first = site.call("POST", path, token, said, key)
    again = site.call("POST", path, token, said, key)
    assert first.status == 201
    assert again == first
    assert Decision.objects.count() == Ruling.objects.count() == PendingLabel.objects.count() == 1
    load.decided[task["id"]] = first.data["decision"]["id"]

    with load.on(site):
        pass
    site.start(*WORKER)
    until(loads.is_quiet, 30, loads.what_is_left)
    load.check(world)


def test_a_worker_killed_in_mid_delivery_and_mid_feed_loses_and_doubles_nothing(
    site: Site, world: Receiver, redis_url: str
) -> None:
    release = Flag()

    def hold_back(letter: Letter) -> tuple[int, dict[str, str]]:
        release.wait(60)
        return 200, {}

    world.reply = hold_back
    load, here = loads.make_load(world, 2), Inside()
    load.send_batch(here, 24)
    with load.on(here):
        pass
    with chain_held(load.queue.pk):
        site.start(*WORKER)
        until(lambda: waiting_for_chain(load.queue.pk) and world.letters, 60, lambda: site.last_words("worker"))
        site.kill(*WORKER)
    until(lambda: waiting_for_chain(load.queue.pk) == 0, 10)
    interrupted = Action.objects.pending().filter(attempts__gt=0)
    assert interrupted.exists()
    assert not Label.objects.exists()
    assert PendingLabel.objects.count() == len(load.decided)

    release.set()
    told_before = {letter.id for letter in world.letters}
    interrupted.update(next_at=timezone.now())  # their lease of 45 s is over
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()  # and so is everything that Redis knew
    site.start(*WORKER)
    until(loads.is_quiet, 60, loads.what_is_left)
    assert any(world.ids.count(told) > 1 for told in told_before)  # told again, under the same id
    load.check(world)


def test_decisions_go_on_without_redis_and_what_is_due_is_done_within_a_minute_of_its_return(
    committed_db: Clone, world: Receiver, tmp_path: Path
) -> None:
    folder = tmp_path / "redis"
    with (
        processes.own_redis(folder) as url,
        processes.running({**committed_db.environment, "REDIS_URL": url}, tmp_path) as site,
    ):
        load = loads.make_load(world, 2)
        site.start(*EVERYTHING)
        load.send_batch(site, 12)
        processes.kill_redis(folder)
        assert "unreachable" in str(site.call("GET", "/readyz").data)
        before = len(site.seconds)
        with load.on(site):
            until(lambda: len(load.decided) >= 12, 60)
        assert max(site.seconds[before:]) < 5
        assert PendingLabel.objects.count() == len(load.decided)  # only what follows from it waits
        processes.revive_redis(folder)
        until(loads.is_quiet, 60, loads.what_is_left)
    load.check(world)
