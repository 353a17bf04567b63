"""The embedded PostgreSQL: a cluster of our own, its two roles, its start after whatever happened, its end."""

import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection, encrypt_password

from . import ports
from .credentials import Credentials, write_private
from .errors import EmbeddedError
from .place import own
from .processes import Identity, Program, is_alive, reap, run, send, spawn, wait, working_in

SUPERUSER, OWNER, APP, DATABASE = "postgres", "rq_owner", "rq_app", "reviewqueue"
APP_LIMITS = {
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}
SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",  # no socket files: nothing stale after a crash, no limit on the path's length
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
    "cluster_name": "reviewqueue",
}
START_SECONDS = 30
TRIES = 5
HBA = f"host all all {ports.LOOPBACK}/32 scram-sha-256\n"


@dataclass(frozen=True)
class Manner:
    """How to start a cluster: with which programs, as whom, whether it ends with us, and settings besides ours."""

    programs: Path
    identity: Identity
    bound_to_parent: bool
    extra: Mapping[str, str]


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL cluster: its folder, who may enter it and where it logs."""

    home: Path
    passwords: Credentials
    log: Path

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.home / "data"

    def url(self, role: str, port: int) -> str:
        """Return the address of the database for one of our roles."""
        password = {SUPERUSER: self.passwords.superuser, OWNER: self.passwords.owner, APP: self.passwords.app}[role]
        return f"postgres://{role}:{password}@{ports.LOOPBACK}:{port}/{DATABASE}"

    def connect(self, role: str, port: int, database: str = DATABASE) -> connection:
        """Open a connection as one of our roles."""
        base = self.url(role, port).rpartition("/")[0]
        return psycopg2.connect(f"{base}/{database}", connect_timeout=3)


def initialise(cluster: Cluster, manner: Manner) -> None:
    """Make the cluster's files, unless they are there; half-made ones are made anew."""
    if cluster.data.exists():
        return
    cluster.home.mkdir(parents=True, exist_ok=True)
    own(cluster.home, manner.identity)
    draft, password = cluster.home / "data.new", cluster.home / "superuser"
    shutil.rmtree(draft, ignore_errors=True)
    write_private(password, cluster.passwords.superuser)
    own(password, manner.identity)
    options = [
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-sync" if manner.extra.get("fsync") == "off" else "--sync-method=fsync",
    ]
    command = [str(manner.programs / "initdb"), f"--pgdata={draft}", *options]
    made = run(command, identity=manner.identity, cwd=cluster.home)
    password.unlink()
    if made.returncode != 0:
        message = f"PostgreSQL could not make its files in {cluster.home}: {made.stderr.strip()}"
        raise EmbeddedError(message)
    draft.rename(cluster.data)


def configure(cluster: Cluster, manner: Manner, port: int) -> None:
    """Write the cluster's settings; they belong to us and are written at each start."""
    lines = [f"{name} = '{value}'" for name, value in {**SETTINGS, **manner.extra, "port": str(port)}.items()]
    for name, text in (("postgresql.conf", "\n".join(lines) + "\n"), ("pg_hba.conf", HBA)):
        write_private(cluster.data / name, text)
        own(cluster.data / name, manner.identity)


def processes(cluster: Cluster) -> list[int]:
    """Return every process of this cluster, wherever it came from."""
    return working_in(cluster.data, "postgres")


def postmaster(cluster: Cluster) -> int | None:
    """Return the postmaster that runs on this data, if the pid file speaks the truth."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid in processes(cluster) else None


def answers(cluster: Cluster, port: int) -> bool:
    """Tell whether the application's role is served."""
    try:
        with closing(cluster.connect(APP, port)) as served, served.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.OperationalError:
        return False
    return True


def accepts(cluster: Cluster, port: int) -> bool:
    """Tell whether the superuser is served: recovery is over, our roles may still be missing."""
    try:
        cluster.connect(SUPERUSER, port, "postgres").close()
    except psycopg2.OperationalError:
        return False
    return True


def start(cluster: Cluster, manner: Manner, *, port: int | None) -> int:
    """Return the port at which the cluster serves, starting it if need be, whatever state it was left in."""
    if port and wait_until_served(cluster, port):
        ensure_roles(cluster, port)
        return port
    stop(cluster)
    forget_stale_pid(cluster)
    own_files(cluster, manner)
    initialise(cluster, manner)
    for _ in range(TRIES):
        chosen = ports.choose(port)
        if launch(cluster, manner, port=chosen):
            ensure_roles(cluster, chosen)
            return chosen
        stop(cluster)
        time.sleep(0.5)
    last = "\n".join(cluster.log.read_text(errors="replace").splitlines()[-8:])
    message = f"The embedded PostgreSQL does not start. The end of {cluster.log}:\n{last}"
    raise EmbeddedError(message)


def wait_until_served(cluster: Cluster, port: int) -> bool:
    """Tell whether a postmaster that runs already comes to serve there; it may still be recovering."""
    wait(lambda: postmaster(cluster) is None or accepts(cluster, port), START_SECONDS)
    return postmaster(cluster) is not None and accepts(cluster, port)


def forget_stale_pid(cluster: Cluster) -> None:
    """Remove the pid file of a killed postmaster: its number may be a stranger's now, and PostgreSQL would not start.

    The file guards against two postmasters on the same data; here no process works in the data directory any more.
    """
    if processes(cluster):
        message = f"PostgreSQL processes that use {cluster.data} do not end: {processes(cluster)}."
        raise EmbeddedError(message)
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def own_files(cluster: Cluster, manner: Manner) -> None:
    """Hand the data to the user PostgreSQL runs as now; it may have been another at an earlier start."""
    if cluster.data.exists():
        own(cluster.home, manner.identity)
        own(cluster.data, manner.identity)


def launch(cluster: Cluster, manner: Manner, *, port: int) -> bool:
    """Start the postmaster once and tell whether it came to serve."""
    configure(cluster, manner, port)
    program = Program(
        command=(str(manner.programs / "postgres"), "-D", str(cluster.data)),
        cwd=cluster.home,
        log=cluster.log,
        identity=manner.identity,
        death_signal=signal.SIGINT,
    )
    pid = spawn(program, bound_to_parent=manner.bound_to_parent)
    return wait(lambda: accepts(cluster, port) or not is_alive(pid), START_SECONDS) and is_alive(pid)


def ensure_roles(cluster: Cluster, port: int) -> None:
    """Make the two roles and the database that are missing: the owner migrates, the application runs."""
    with closing(cluster.connect(SUPERUSER, port, "postgres")) as session:
        session.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        ensure_role(session, OWNER, cluster.passwords.owner, "CREATEROLE CREATEDB")
        ensure_role(session, APP, cluster.passwords.app, "")
        with session.cursor() as cursor:
            for name, value in APP_LIMITS.items():
                statement = sql.SQL("ALTER ROLE {} SET {} = {}")
                cursor.execute(statement.format(sql.Identifier(APP), sql.Identifier(name), sql.Literal(value)))
            # The owner may end the application's sessions, which dropping a test database needs.
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(OWNER)))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                cursor.execute(statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))


def ensure_role(session: connection, role: str, password: str, attributes: str) -> None:
    """Make a role that can log in, its password sent as a verifier so that no log can show it."""
    with session.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is not None:
            return
        verifier = encrypt_password(password, role, session, "scram-sha-256")
        statement = sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
        cursor.execute(statement.format(sql.Identifier(role), sql.SQL(attributes), sql.Literal(verifier)))


def stop(cluster: Cluster) -> None:
    """End the cluster and what an earlier one left: fast, then at once, then by force; at most ten seconds."""
    for number, seconds in ((signal.SIGINT, 5.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0)):
        left = processes(cluster)
        if not left:
            return
        head = postmaster(cluster)
        if number == signal.SIGKILL:
            send(left, number)
        elif head:  # it ends its children itself
            send([head], number)
        else:
            send(left, signal.SIGQUIT)
        wait(lambda: not processes(cluster), seconds)
        if head:
            reap(head)
