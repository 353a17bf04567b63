"""Write the HTTP contract from the code to `docs/openapi.yaml`; `--check` only compares and fails on a difference."""

import argparse
import difflib
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "openapi.yaml"
LINES_SHOWN = 40


def main() -> int:
    """Write or compare, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    is_check = parser.parse_args().check
    text = generated()
    if not is_check:
        SCHEMA.write_text(text)
        return 0
    kept = SCHEMA.read_text() if SCHEMA.exists() else ""
    if kept != text:
        difference = difflib.unified_diff(kept.splitlines(), text.splitlines(), "kept", "generated", n=1, lineterm="")
        sys.stdout.write("\n".join(islice(difference, LINES_SHOWN)))
        sys.stdout.write("\ndocs/openapi.yaml is not what the code says; `make fix` writes it anew.\n")
    return int(kept != text)


def generated() -> str:
    """Return the description that the code gives, valid and without a warning."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "openapi.yaml"
        command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", str(target)]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 (a command of ours)
        return target.read_text()


if __name__ == "__main__":
    sys.exit(main())
