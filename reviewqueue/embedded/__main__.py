"""`python -m reviewqueue.embedded start|stop|status|remove [--dir DIR]`."""

import argparse
import sys
from pathlib import Path

from . import discover, run, servers
from .errors import EmbeddedError


def start(run_dir: Path) -> str:
    """Start what does not run and say where it is."""
    found = servers.start(run_dir)
    return (
        f"PostgreSQL and Valkey are running; data in {Path(found.data).parent}, addresses in {run_dir / servers.FILE}."
    )


def stop(run_dir: Path) -> str:
    """Stop what runs."""
    servers.stop(run_dir)
    return "PostgreSQL and Valkey are stopped; their data is kept."


def status(run_dir: Path) -> str:
    """Say whether both answer."""
    if servers.find(run_dir) is None:
        raise EmbeddedError("The embedded servers are not running.")
    return "PostgreSQL and Valkey are running."


def remove(run_dir: Path) -> str:
    """Delete the servers' data, unless a run needs it now."""
    with run.only_one(run_dir, "its data is being removed"):
        servers.remove(run_dir)
    return f"{run_dir} is removed, with all data of the embedded servers."


def main() -> int:
    """Do what the command line asks and return the exit code."""
    acts = {"start": start, "stop": stop, "status": status, "remove": remove}
    parser = argparse.ArgumentParser(prog="python -m reviewqueue.embedded", description=__doc__)
    parser.add_argument("act", choices=acts)
    parser.add_argument(
        "--dir", type=Path, default=discover.run_dir(Path.cwd()), help="where data and addresses are kept"
    )
    options = parser.parse_args()
    try:
        message = acts[options.act](options.dir.resolve())
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201 (a command's answer)
        return 1
    print(message)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
