"""The secrets of an embedded run: generated once, kept in one file that only its owner can read, never replaced."""

import base64
import secrets
from collections.abc import Callable
from pathlib import Path

from .credentials import write_private

FILE = "settings.env"
MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "AUDIT_SECRETS": lambda: f"1:{secrets.token_hex(32)}",
    "SUBJECT_SECRET": lambda: secrets.token_hex(32),
    "SECRET_BOX_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),  # one Fernet key
    "CHECKPOINT_KEY": lambda: secrets.token_hex(32),  # an ed25519 seed
    "MODEL_KEY": lambda: secrets.token_hex(32),  # another one
}


def generate() -> dict[str, str]:
    """Return a fresh set of secrets."""
    return {name: make() for name, make in MAKERS.items()}


def ensure(run_dir: Path) -> dict[str, str]:
    """Return all secrets of a run folder, making those that are missing."""
    run_dir.mkdir(parents=True, exist_ok=True)
    kept = read(run_dir)
    missing = {name: value for name, value in generate().items() if name not in kept}
    if missing:
        kept |= missing
        write_private(run_dir / FILE, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return kept


def read(run_dir: Path) -> dict[str, str]:
    """Return the secrets that a run folder holds, as they stand in its file."""
    path = run_dir / FILE
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in lines}
