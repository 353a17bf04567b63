#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line
from django.db.utils import OperationalError

from reviewqueue.embedded import discover, servers

BASE_DIR = Path(__file__).resolve().parent
NOT_RUNNING = "The embedded servers are not running. Start them with `make run`, or set DATABASE_URL."


def main() -> int:
    """Run the command; where it needs servers that do not run, say so in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewqueue.settings")
    are_embedded = not discover.is_given("DATABASE_URL")
    if are_embedded and "DATABASE_URL" not in discover.environment(BASE_DIR):
        os.environ.update(discover.placeholders())
    try:
        execute_from_command_line(sys.argv)
    except OperationalError:
        found = servers.find(discover.run_dir(BASE_DIR))
        if not are_embedded or (found and found.database_url):
            raise
        sys.stderr.write(NOT_RUNNING + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
