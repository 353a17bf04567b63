"""How settings find the embedded servers: read from the run folder, never over what the environment says."""

import json
import os
from pathlib import Path

from . import secrets

ADDRESSES = {"DATABASE_URL": "database_url", "DATABASE_OWNER_URL": "database_owner_url", "REDIS_URL": "redis_url"}


def run_dir(base_dir: Path) -> Path:
    """Return the folder that holds what running leaves: RUN_DIR, else `.run` in the checkout."""
    return Path(os.environ.get("RUN_DIR") or base_dir / ".run").absolute()


def environment(base_dir: Path) -> dict[str, str]:
    """Return the variables that the embedded run adds to the environment; none where DATABASE_URL is given."""
    folder = run_dir(base_dir)
    if is_given("DATABASE_URL") or not (folder / "servers.json").exists():
        return {}
    known = json.loads((folder / "servers.json").read_text())
    found = {name: known[key] for name, key in ADDRESSES.items() if known.get(key)}
    return {name: value for name, value in {**found, **secrets.read(folder)}.items() if not is_given(name)}


def placeholders() -> dict[str, str]:
    """Return what commands that need no server can do with: addresses where nothing answers, secrets for one use."""
    nowhere = {
        "DATABASE_URL": "postgres://rq_app@127.0.0.1:1/reviewqueue",
        "DATABASE_OWNER_URL": "postgres://rq_owner@127.0.0.1:1/reviewqueue",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    return {name: value for name, value in {**nowhere, **secrets.generate()}.items() if not is_given(name)}


def is_given(name: str) -> bool:
    """Tell whether the environment sets a variable, itself or through a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
