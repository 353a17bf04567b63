"""Figures: medians of calls that take turns, their ratio, and the table that shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Timed = Callable[[], float]  # does something once and returns the seconds of the part that counts


@dataclass(frozen=True)
class Figure:
    """One line of the table, in seconds; `at_least` and `at_most` bound the ratio, neither: printed only."""

    name: str
    ours: float
    bare: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        """How fast ours is beside the bare one; where a bound from above is set, how much longer ours takes."""
        return self.ours / self.bare if self.at_most else self.bare / self.ours

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
        return self.name, f"{1000 * self.ours:.2f}", f"{1000 * self.bare:.2f}", f"{self.ratio:.2f}", bound, met


HEAD = ("figure", "ours ms", "bare ms", "ratio", "target", "met")


def take_turns(ours: Timed, bare: Timed, rounds: int, warm: int) -> tuple[float, float]:
    """Return the medians of two calls that take turns, so that what else the machine does falls on both."""
    pairs = [(ours(), bare()) for _ in range(warm + rounds)][warm:]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    shown = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])
