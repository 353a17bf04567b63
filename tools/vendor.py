"""Keep the files of `static/vendor/` at the versions and hashes that its manifest names.

`vendor.py --check` compares every file with its SHA-256 and needs no network. `vendor.py` fetches the packages again
with `npm pack` and takes the named files out of them. A file that hashes to something else is refused; to move to
another version, change the version, empty the hashes and fetch.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"
# The maps are not shipped, and the static file storage refuses a reference to a file that is not there.
SOURCE_MAP = re.compile(rb"\n(?://|/\*)# sourceMappingURL=[^\n]*\s*\Z")


class Package(TypedDict):
    """One npm package at one version."""

    name: str
    version: str
    licence: str
    home: str
    files: list[dict[str, str]]


def main() -> int:
    """Check or fetch, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the files with their hashes and fetch nothing")
    packages: list[Package] = json.loads(MANIFEST.read_text())["packages"]
    if parser.parse_args().check:
        return report(list(faults(packages)))
    for package in packages:
        fetch(package)
    MANIFEST.write_text(json.dumps({"packages": packages}, indent=2) + "\n")
    return 0


def report(found: list[str]) -> int:
    """Print what is wrong and return the exit code."""
    for line in found:
        print(f"static/vendor: {line}", file=sys.stderr)  # noqa: T201 - a command line tool speaks on its streams
    return 1 if found else 0


def faults(packages: list[Package]) -> Iterator[str]:
    """What differs from the manifest: changed, missing and unnamed files."""
    named = {MANIFEST}
    for entry in (entry for package in packages for entry in package["files"]):
        path = VENDOR / entry["to"]
        named.add(path)
        if not path.exists():
            yield f"{entry['to']} is missing; run tools/vendor.py"
        elif digest(path.read_bytes()) != entry["sha256"]:
            yield f"{entry['to']} is not the file that the manifest names; run tools/vendor.py"
    for path in sorted(set(filter(Path.is_file, VENDOR.rglob("*"))) - named):
        yield f"{path.relative_to(VENDOR)} is not in the manifest"


def fetch(package: Package) -> None:
    """Take one package's files out of its npm archive and note their hashes."""
    with tempfile.TemporaryDirectory() as folder:
        spec = f"{package['name']}@{package['version']}"
        subprocess.run(["npm", "pack", "--silent", spec], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603, S607 - a fixed command, names from our manifest
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            for entry in package["files"]:
                content = member(archive, entry["from"])
                if "cut" in entry:
                    content = SOURCE_MAP.sub(b"\n", content)
                place(entry, content)


def place(entry: dict[str, str], content: bytes) -> None:
    """Write one file; refuses one that is not what the manifest names."""
    if entry["sha256"] not in ("", digest(content)):
        sys.exit(f"{entry['to']}: the registry sent something else than the manifest names")
    target = VENDOR / entry["to"]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    entry["sha256"] = digest(content)


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """The bytes of one file of a package."""
    found = archive.extractfile(f"package/{name}")
    if found is None:
        raise FileNotFoundError(name)
    return found.read()


def digest(content: bytes) -> str:
    """SHA-256 as hexadecimal."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
