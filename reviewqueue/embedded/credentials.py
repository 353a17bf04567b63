"""The generated passwords of the embedded servers, kept in one file that only its owner can read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "passwords.json"


@dataclass(frozen=True)
class Credentials:
    """One password for each role and for Valkey."""

    superuser: str
    owner: str
    app: str
    valkey: str


def ensure(run_dir: Path) -> Credentials:
    """Return the passwords of this run folder, generated the first time."""
    path = run_dir / FILE
    if not path.exists():
        made = Credentials(*(secrets.token_urlsafe(24) for _ in range(4)))
        write_private(path, json.dumps(asdict(made), indent=2))
    return Credentials(**json.loads(path.read_text()))


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner's eyes only, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
