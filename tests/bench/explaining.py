"""What it costs to say what pushed a score: an item in a batch, an item alone, and the index of similar items."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from decisions.learning import explain, registry, space
from decisions.learning.registry import Scorer
from decisions.learning.similar import NEWEST
from decisions.learning.space import Space
from decisions.queues import parse
from reviewqueue.demo import rows
from tests.bench.promises import Promise
from tests.decisions.learning import fits

QUEUES = Path(rows.__file__).parent / "queues"
BATCH, TURNS, ALONE = 1_000, 15, 100
MOST = 5.0  # ms an item


def measure() -> list[Promise]:
    """Explain the demo's real rows by each kind of model, and find similar ones among as many as a queue keeps."""
    found = []
    for slug in ("emails", "credit"):
        for pipeline in ("boosting", "logistic"):
            found += _of_model(slug, pipeline)
    return [*found, _nearest()]


def _of_model(slug: str, pipeline: str) -> list[Promise]:
    scorer, payloads = _made(slug, pipeline)
    batch = payloads[:BATCH]
    told = _ms(lambda: explain.items(scorer, batch), TURNS) / len(batch)
    scored = _ms(lambda: scorer.score(batch), TURNS) / len(batch)
    alone = _ms(lambda: explain.items(scorer, batch[:1]), ALONE)
    name = f"{slug}, {pipeline}"
    return [
        Promise(f"{name}: factors of an item in a batch of {len(batch):,}: ms", TURNS, told, at_most=MOST),
        Promise(f"{name}: the same beside scoring it: times", TURNS, told / scored),
        Promise(f"{name}: factors of one item alone: ms", ALONE, alone),
    ]


def _nearest() -> Promise:
    scorer, payloads = _made("emails", "boosting")
    kept = [payloads[i % len(payloads)] for i in range(NEWEST)]
    made = Space.of(scorer.features, kept)
    points = made.points(kept)
    squares = np.asarray(points.power(2).sum(axis=1)).ravel()
    spent = _ms(lambda: space.distances(points, squares, made.points(kept[:1])), ALONE)
    return Promise(f"distances of one item to {NEWEST:,} decided ones: ms", ALONE, spent, at_most=MOST)


def _made(slug: str, pipeline: str) -> tuple[Scorer, list[dict[str, Any]]]:
    spec = parse.toml((QUEUES / f"{slug}.toml").read_text(), slug)
    spec = replace(spec, model=replace(spec.model, pipeline=pipeline))
    found = rows.examples(slug, spec)
    return registry.unpack(registry.pack(fits.of_spec(spec, found))), [dict(example.payload) for example in found]


def _ms(work: Callable[[], object], turns: int) -> float:
    """Return the median time of a piece of work, in milliseconds, the first turn apart."""
    work()
    spent = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return 1000 * median(spent)
