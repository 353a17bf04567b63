"""A model file from outside is read for the first time in a process of its own, with little memory and little time."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from decisions.learning import archive
from decisions.learning.seal import ModelFileRefused

SECONDS = 60  # for the process to start, read the model and score a few rows
CPU_SECONDS = 30
ROOM = 256 << 20  # bytes besides the model's own: what reading an archive of the largest size takes
ROWS = 3  # scored in the rehearsal, with nothing known of them


def rehearse(path: Path) -> dict[str, Any]:
    """Return what a process of its own says of a model file: `memory` in bytes, its `features`, `scores` of some rows.

    Refuses one that takes more memory or time than a model may, or that does not score. The limit of memory is set on
    the address space (RLIMIT_AS), so that the kernel holds it whatever the file does.
    """
    command = [sys.executable, "-m", "decisions.learning.rehearsal", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, cwd=settings.BASE_DIR)  # noqa: S603 - our own module, and a path as one argument
    except subprocess.TimeoutExpired as error:
        raise ModelFileRefused(_("The model was not read within %(most)s s.") % {"most": SECONDS}) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        words = {"said": said[-1] if said else f"exit {done.returncode}", "most": settings.MODEL_MEMORY_MB}
        raise ModelFileRefused(_("The model could not be read within %(most)s MB: %(said)s") % words)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def bound() -> None:
    """Limit this process: no more memory than now and a model's share, little time, no file written, no core left."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + archive.most_memory() + ROOM
    for limit, value in (
        (resource.RLIMIT_AS, most),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def perform(path: Path) -> dict[str, Any]:
    """Read a model and let it score rows of which nothing is known; refuses scores that are none."""
    from decisions.learning import registry  # noqa: PLC0415 - the process has to be set up first

    data = path.read_bytes()
    memory = registry.measured(data)
    scorer = registry.unpack(data)
    scores = scorer.score([{}] * ROWS)
    if scores.shape != (ROWS,) or not ((scores >= 0) & (scores <= 1)).all():
        raise ModelFileRefused(_("The model does not give one score from 0 to 1 for each item."))
    return {"memory": memory, "features": [one.as_json() for one in scorer.features], "scores": scores.tolist()}


def main(path: Path) -> int:
    """Be the process of its own: what is wrong is said on one line of stderr."""
    import django  # noqa: PLC0415 - only here does this module stand alone

    django.setup()
    import decisions.learning.registry  # noqa: PLC0415, F401 - what is needed is here before the limit is set

    bound()
    try:
        sys.stdout.write(json.dumps(perform(path)))
    except Exception as error:  # whatever it is, it is told and nothing else happens
        sys.stderr.write(f"{type(error).__name__}: {error}".replace("\n", " "))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
