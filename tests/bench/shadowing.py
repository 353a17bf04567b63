"""What a model in shadow costs intake: batches beside a worker that scores them, and beside one that is held still."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from django.utils import timezone

from decisions.intake import parse, submit
from decisions.learning import shadows, training
from decisions.models import Queue, Shadow
from decisions.queues import live
from reviewqueue.demo import rows
from tests import databases
from tests.bench import ground, house
from tests.bench.promises import Promise

BATCH, TURNS = 5_000, 12  # items of a call, and calls of each kind in turn
MOST = 1.10  # times as long as without
# A worker's part in it: one sweep every three seconds, as the beat asks for.
WORKER = """
import time, django
django.setup()
from decisions.learning import shadow_scores
from decisions.record import log
while True:
    shadow_scores.sweep(log.now())
    time.sleep(2.5)
"""


def measure() -> list[Promise]:
    """Take in the demo's real rows in batches, in turn with and without the worker that lets a shadow score them."""
    with databases.template("bench") as template, databases.clone(template) as clone:
        made = ground.prepare()
        queue = Queue.objects.select_related("version").get(pk=made.queue_id)
        _begin(queue)
        spent: dict[bool, float] = {True: 0.0, False: 0.0}
        with worker(clone.environment) as process:
            _batch(made)
            for turn in range(2 * TURNS):
                is_shadowed = bool(turn % 2)
                process.send_signal(signal.SIGCONT if is_shadowed else signal.SIGSTOP)
                spent[is_shadowed] += _batch(made)
            process.send_signal(signal.SIGCONT)
        scored = Shadow.objects.get().scored
    return [
        Promise(
            "batch intake with a model in shadow beside without: times", TURNS, spent[True] / spent[False], at_most=MOST
        ),
        Promise("items that the shadow scored meanwhile", TURNS, scored, at_least=1),
    ]


def _begin(queue: Queue) -> None:
    """Put a second model of the same kind and size in shadow."""
    examples = rows.examples(queue.slug, queue.spec)
    mixed = np.random.default_rng(1).permutation([one.is_positive for one in examples])
    other = [replace(one, is_positive=bool(answer)) for one, answer in zip(examples, mixed, strict=True)]
    model = training.train(queue=queue, examples=other, in_time=False, by=None, at=timezone.now())
    shadows.start(queue=queue, model=model, by=None, why="bench", at=timezone.now(), back_days=0)


def _batch(made: ground.Ground) -> float:
    """Take in one batch; return the seconds that it took."""
    lines = parse.many(made.lines(BATCH))
    began = time.perf_counter()
    submit.many(queue=live.of(ground.SLUG), lines=lines, sender=made.sender, at=timezone.now(), with_results=False)
    return time.perf_counter() - began


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker's part in a process of its own; gone at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=house.ROOT, env={**os.environ, **environment}, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
