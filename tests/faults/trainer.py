"""A worker that trains, in a process of its own: killed at a step, or asked what comes out."""

import os
import signal
import sys

import django


def main(what: str, run_id: int, last: str = "") -> None:
    """Do what is asked: `kill` at a step, or tell the `name` and the hash of the model that comes out."""
    from decisions.learning import training, work
    from decisions.learning.fitting import Nobody, Step
    from decisions.models import TrainingRun
    from decisions.record import log

    begin = work.Worker.begin

    def begun(self: work.Worker, step: Step, ticks: int = 1) -> None:
        begin(self, step, ticks)
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    if what == "kill":
        work.Worker.begin = begun  # type: ignore[method-assign]
        work.work(run_id)
    else:
        course = work._course(work.Worker(TrainingRun.objects.get(pk=run_id)))
        model = training.made(course, Nobody(), log.now())
        sys.stdout.write(f"{model.name} {model.sha256}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewqueue.settings")
    django.setup()
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
