"""The embedded servers start, are found, survive kill -9, and leave nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import redis

from reviewqueue.embedded import place, processes, servers
from reviewqueue.embedded.errors import EmbeddedError
from tests.reviewqueue.embedded.conftest import QUICK

BASE_DIR = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Path, servers.Servers]]:
    """Servers that the tests of this module only look at."""
    folder = Path(tempfile.mkdtemp(prefix="rq-test-"))
    yield folder, servers.start(folder, QUICK)
    servers.remove(folder)


def ask(url: str, question: str) -> tuple[object, ...]:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        cursor.execute(question)
        row: tuple[object, ...] = cursor.fetchone() or ()
        return row


def change(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as session, session, session.cursor() as cursor:
        cursor.execute(statement)


def all_processes(run_dir: Path) -> list[int]:
    data = Path(servers.read(run_dir).data)
    return processes.working_in(data, "postgres") + processes.working_in(run_dir / "valkey", "valkey-server")


def test_servers_answer_and_are_found(shared: tuple[Path, servers.Servers]) -> None:
    folder, started = shared
    assert servers.find(folder) == started
    with closing(redis.Redis.from_url(started.redis_url)) as client:
        assert client.ping()


def test_start_again_changes_nothing(shared: tuple[Path, servers.Servers]) -> None:
    folder, started = shared
    assert servers.start(folder, QUICK) == started


def test_roles_are_no_superusers_and_the_app_has_limits(shared: tuple[Path, servers.Servers]) -> None:
    _, started = shared
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert ask(started.database_url, rights) == (False, False, False)
    assert ask(started.database_owner_url, rights) == (False, True, True)
    limits = (
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')"
    )
    assert ask(started.database_url, limits) == ("1min", "10s", "1min")
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert ask(started.database_url, owner) == ("rq_owner",)


def test_the_cluster_checks_its_pages_and_speaks_utf8(shared: tuple[Path, servers.Servers]) -> None:
    _, started = shared
    question = "SELECT current_setting('data_checksums'), current_setting('server_encoding'), lower('ÄÉ'), version()"
    checksums, encoding, lowered, version = ask(started.database_url, question)
    assert (checksums, encoding, lowered) == ("on", "UTF8", "äé")
    assert str(version).startswith("PostgreSQL 18")


def test_passwords_are_in_private_files_only(shared: tuple[Path, servers.Servers]) -> None:
    folder, started = shared
    for name in ("passwords.json", "servers.json", "settings.env", "valkey/valkey.conf", "log/postgres.log"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    secret = str(urlsplit(started.database_url).password)
    for pid in all_processes(folder):
        assert secret not in Path(f"/proc/{pid}/cmdline").read_text()
    assert secret not in (folder / "log/postgres.log").read_text()


@pytest.mark.parametrize("given", [":wrong", ""])
def test_a_wrong_or_missing_password_is_refused(shared: tuple[Path, servers.Servers], given: str) -> None:
    _, started = shared
    address = urlsplit(started.database_url)
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(f"postgres://rq_app{given}@127.0.0.1:{address.port}/reviewqueue")
    door = f"redis://{given}@127.0.0.1:{urlsplit(started.redis_url).port}/0"
    with closing(redis.Redis.from_url(door)) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_stop_ends_everything_and_the_data_and_ports_stay(run_dir: Path) -> None:
    first = servers.start(run_dir, QUICK)
    change(first.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS n; GRANT SELECT ON kept TO rq_app")
    servers.stop(run_dir)
    assert all_processes(run_dir) == []
    assert servers.find(run_dir) is None
    again = servers.start(run_dir, QUICK)
    assert again.environment() == first.environment()
    assert ask(again.database_url, "SELECT n FROM kept") == (7,)


def test_start_recovers_after_everything_was_killed(run_dir: Path) -> None:
    first = servers.start(run_dir)
    change(first.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    processes.send(all_processes(run_dir), signal.SIGKILL)
    again = servers.start(run_dir)
    assert ask(again.database_owner_url, "SELECT n FROM kept") == (7,)
    assert servers.find(run_dir) == again


def test_start_recovers_while_a_busy_backend_outlives_its_postmaster(run_dir: Path) -> None:
    first = servers.start(run_dir, QUICK)
    with closing(psycopg2.connect(first.database_url, async_=True)) as busy:
        while busy.poll() != psycopg2.extensions.POLL_OK:
            pass
        busy.cursor().execute("DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")  # never looks whether it is alone
        os.kill(first.pids["postgres"], signal.SIGKILL)
        again = servers.start(run_dir, QUICK)
    assert ask(again.database_url, "SELECT 1") == (1,)
    assert again.pids["postgres"] != first.pids["postgres"]


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(run_dir: Path) -> None:
    first = servers.start(run_dir, QUICK)
    processes.send(all_processes(run_dir), signal.SIGKILL)
    assert processes.wait(lambda: not all_processes(run_dir), 5)
    pid_file = Path(first.data) / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert ask(servers.start(run_dir, QUICK).database_url, "SELECT 1") == (1,)


def test_servers_whose_folder_was_deleted_under_them_are_ended(run_dir: Path) -> None:
    first = servers.start(run_dir, QUICK)
    while run_dir.exists():  # the server goes on writing into what is being deleted
        shutil.rmtree(run_dir, ignore_errors=True)
    again = servers.start(run_dir, QUICK)
    assert ask(again.database_url, "SELECT 1") == (1,)
    assert not any(processes.is_alive(pid) for pid in first.pids.values())


def test_a_taken_port_is_given_up(run_dir: Path) -> None:
    first = servers.start(run_dir, QUICK)
    servers.stop(run_dir)
    port = servers.port_of(first.database_url)
    with socket.create_server(("127.0.0.1", port or 0)):
        again = servers.start(run_dir, QUICK)
    assert servers.port_of(again.database_url) != port


def test_nothing_stays_when_the_parent_is_killed(run_dir: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from reviewqueue.embedded import servers;"
        "servers.start(Path(sys.argv[1]), servers.Wish(bound_to_parent=True)); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(run_dir)], cwd=BASE_DIR, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"up\n"
        assert len(all_processes(run_dir)) > 2
        parent.kill()
    assert processes.wait(lambda: not all_processes(run_dir), 10)


def test_two_starts_at_once_end_with_one_pair_of_servers(empty_dir: Path, bare_environment: dict[str, str]) -> None:
    run_dir = empty_dir
    command = [sys.executable, "-m", "reviewqueue.embedded", "start", "--dir", str(run_dir)]
    both = [subprocess.Popen(command, cwd=BASE_DIR, env=bare_environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [starter.wait(60) for starter in both] == [0, 0]
    found = servers.find(run_dir)
    assert found
    assert found.pids["postgres"] in all_processes(run_dir)
    assert len(processes.working_in(run_dir / "valkey", "valkey-server")) == 1


def test_broken_data_is_refused_with_the_end_of_the_log(run_dir: Path) -> None:
    first = servers.start(run_dir, QUICK)
    servers.stop(run_dir)
    (Path(first.data) / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedError, match="pg_control"):
        servers.start(run_dir, QUICK)


def root_wish(identity: processes.Identity) -> servers.Wish:
    return replace(QUICK, identity=identity, redis=False)


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")


@needs_root
def test_root_without_namespaces_runs_postgres_as_another_user(empty_dir: Path) -> None:
    empty_dir.chmod(0o755)
    identity = place.other_user()
    started = servers.start(empty_dir, root_wish(identity))
    assert identity.user
    assert owner_of(started.pids["postgres"]) == identity.user[0]
    assert Path(started.data).is_relative_to(empty_dir)


@needs_root
def test_a_closed_folder_sends_the_data_to_a_place_that_is_named(empty_dir: Path) -> None:
    empty_dir.chmod(0o700)
    first = servers.start(empty_dir, root_wish(place.other_user()))
    assert Path(first.data).is_relative_to(place.outside_name(empty_dir))
    servers.stop(empty_dir)
    again = servers.start(empty_dir, root_wish(place.other_user()))
    assert again.data == first.data
    servers.remove(empty_dir)
    assert not place.outside_name(empty_dir).exists()


@needs_root
def test_data_is_handed_over_when_the_identity_changes(empty_dir: Path) -> None:
    empty_dir.chmod(0o755)
    servers.start(empty_dir, root_wish(place.other_user()))
    servers.stop(empty_dir)
    started = servers.start(empty_dir, root_wish(processes.Identity(mapped=True)))
    assert ask(started.database_url, "SELECT 1") == (1,)


@needs_root
def test_a_folder_of_somebody_else_outside_is_refused(empty_dir: Path) -> None:
    empty_dir.chmod(0o700)
    identity = place.other_user()
    assert identity.user
    foreign = place.outside_name(empty_dir)
    foreign.mkdir()
    os.chown(foreign, *identity.user)
    with pytest.raises(EmbeddedError, match="is not ours"):
        servers.start(empty_dir, root_wish(identity))
    assert servers.read(empty_dir) == servers.Servers()
