"""Everything is killed in turn, round after round, while people work: nothing lost, nothing doubled."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from django.db import connections
from environ import Env
from pytest_django import DjangoDbBlocker, Settings
from redis import Redis

from decisions.models import Action
from reviewqueue.embedded import processes as pids
from reviewqueue.embedded import servers
from reviewqueue.embedded.servers import Servers, Wish
from tests import processes
from tests.decisions.effects.world import Letter, receiver
from tests.faults import load as loads
from tests.faults.load import Load
from tests.processes import EVERYTHING, LOOPBACK, Site, until

pytestmark = pytest.mark.proof
ROUNDS = 20
WORKED = 12  # decisions between two kills
# Commits reach the disk's cache before they are acknowledged, which outlives every kill; only a power cut would not.
SESSIONS = "FROM pg_stat_activity WHERE usename = 'rq_app' ORDER BY random() LIMIT 1"
WISH = Wish(bound_to_parent=True, settings={"fsync": "off"})


@dataclass
class Machine:
    """Servers and processes of its own; each can be killed and comes back."""

    folder: Path
    servers: Servers
    site: Site

    def kill(self, what: str) -> None:
        getattr(self, what)()

    def web(self) -> None:
        self.site.kill("web")
        self.site.start("web")

    def worker(self) -> None:
        self.site.kill("worker")
        self.site.start("worker")

    def beat(self) -> None:
        self.site.kill("beat")
        self.site.start("beat")

    def session(self) -> None:
        """End one session that the application has, politely, as an administrator does."""
        with closing(psycopg2.connect(self.servers.database_owner_url)) as owner, owner.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) {SESSIONS}")

    def backend(self) -> None:
        """Kill one backend: PostgreSQL throws all of them out and recovers."""
        with closing(psycopg2.connect(self.servers.database_owner_url)) as owner, owner.cursor() as cursor:
            cursor.execute(f"SELECT pid {SESSIONS}")
            (pid,) = cursor.fetchone() or (None,)
        if pid:
            os.kill(pid, signal.SIGKILL)

    def postgres(self) -> None:
        """Kill the postmaster and all that is left of it."""
        pids.send(pids.working_in(Path(self.servers.data), "postgres"), signal.SIGKILL)
        self.servers = servers.start(self.folder, WISH)

    def flushed(self) -> None:
        """Empty Redis of all it holds: messages under way, throttles, caches."""
        Redis.from_url(self.servers.redis_url).flushall()

    def redis(self) -> None:
        pids.send(pids.working_in(self.folder / "valkey", "valkey-server"), signal.SIGKILL)
        self.servers = servers.start(self.folder, WISH)


VICTIMS = ("web", "worker", "beat", "session", "backend", "postgres", "redis", "flushed")


@pytest.fixture
def machine(settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[Machine]:
    settings.OUTBOUND_ALLOWED = [LOOPBACK]
    folder = Path(tempfile.mkdtemp(prefix="rq-test-"))
    started = servers.start(folder, WISH)
    try:
        with (
            django_db_blocker.unblock(),
            pointed_to(started),
            processes.running({**os.environ, **started.environment()}, folder) as site,
        ):
            site.manage("migrate", "--noinput")
            yield Machine(folder, started, site)
    finally:
        servers.remove(folder)


@contextmanager
def pointed_to(started: Servers) -> Iterator[None]:
    """Let Django's connections here lead to these servers."""
    urls = {"default": started.database_url, "owner": started.database_owner_url}
    before = {alias: dict(connections.settings[alias]) for alias in urls}
    connections.close_all()
    for alias, url in urls.items():
        connections.settings[alias].update(Env.db_url_config(url))
    try:
        yield
    finally:
        connections.close_all()
        for alias, known in before.items():
            connections.settings[alias].update(known)


def slowly(_: Letter) -> tuple[int, dict[str, str]]:
    """Take a letter so slowly that kills come in between."""
    time.sleep(0.3)
    return 200, {}


def work_on(load: Load) -> None:
    """Wait until more was decided, or say who broke."""
    goal = len(load.decided) + WORKED
    until(lambda: load.broken or len(load.decided) >= goal, 90, lambda: load.broken)


def test_everything_killed_in_turn_under_load_loses_and_doubles_nothing(machine: Machine) -> None:
    with receiver() as world:
        world.reply = slowly
        load = loads.make_load(world, 3)
        machine.site.start(*EVERYTHING)
        load.send_batch(machine.site, 200)
        with load.on(machine.site):
            for _ in range(ROUNDS):
                for victim in VICTIMS:
                    work_on(load)
                    machine.kill(victim)
            work_on(load)
            connections.close_all()  # this thread's was killed too
        # A delivery that was under way when its worker was killed is due again 45 s later.
        until(loads.is_quiet, 90, loads.what_is_left)
        load.check(world)
        assert Action.objects.filter(attempts__gt=1).exists()  # the kills did interrupt something
