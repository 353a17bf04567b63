"""Write the secrets that docker-compose.yml mounts: `python3 docker/make_secrets.py [FOLDER]`, `secrets/` by default.

Each is generated once and never replaced. Keep the folder: without it sealed settings cannot be opened and draws
cannot be explained. The files can be read by anyone who can enter the folder, since the containers' users must read
them; the folder lets only its owner in.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

DATABASE = "postgres://{role}:{password}@postgres:5432/reviewqueue"


def made(folder: Path) -> dict[str, str]:
    """Return every secret by name; what the addresses share with the servers is taken from what is there."""
    password = {name: kept(folder, name) or secrets.token_urlsafe(32) for name in ("postgres", "owner", "app", "redis")}
    return {
        **password,
        "database_url": DATABASE.format(role="rq_app", password=password["app"]),
        "database_owner_url": DATABASE.format(role="rq_owner", password=password["owner"]),
        "redis_url": f"redis://:{password['redis']}@redis:6379/0",
        "secret_key": secrets.token_urlsafe(50),
        "audit_secrets": f"1:{secrets.token_hex(32)}",
        "subject_secret": secrets.token_hex(32),
        "secret_box_keys": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "checkpoint_key": secrets.token_hex(32),
        "model_key": secrets.token_hex(32),
    }


def kept(folder: Path, name: str) -> str:
    """Return a secret that is there already."""
    path = folder / name
    return path.read_text() if path.exists() else ""


def main() -> None:
    """Write the files that are missing."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "secrets")
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for name, value in made(folder).items():
        path = folder / name
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w") as file:
                file.write(value)


if __name__ == "__main__":
    main()
