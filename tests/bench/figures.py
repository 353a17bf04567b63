"""Figures: medians of calls that take turns, their ratio, and the table that shows them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Timed = Callable[[], float]  # does something once and returns the seconds of the part that counts
Meter = Callable[[], float]  # tells the seconds of processor time that a side has used


@dataclass(frozen=True)
class Measure:
    """Medians of both sides in seconds, how many calls of each they are from, and bare over ours in processor time."""

    ours: float
    bare: float
    calls: int
    cpu_ratio: float | None = None


FEWEST = 3  # calls, however slow


@dataclass(frozen=True)
class Figure:
    """One line of the table; `at_least` and `at_most` bound the ratio, neither: printed only."""

    name: str
    found: Measure
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        """How fast ours is beside the bare one; where a bound from above is set, how much longer ours takes."""
        ours, bare = self.found.ours, self.found.bare
        return ours / bare if self.at_most else bare / ours

    @property
    def is_met(self) -> bool:
        """Whether the ratio keeps its bound."""
        if self.at_most is not None:
            return self.ratio <= self.at_most
        return self.at_least is None or self.ratio >= self.at_least

    @property
    def cells(self) -> tuple[str, ...]:
        """The line as it is shown."""
        bound = f"<= {self.at_most:g}" if self.at_most else f">= {self.at_least:g}" if self.at_least else ""
        met = ("yes" if self.is_met else "NO") if bound else ""
        cpu = "" if self.found.cpu_ratio is None else f"{self.found.cpu_ratio:.2f}"
        times = (f"{1000 * seconds:.2f}" for seconds in (self.found.ours, self.found.bare))
        return self.name, str(self.found.calls), *times, f"{self.ratio:.2f}", cpu, bound, met


HEAD = ("figure", "calls", "ours ms", "bare ms", "ratio", "by CPU", "target", "met")


@dataclass(frozen=True)
class Rounds:
    """How often each side takes its turn: at most so many calls or seconds, after some that do not count."""

    calls: int
    warm: int
    seconds: float


def take_turns(ours: Timed, bare: Timed, rounds: Rounds, meters: tuple[Meter, Meter] | None = None) -> Measure:
    """Measure two calls that take turns, so that what else the machine does falls on both."""
    for _ in range(rounds.warm):
        ours(), bare()
    before, end = _read(meters), time.monotonic() + rounds.seconds
    pairs: list[tuple[float, float]] = []
    while len(pairs) < rounds.calls and (len(pairs) < FEWEST or time.monotonic() < end):
        pairs.append((ours(), bare()))
    spent = [after - start for start, after in zip(before, _read(meters), strict=True)]
    return Measure(
        ours=median(pair[0] for pair in pairs),
        bare=median(pair[1] for pair in pairs),
        calls=len(pairs),
        cpu_ratio=spent[1] / spent[0] if spent and spent[0] else None,
    )


def _read(meters: tuple[Meter, Meter] | None) -> list[float]:
    return [meter() for meter in meters or ()]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    shown = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])
