"""Both embedded servers of one run folder: start them, find them, stop them."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from . import credentials, locks, place, postgres, secrets, valkey
from .processes import Identity

FILE = "servers.json"


@dataclass(frozen=True)
class Servers:
    """Where the embedded servers answer; an address is empty if that server was not asked for."""

    database_url: str = ""
    database_owner_url: str = ""
    redis_url: str = ""
    data: str = ""
    pids: Mapping[str, int] = field(default_factory=dict)
    bound_to_parent: bool = False

    def environment(self) -> dict[str, str]:
        """Return the addresses as the settings read them."""
        known = {
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.database_owner_url,
            "REDIS_URL": self.redis_url,
        }
        return {name: value for name, value in known.items() if value}

    def limited_to(self, wish: "Wish") -> "Servers":
        """Forget the servers that are not wished for: another one is used in their place."""
        servers = self
        if not wish.database:
            servers = replace(servers, database_url="", database_owner_url="", data="")
        if not wish.redis:
            servers = replace(servers, redis_url="")
        wished = {"postgres": wish.database, "valkey": wish.redis}
        return replace(servers, pids={name: pid for name, pid in servers.pids.items() if wished[name]})


@dataclass(frozen=True)
class Wish:
    """What to start, and how; the defaults serve the command line."""

    database: bool = True
    redis: bool = True
    bound_to_parent: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    identity: Identity | None = None


def start(run_dir: Path, wish: Wish = Wish()) -> Servers:
    """Return the servers of this run folder, started or recovered where they do not serve already."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with locks.held(run_dir / "lock"):
        secrets.ensure(run_dir)
        before = servers = read(run_dir).limited_to(wish)
        if wish.database:
            servers = with_database(run_dir, wish, servers)
        if wish.redis:
            servers = with_redis(run_dir, wish, servers)
        if servers.pids != before.pids:
            servers = replace(servers, bound_to_parent=wish.bound_to_parent)
        credentials.write_private(run_dir / FILE, json.dumps(asdict(servers), indent=2))
    return servers


def with_database(run_dir: Path, wish: Wish, before: Servers) -> Servers:
    """Start PostgreSQL and add its addresses."""
    chosen = place.choose(run_dir, identity=wish.identity)
    cluster = cluster_of(run_dir, chosen.home)
    manner = postgres.Manner(chosen.programs, chosen.identity, wish.bound_to_parent, wish.settings)
    port = postgres.start(cluster, manner, port=port_of(before.database_url))
    return replace(
        before,
        database_url=cluster.url(postgres.APP, port),
        database_owner_url=cluster.url(postgres.OWNER, port),
        data=str(cluster.data),
        pids={**before.pids, "postgres": postgres.postmaster(cluster) or 0},
    )


def with_redis(run_dir: Path, wish: Wish, before: Servers) -> Servers:
    """Start Valkey and add its address."""
    store = store_of(run_dir)
    port = valkey.start(store, port=port_of(before.redis_url), bound_to_parent=wish.bound_to_parent)
    return replace(before, redis_url=store.url(port), pids={**before.pids, "valkey": valkey.processes(store)[0]})


def find(run_dir: Path) -> Servers | None:
    """Return the servers of this run folder if those that were started really answer."""
    servers = read(run_dir)
    if not servers.environment():
        return None
    if servers.database_url:
        port = port_of(servers.database_url)
        if port is None or not postgres.answers(known_cluster(run_dir), port):
            return None
    if servers.redis_url and not valkey.answers(servers.redis_url):
        return None
    return servers


def stop(run_dir: Path) -> None:
    """End the servers of this run folder and whatever an earlier start left of them; their data stays."""
    if not run_dir.is_dir():
        return
    with locks.held(run_dir / "lock"):
        valkey.stop(store_of(run_dir))
        postgres.stop(known_cluster(run_dir))


def remove(run_dir: Path) -> None:
    """End the servers of this run folder and delete it with all data, also what lies outside it."""
    stop(run_dir)
    shutil.rmtree(place.outside_name(run_dir), ignore_errors=True)
    shutil.rmtree(run_dir, ignore_errors=True)


def read(run_dir: Path) -> Servers:
    """Return what the last start wrote down, or nothing known."""
    try:
        return Servers(**json.loads((run_dir / FILE).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return Servers()


def cluster_of(run_dir: Path, home: Path) -> postgres.Cluster:
    """Describe a cluster in the given folder that belongs to a run folder."""
    return postgres.Cluster(home, credentials.ensure(run_dir), run_dir / "log" / "postgres.log")


def known_cluster(run_dir: Path) -> postgres.Cluster:
    """Describe the cluster that was started last, which may have its folder elsewhere."""
    data = read(run_dir).data
    return cluster_of(run_dir, Path(data).parent if data else run_dir / "postgres")


def store_of(run_dir: Path) -> valkey.Store:
    """Describe the Valkey of a run folder."""
    return valkey.Store(run_dir / "valkey", credentials.ensure(run_dir).valkey, run_dir / "log" / "valkey.log")


def port_of(url: str) -> int | None:
    """Return the port in an address."""
    return urlsplit(url).port if url else None
