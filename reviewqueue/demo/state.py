"""What the demo's own processes have to know of each other: kept in the run folder, for its owner only."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings


@dataclass
class State:
    """Keys of the demo's sender and receiver; secrets are by queue; `site` is where the last run served."""

    sender_token: str = ""
    receiver_token: str = ""
    receiver_port: int = 0
    site: str = ""
    secrets: dict[str, str] = field(default_factory=dict)


def path() -> Path:
    """Return where the state lies."""
    return Path(settings.RUN_DIR) / "demo.json"


def read() -> State:
    """Return the state; empty before the first set-up."""
    return State(**json.loads(path().read_text())) if path().exists() else State()


def write(state: State) -> None:
    """Store the state, readable by nobody else."""
    path().parent.mkdir(parents=True, exist_ok=True)
    draft = path().with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - made with its mode
        json.dump(asdict(state), file)
    draft.replace(path())
