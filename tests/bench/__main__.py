"""`python -m tests.bench`: ratios in one run on the same servers, and promises over made worlds; see docs/bench.md."""

import argparse
import logging
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.bench import house
from tests.bench.figures import Figure, Rounds, table
from tests.bench.promises import Promise
from tests.bench.promises import table as promised

if TYPE_CHECKING:
    from tests.bench.parts import Place

PARTS = ("intake", "single", "work", "claims", "record")
# Modules beside this one: each makes its own world.
TRIALS = ("estimates", "thresholds", "operating", "frames", "explaining", "shadowing")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read what the caller chose."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=PARTS + TRIALS, help="measure this part; may be given several times"
    )
    parser.add_argument("--waiting", type=int, nargs="+", default=[10_000, 1_000_000], help="waiting tasks")
    parser.add_argument("--calls", type=int, default=200, help="calls of each side, and ten times as many as batches")
    parser.add_argument("--warm", type=int, default=30, help="calls before those that count")
    parser.add_argument("--seconds", type=float, default=40, help="after which a figure is made from fewer calls")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return parser.parse_args(arguments)


def say(text: str) -> None:
    """Write one line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def measure(chosen: argparse.Namespace, folder: Path) -> list[Figure]:
    """Make a database of each size, measure what was chosen in it, and the claim across sizes at the end."""
    from tests import databases
    from tests.bench import ground, parts

    rounds = Rounds(calls=chosen.calls, warm=chosen.warm, seconds=chosen.seconds)
    wanted = chosen.only or PARTS
    figures: list[Figure] = []
    with databases.template("bench") as template:
        made = ground.prepare()
        with ExitStack() as stack:
            places = []
            for waiting in sorted(chosen.waiting):
                clone = stack.enter_context(databases.clone(template))
                say(f"{waiting:,} waiting tasks: making them")
                ground.fill(made, waiting)
                places.append(parts.Place(made, clone, waiting, folder))
                figures += over_http(places[-1], rounds, wanted)
            if "claims" in wanted and len(places) > 1:
                say("Claims beside long and short queues")
                figures += parts.claims(places[-1], places[0], rounds)
            if "record" in wanted:
                say("The proof of a long chain")
                figures += parts.record(rounds)
    return figures


def tried(wanted: Sequence[str]) -> list[Promise]:
    """Try what makes its own world."""
    promises: list[Promise] = []
    for name in TRIALS:
        if name in wanted:
            say(f"Trials: {name}")
            promises += import_module(f"tests.bench.{name}").measure()
    return promises


def over_http(place: "Place", rounds: Rounds, wanted: Sequence[str]) -> list[Figure]:
    """Measure what goes over HTTP at one size."""
    from tests.bench import parts

    figures: list[Figure] = []
    with ExitStack() as stack:
        callers = place.enter(stack)
        for part in (parts.intake, parts.single, parts.work):
            if part.__name__ in wanted:
                say(f"{place.waiting:,} waiting tasks: {part.__name__}")
                parts.settle()
                found = part(place, callers, rounds)
                figures += [replace(one, name=f"{one.name}, {place.waiting:,} waiting") for one in found]
    return figures


def main(arguments: Sequence[str]) -> int:
    """Run the bench."""
    chosen, began = options(arguments), time.monotonic()
    wanted = chosen.only or PARTS + TRIALS
    figures: list[Figure] = []
    with house.opened() as folder:
        django.setup()
        logging.disable(logging.WARNING)  # of this process: the sites under measure log as they always do
        warnings.filterwarnings("ignore", "No directory at", UserWarning)
        promises = tried(wanted)
        if set(wanted) & set(PARTS):
            figures = measure(chosen, folder)
    tables = [table(figures)] * bool(figures) + [promised(promises)] * bool(promises)
    say("\n" + "\n\n".join([*tables, f"{time.monotonic() - began:.0f} s in all"]))
    is_met = all(figure.is_met for figure in figures) and all(promise.is_met for promise in promises)
    return int(chosen.strict and not is_met)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
